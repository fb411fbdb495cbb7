"""Reading ini files as the tools read them: by the standard library's parser."""

from __future__ import annotations

import configparser
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wheelgate_client.hookspecs import ConfigError
from wheelgate_pipconfig import config_files as files


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one tool reads an ini file."""

    tool: str
    normalize: Callable[[str], str]
    """Names of options that are equal after this are one option to the tool."""
    delimiters: tuple[str, ...] = ("=", ":")
    strict: bool = True
    """Whether the tool refuses a section or an option that stands twice."""


def load(path: Path, dialect: Dialect) -> files.Source:
    """Read a file that the tool can read.

    Raises:
        ConfigError: The file cannot be read, or the tool would refuse it.
    """
    source = files.load(path)
    if source.text.startswith("\ufeff"):
        raise ConfigError(
            f"{path} begins with a byte order mark, which {dialect.tool} refuses. Save the file as UTF-8 without it."
        )
    if re.search(r"\r(?!\n)", source.text):
        raise ConfigError(f"{path} has lines that end in a lone carriage return. Save the file with \\n line ends.")
    try:
        _values(source.text, dialect)
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError, configparser.ParsingError) as error:
        raise ConfigError(f"{path} cannot be used, {dialect.tool} would refuse it: {_reason(error)}") from None
    return source


def option(text: str, dialect: Dialect, section: str, name: str) -> str | None:
    """Return the value that the tool finds; None if there is no such option or it is empty."""
    return _values(text, dialect).get(section, name, fallback="").strip() or None


def sections(text: str, dialect: Dialect) -> list[str]:
    """Return the names of the sections."""
    return _values(text, dialect).sections()


def _values(text: str, dialect: Dialect) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=dialect.strict, delimiters=dialect.delimiters)
    parser.optionxform = dialect.normalize  # type: ignore[assignment]
    parser.read_file(io.StringIO(text, newline=""))
    return parser


def _reason(
    error: configparser.DuplicateSectionError | configparser.DuplicateOptionError | configparser.ParsingError,
) -> str:
    # The offending line is not repeated: it may hold a password.
    match error:
        case configparser.DuplicateSectionError():
            return f"line {error.lineno} opens the section [{error.section}] a second time. Merge the two."
        case configparser.DuplicateOptionError():
            return f"line {error.lineno} sets {error.option} in [{error.section}] a second time. Keep one of the two."
        case configparser.MissingSectionHeaderError():
            return f"line {error.lineno} stands before the first [section]. Put it into one or take it out."
        case _:
            return f"line {error.errors[0][0]} is neither 'name = value' nor a [section]. Correct it or take it out."
