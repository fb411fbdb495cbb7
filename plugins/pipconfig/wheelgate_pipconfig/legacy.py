"""The writers of ``~/.pydistutils.cfg`` and ``~/.buildout/default.cfg``, each for one option."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wheelgate_client.hookspecs import Edit, Location, Target
from wheelgate_pipconfig import config_files, ini, urls


@dataclass(slots=True)
class OptionWriter:
    """Points a tool at an index by one option of its file in the user's home."""

    name: str
    dialect: ini.Dialect
    section: str
    option: str
    user_file: Callable[[], Path]
    escaped: str = ""
    """The character that has to be doubled in values."""

    def location(self, venv: Path | None) -> Location | None:
        """Return the user's file; there is none in a virtual environment."""
        if venv is not None:
            return None
        path = self.user_file()
        return Location(path, config_files.path_label(path), listed_when_unset=True)

    def status(self, path: Path) -> str | None:
        """Return the URL of the index in the file."""
        return self._value(ini.load_ini(path, self.dialect).text)

    def plan(self, path: Path, target: Target) -> Edit:
        """Set the option to the simple index."""
        from wheelgate_pipconfig import ini_edit

        source = ini.load_ini(path, self.dialect)
        value = urls.checked_url(target.simple_url)
        if self.escaped:
            value = value.replace(self.escaped, 2 * self.escaped)
        text = ini_edit.with_option(source.text, self.dialect, self.section, self.option, value)
        return source.edit(text, has_secret=urls.has_credential(target.simple_url))

    def plan_removal(self, path: Path, server_url: str) -> Edit:
        """Remove the option if it points at the server."""
        from wheelgate_pipconfig import ini_edit

        source = ini.load_ini(path, self.dialect)
        if not urls.points_at(self._value(source.text), server_url):
            return source.edit(source.text)
        return source.edit(ini_edit.without_option(source.text, self.dialect, self.section, self.option))

    def _value(self, text: str) -> str | None:
        value = ini.get_option(text, self.dialect, self.section, self.option)
        if value is None or not self.escaped:
            return value
        return value.replace(2 * self.escaped, self.escaped)


def setuptools_writer() -> OptionWriter:
    """Return the writer of ``~/.pydistutils.cfg``, whose values setuptools interpolates at each ``%``."""
    dialect = ini.Dialect("setuptools", lambda name: name.lower().replace("-", "_"))
    return OptionWriter(
        "setuptools", dialect, "easy_install", "index_url", lambda: Path.home() / ".pydistutils.cfg", escaped="%"
    )


def buildout_writer() -> OptionWriter:
    """Return the writer of ``default.cfg`` in ``$BUILDOUT_HOME`` or ``~/.buildout``."""
    dialect = ini.Dialect("buildout", str, delimiters=("=",), strict=False)
    return OptionWriter("buildout", dialect, "buildout", "index", _buildout_file)


def _buildout_file() -> Path:
    return Path(os.environ.get("BUILDOUT_HOME") or Path.home() / ".buildout") / "default.cfg"
