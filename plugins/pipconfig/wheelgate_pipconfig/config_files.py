"""Configuration files as text: their paths, reading them, and turning an edited text into an edit."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wheelgate_client.hookspecs import ConfigError, Edit


@dataclass(frozen=True, slots=True)
class TextFile:
    """The current content of a configuration file."""

    path: Path
    before: bytes | None
    """The bytes of the file; None if there is no such file."""
    text: str

    def edit(self, text: str, *, has_secret: bool = False, secrets: Iterable[str] = ()) -> Edit:
        """Return the edit that makes ``text`` the content of the file.

        New lines may end in LF: in a file of CRLF lines they become CRLF. If the text becomes empty, the edit
        removes the file.
        """
        if text == self.text:
            return Edit(self.path, self.before, self.before, has_secret, frozenset(secrets))
        if not text.strip():
            return Edit(self.path, self.before, None, has_secret=False, secrets=frozenset(secrets))
        if 0 < self.text.count("\n") == self.text.count("\r\n"):
            text = re.sub(r"(?<!\r)\n", "\r\n", text)
        return Edit(self.path, self.before, text.encode(), has_secret, frozenset(secrets))


def load_text_file(path: Path) -> TextFile:
    """Read a file; a missing file has an empty text.

    Raises:
        ConfigError: The file cannot be read or is not UTF-8.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return TextFile(path, None, "")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Make it a file that you can read.") from error
    try:
        return TextFile(path, content, content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path} is not UTF-8 text: see line {line}. Save the file as UTF-8.") from None


def path_label(path: Path) -> str:
    """Return the path as ``devpi`` shows it, with ``~`` for the home directory."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def user_config_dir() -> Path:
    """Return ``$XDG_CONFIG_HOME`` or ``~/.config``; the XDG specification ignores a relative path."""
    configured = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return configured if configured.is_absolute() else Path.home() / ".config"
