"""The writers of ``pyproject.toml``, for tools that store the indexes of a project there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wheelgate_client.hookspecs import ConfigError, Edit, Location, Target
from wheelgate_pipconfig import config_files, toml_file, urls

PYPROJECT_FILENAME = "pyproject.toml"


@dataclass(slots=True)
class SourceWriter:
    """Points the project in the working directory at an index by one table in an array.

    Everybody who works on the project shares the file, so no credential is written to it.
    """

    name: str
    array: tuple[str, ...]
    source: str
    """The ``name`` of the table."""
    settings: Mapping[str, str | bool | None] = field(default_factory=dict)
    """The values of a new table in addition to name and URL."""

    def location(self, venv: Path | None) -> Location | None:
        """Return the file of the project that contains the working directory."""
        if venv is not None:
            return None
        here = Path.cwd()
        found = (
            folder / PYPROJECT_FILENAME for folder in (here, *here.parents) if (folder / PYPROJECT_FILENAME).is_file()
        )
        path = next(found, here / PYPROJECT_FILENAME)
        return Location(path, config_files.path_label(path), listed_when_unset=False, by_name_only=True)

    def status(self, path: Path) -> str | None:
        """Return the URL of the table."""
        found = toml_file.array_tables(toml_file.load_toml(path).values, self.array)
        urls_found = (entry.get("url") for entry in found if entry.get("name") == self.source)
        return next((url for url in urls_found if isinstance(url, str)), None)

    def plan(self, path: Path, target: Target) -> Edit:
        """Set the URL; the other values of the table stay.

        Raises:
            ConfigError: There is no project.
        """
        from wheelgate_pipconfig import toml_edit

        found = toml_file.load_toml(path)
        if found.source.before is None:
            raise ConfigError(
                f"{path.parent} is not in a project: neither it nor a folder above contains {PYPROJECT_FILENAME}."
                " Go to the project's folder."
            )
        url = urls.without_credential(urls.checked_url(target.simple_url))
        if any(entry.get("name") == self.source for entry in toml_file.array_tables(found.values, self.array)):
            text = toml_edit.with_entry(found.text, self.array, self.source, {"url": url})
        else:
            text = toml_edit.with_last_entry(found.text, self.array, self.source, {"url": url, **self.settings})
        return found.edit(text, has_secret=False)

    def plan_removal(self, path: Path, server_url: str) -> Edit:
        """Remove the table if it points at the server."""
        from wheelgate_pipconfig import toml_edit

        found = toml_file.load_toml(path)
        return found.edit(toml_edit.without_entry(found.text, self.array, self.source, server_url), has_secret=False)


def poetry_writer() -> SourceWriter:
    """Return the writer for poetry, which uses a ``primary`` source instead of the public index."""
    return SourceWriter("poetry", ("tool", "poetry", "source"), "wheelgate", {"priority": "primary"})


def pdm_writer() -> SourceWriter:
    """Return the writer for pdm, which uses only a source of this name instead of the public index."""
    return SourceWriter("pdm", ("tool", "pdm", "source"), "pypi")
