"""Reads ini files as the tools do, with the parser of the standard library."""

from __future__ import annotations

import configparser
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wheelgate_client.hookspecs import ConfigError
from wheelgate_pipconfig import config_files


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one tool reads an ini file."""

    tool: str
    normalize: Callable[[str], str]
    """Turns all spellings of an option name that the tool accepts into one."""
    delimiters: tuple[str, ...] = ("=", ":")
    strict: bool = True
    """Whether the tool refuses a duplicate section or option."""


def load_ini(path: Path, dialect: Dialect) -> config_files.TextFile:
    """Read a file, if the tool can read it.

    Raises:
        ConfigError: The file cannot be read, or the tool would refuse it.
    """
    source = config_files.load_text_file(path)
    if source.text.startswith("\ufeff"):
        raise ConfigError(
            f"{path} begins with a byte order mark, which {dialect.tool} refuses. Save the file as UTF-8 without it."
        )
    if re.search(r"\r(?!\n)", source.text):
        raise ConfigError(f"{path} has lines that end in a lone carriage return. Save the file with \\n line ends.")
    try:
        _parse(source.text, dialect)
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError, configparser.ParsingError) as error:
        raise ConfigError(f"{path} cannot be used, {dialect.tool} would refuse it: {_reason(error)}") from None
    return source


def get_option(text: str, dialect: Dialect, section: str, name: str) -> str | None:
    """Return the value that the tool reads; None if there is no such option or it is empty."""
    return _parse(text, dialect).get(section, name, fallback="").strip() or None


def section_names(text: str, dialect: Dialect) -> list[str]:
    """Return the names of the sections."""
    return _parse(text, dialect).sections()


def _parse(text: str, dialect: Dialect) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=dialect.strict, delimiters=dialect.delimiters)
    parser.optionxform = dialect.normalize  # type: ignore[assignment]
    parser.read_file(io.StringIO(text, newline=""))
    return parser


def _reason(
    error: configparser.DuplicateSectionError | configparser.DuplicateOptionError | configparser.ParsingError,
) -> str:
    # The message does not repeat the line: it may contain a password.
    match error:
        case configparser.DuplicateSectionError():
            return f"line {error.lineno} opens the section [{error.section}] a second time. Merge the two."
        case configparser.DuplicateOptionError():
            return f"line {error.lineno} sets {error.option} in [{error.section}] a second time. Keep one of the two."
        case configparser.MissingSectionHeaderError():
            return f"line {error.lineno} comes before the first [section]. Move it into one or remove it."
        case _:
            return f"line {error.errors[0][0]} is neither 'name = value' nor a [section]. Correct it or remove it."
