"""TOML files as text and as what they say."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wheelgate_client.hookspecs import ConfigError, Edit
from wheelgate_pipconfig import config_files as files

BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A TOML file: its text, without a byte order mark, and what that says."""

    source: files.Source
    text: str
    values: dict[str, Any]

    def edit(self, text: str, *, has_secret: bool) -> Edit:
        """Return the edit that makes ``text`` the content of the file, behind the mark if there is one.

        Raises:
            ConfigError: The text is not TOML, because what the file says leaves no place for what was added.
        """
        if not is_toml(text):
            raise ConfigError(
                f"{self.source.path} says in one inline table what the edit would have to add a table to."
                " Write that as tables of its own, or make the setting by hand."
            )
        bom = BOM if self.source.text.startswith(BOM) else ""
        return self.source.edit(bom + text if text else "", has_secret=has_secret)


def load(path: Path) -> TomlFile:
    """Read a file; one that does not exist says nothing.

    Raises:
        ConfigError: The file cannot be read or is not TOML.
    """
    source = files.load(path)
    text = source.text.removeprefix(BOM)
    try:
        return TomlFile(source, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}. Correct that line.") from None


def tables(values: dict[str, Any], path: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the tables of the array at ``path``, whatever else may stand there."""
    found: object = values
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def is_toml(text: str) -> bool:
    """Tell whether the text can be read by a TOML parser."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True
