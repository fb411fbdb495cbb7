"""Reads TOML files, as text and as values."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wheelgate_client.hookspecs import ConfigError, Edit
from wheelgate_pipconfig import config_files

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A TOML file: its text without a byte order mark, and its values."""

    source: config_files.TextFile
    text: str
    values: dict[str, Any]

    def edit(self, text: str, *, has_secret: bool) -> Edit:
        """Return the edit that makes ``text`` the content of the file, after the byte order mark if there is one.

        Raises:
            ConfigError: The text is not TOML, because the table could not be added to the existing ones.
        """
        if not is_toml(text):
            raise ConfigError(
                f"{self.source.path} has an inline table where the edit has to add a table."
                " Write that as separate tables, or change the setting by hand."
            )
        mark = BYTE_ORDER_MARK if self.source.text.startswith(BYTE_ORDER_MARK) else ""
        return self.source.edit(mark + text if text else "", has_secret=has_secret)


def load_toml(path: Path) -> TomlFile:
    """Read a file; a missing file has no values.

    Raises:
        ConfigError: The file cannot be read or is not TOML.
    """
    source = config_files.load_text_file(path)
    text = source.text.removeprefix(BYTE_ORDER_MARK)
    try:
        return TomlFile(source, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}. Correct that line.") from None


def array_tables(values: dict[str, Any], path: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the tables in the array at ``path``, and skip other values there."""
    found: object = values
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def is_toml(text: str) -> bool:
    """Tell whether the text is valid TOML."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True
