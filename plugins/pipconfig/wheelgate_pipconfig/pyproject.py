"""The writers of ``pyproject.toml``, for the tools that keep the indexes of a project in there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wheelgate_client.hookspecs import ConfigError, Edit, Location, Target
from wheelgate_pipconfig import config_files as files
from wheelgate_pipconfig import toml_file, urls

NAME = "pyproject.toml"


@dataclass(slots=True)
class SourceWriter:
    """Points the project in the working directory at an index by one table of an array.

    The file belongs to everybody who works on the project, so no credential is written.
    """

    name: str
    array: tuple[str, ...]
    source: str
    """The ``name`` of the table."""
    settings: Mapping[str, str | bool | None] = field(default_factory=dict)
    """What a new table says beside name and URL."""

    def location(self, venv: Path | None) -> Location | None:
        """Name the file of the project that the working directory lies in."""
        if venv is not None:
            return None
        here = Path.cwd()
        found = (folder / NAME for folder in (here, *here.parents) if (folder / NAME).is_file())
        path = next(found, here / NAME)
        return Location(path, files.label(path), shown=False, by_name_only=True)

    def read(self, path: Path) -> str | None:
        """Return the URL of the table."""
        found = toml_file.tables(toml_file.load(path).values, self.array)
        urls_found = (entry.get("url") for entry in found if entry.get("name") == self.source)
        return next((url for url in urls_found if isinstance(url, str)), None)

    def plan(self, path: Path, target: Target) -> Edit:
        """Set the URL; what the table says otherwise stays.

        Raises:
            ConfigError: There is no project.
        """
        from wheelgate_pipconfig import toml_edit

        found = toml_file.load(path)
        if found.source.before is None:
            raise ConfigError(
                f"{path.parent} is in no project, there is no {NAME} in it or above it. Go to the project's folder."
            )
        url = urls.without_credential(urls.checked(target.simple_url))
        if any(entry.get("name") == self.source for entry in toml_file.tables(found.values, self.array)):
            text = toml_edit.with_entry(found.text, self.array, self.source, {"url": url})
        else:
            text = toml_edit.with_last_entry(found.text, self.array, self.source, {"url": url, **self.settings})
        return found.edit(text, has_secret=False)

    def unplan(self, path: Path, server_url: str) -> Edit:
        """Take the table out if it points at the server."""
        from wheelgate_pipconfig import toml_edit

        found = toml_file.load(path)
        return found.edit(toml_edit.without_entry(found.text, self.array, self.source, server_url), has_secret=False)


def poetry_writer() -> SourceWriter:
    """Return the writer for poetry, to which a ``primary`` source takes the place of the public index."""
    return SourceWriter("poetry", ("tool", "poetry", "source"), "wheelgate", {"priority": "primary"})


def pdm_writer() -> SourceWriter:
    """Return the writer for pdm, to which only the source of this one name takes the place of the public index."""
    return SourceWriter("pdm", ("tool", "pdm", "source"), "pypi")
