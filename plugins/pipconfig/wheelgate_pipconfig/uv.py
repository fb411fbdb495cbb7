"""The writers of ``uv.toml``: one that makes the smallest change, and one that adds an index with a name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from wheelgate_client.hookspecs import Edit, Location, Target
from wheelgate_pipconfig import config_files, toml_file, urls

INDEX_TABLES_PATH = ("index",)
OWN_INDEX_NAME = "wheelgate"
"""The name of our ``[[index]]``."""


class UvWriter:
    """Points uv at an index by ``index-url``, or by an ``[[index]]`` if uv would ignore that setting.

    In uv, a ``default`` ``[[index]]`` takes precedence over ``[pip] index-url``, and that over ``index-url``; of
    several ``default`` ones, the first counts.
    """

    name = "uv"

    def location(self, venv: Path | None) -> Location | None:
        """Return ``UV_CONFIG_FILE`` or the user's file; uv reads none in a virtual environment."""
        path = _user_file()
        return Location(path, config_files.path_label(path), listed_when_unset=path.exists()) if venv is None else None

    def status(self, path: Path) -> str | None:
        """Return the default index of ``uv pip install``."""
        return _default_url(toml_file.load_toml(path).values)

    def plan(self, path: Path, target: Target) -> Edit:
        """Make the simple index the default one; the other indexes, which uv asks first, stay."""
        from wheelgate_pipconfig import toml_edit

        found = toml_file.load_toml(path)
        url = urls.checked_url(target.simple_url)
        first = _first_default(found.values)
        if first is not None or _pip_index_url(found.values) is not None:
            uploads = first is not None and first.get("name") == OWN_INDEX_NAME and "publish-url" in first
            entry = {"url": url, **({"publish-url": _publish_url(target)} if uploads else {}), "default": True}
            text = _with_default_index(found, entry)
        else:
            text = toml_edit.with_key(found.text, "index-url", url)
        return found.edit(text, has_secret=_has_credential(target))

    def plan_removal(self, path: Path, server_url: str) -> Edit:
        """Remove ``index-url`` and our ``[[index]]`` if they point at the server."""
        from wheelgate_pipconfig import toml_edit

        found = toml_file.load_toml(path)
        text = toml_edit.without_entry(found.text, INDEX_TABLES_PATH, OWN_INDEX_NAME, server_url)
        if urls.points_at(found.values.get("index-url"), server_url):
            text = toml_edit.without_key(text, "index-url")
        return found.edit(text, has_secret=False)


class UvIndexWriter:
    """Points uv at an index by an ``[[index]]`` with a name, which ``uv publish --index`` uploads to."""

    name = "uv-index"

    def location(self, venv: Path | None) -> Location | None:
        """Return the file of :class:`UvWriter`."""
        path = _user_file()
        return (
            Location(path, config_files.path_label(path), listed_when_unset=False, by_name_only=True)
            if venv is None
            else None
        )

    def status(self, path: Path) -> str | None:
        """Return the default index of ``uv pip install``."""
        return _default_url(toml_file.load_toml(path).values)

    def plan(self, path: Path, target: Target) -> Edit:
        """Make the index the default one, with its upload URL; uv always sends a login if there is one."""
        found = toml_file.load_toml(path)
        has_login = target.password is not None or _has_credential(target)
        entry = {
            "url": urls.checked_url(target.simple_url),
            "publish-url": _publish_url(target),
            "default": True,
            **({"authenticate": "always"} if has_login else {}),
        }
        return found.edit(_with_default_index(found, entry), has_secret=_has_credential(target))

    def plan_removal(self, path: Path, server_url: str) -> Edit:
        """Remove the index if it points at the server."""
        from wheelgate_pipconfig import toml_edit

        found = toml_file.load_toml(path)
        return found.edit(
            toml_edit.without_entry(found.text, INDEX_TABLES_PATH, OWN_INDEX_NAME, server_url), has_secret=False
        )


def _with_default_index(found: toml_file.TomlFile, entry: dict[str, str | bool | None]) -> str:
    from wheelgate_pipconfig import toml_edit

    first = _first_default(found.values)
    if first is not None and first.get("name") == OWN_INDEX_NAME:
        return toml_edit.with_entry(found.text, INDEX_TABLES_PATH, OWN_INDEX_NAME, entry)
    # uv refuses two indexes of the same name.
    text = toml_edit.without_entry(found.text, INDEX_TABLES_PATH, OWN_INDEX_NAME)
    return toml_edit.with_first_entry(text, INDEX_TABLES_PATH, OWN_INDEX_NAME, entry)


def _user_file() -> Path:
    chosen = os.environ.get("UV_CONFIG_FILE")
    return Path(chosen) if chosen else config_files.user_config_dir() / "uv" / "uv.toml"


def _first_default(values: dict[str, Any]) -> dict[str, Any] | None:
    return next(
        (entry for entry in toml_file.array_tables(values, INDEX_TABLES_PATH) if entry.get("default") is True), None
    )


def _pip_index_url(values: dict[str, Any]) -> object:
    table = values.get("pip")
    return table.get("index-url") if isinstance(table, dict) else None


def _default_url(values: dict[str, Any]) -> str | None:
    if first := _first_default(values):
        # If the default index is also explicit, uv has no default.
        candidates = [] if first.get("explicit") is True else [first.get("url")]
    else:
        candidates = [_pip_index_url(values), values.get("index-url")]
    return next((url for url in candidates if isinstance(url, str)), None)


def _publish_url(target: Target) -> str | None:
    return None if target.upload_url is None else urls.checked_url(target.upload_url)


def _has_credential(target: Target) -> bool:
    return any(url is not None and urls.has_credential(url) for url in (target.simple_url, target.upload_url))
