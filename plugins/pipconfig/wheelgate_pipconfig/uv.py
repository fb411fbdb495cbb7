"""The writers of ``uv.toml``: one that says as little as need be, and one that names the index."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from wheelgate_client.hookspecs import Edit, Location, Target
from wheelgate_pipconfig import config_files as files
from wheelgate_pipconfig import toml_file, urls

INDEXES = ("index",)
INDEX_NAME = "wheelgate"
"""The name of the ``[[index]]`` that is ours."""


class UvWriter:
    """Points uv at an index by ``index-url``, or by an ``[[index]]`` of its own where uv would pass that over.

    To uv, an ``[[index]]`` that is ``default`` goes before ``[pip] index-url``, and that before ``index-url``; of
    several that are ``default``, the first counts.
    """

    name = "uv"

    def location(self, venv: Path | None) -> Location | None:
        """Name ``UV_CONFIG_FILE`` or the user's file; uv reads none in a virtual environment."""
        path = _user_file()
        return Location(path, files.label(path), shown=path.exists()) if venv is None else None

    def read(self, path: Path) -> str | None:
        """Return the default index of ``uv pip install``."""
        return _default_url(toml_file.load(path).values)

    def plan(self, path: Path, target: Target) -> Edit:
        """Make the simple index the default one; the other indexes, which uv asks before it, stay."""
        from wheelgate_pipconfig import toml_edit

        found = toml_file.load(path)
        url = urls.checked(target.simple_url)
        first = _first_default(found.values)
        if first is not None or _pip_index_url(found.values) is not None:
            uploads = first is not None and first.get("name") == INDEX_NAME and "publish-url" in first
            entry = {"url": url, **({"publish-url": _publish_url(target)} if uploads else {}), "default": True}
            text = _with_default_index(found, entry)
        else:
            text = toml_edit.with_key(found.text, "index-url", url)
        return found.edit(text, has_secret=_has_credential(target))

    def unplan(self, path: Path, server_url: str) -> Edit:
        """Take out ``index-url`` and our own ``[[index]]`` where they point at the server."""
        from wheelgate_pipconfig import toml_edit

        found = toml_file.load(path)
        text = toml_edit.without_entry(found.text, INDEXES, INDEX_NAME, server_url)
        if urls.points_at(found.values.get("index-url"), server_url):
            text = toml_edit.without_key(text, "index-url")
        return found.edit(text, has_secret=False)


class UvIndexWriter:
    """Points uv at an index by an ``[[index]]`` with a name, which ``uv publish --index`` uploads to."""

    name = "uv-index"

    def location(self, venv: Path | None) -> Location | None:
        """Name the file of :class:`UvWriter`."""
        path = _user_file()
        return Location(path, files.label(path), shown=False, by_name_only=True) if venv is None else None

    def read(self, path: Path) -> str | None:
        """Return the default index of ``uv pip install``."""
        return _default_url(toml_file.load(path).values)

    def plan(self, path: Path, target: Target) -> Edit:
        """Make the index the default one, with the address for uploads; a login that is there is always sent."""
        found = toml_file.load(path)
        has_login = target.password is not None or _has_credential(target)
        entry = {
            "url": urls.checked(target.simple_url),
            "publish-url": _publish_url(target),
            "default": True,
            **({"authenticate": "always"} if has_login else {}),
        }
        return found.edit(_with_default_index(found, entry), has_secret=_has_credential(target))

    def unplan(self, path: Path, server_url: str) -> Edit:
        """Take the index out if it points at the server."""
        from wheelgate_pipconfig import toml_edit

        found = toml_file.load(path)
        return found.edit(toml_edit.without_entry(found.text, INDEXES, INDEX_NAME, server_url), has_secret=False)


def _with_default_index(found: toml_file.TomlFile, entry: dict[str, str | bool | None]) -> str:
    from wheelgate_pipconfig import toml_edit

    first = _first_default(found.values)
    if first is not None and first.get("name") == INDEX_NAME:
        return toml_edit.with_entry(found.text, INDEXES, INDEX_NAME, entry)
    # uv refuses two indexes of one name.
    text = toml_edit.without_entry(found.text, INDEXES, INDEX_NAME)
    return toml_edit.with_first_entry(text, INDEXES, INDEX_NAME, entry)


def _user_file() -> Path:
    chosen = os.environ.get("UV_CONFIG_FILE")
    return Path(chosen) if chosen else files.user_config_dir() / "uv" / "uv.toml"


def _first_default(values: dict[str, Any]) -> dict[str, Any] | None:
    return next((entry for entry in toml_file.tables(values, INDEXES) if entry.get("default") is True), None)


def _pip_index_url(values: dict[str, Any]) -> object:
    table = values.get("pip")
    return table.get("index-url") if isinstance(table, dict) else None


def _default_url(values: dict[str, Any]) -> str | None:
    if first := _first_default(values):
        # One that is also explicit leaves uv without any default.
        candidates = [] if first.get("explicit") is True else [first.get("url")]
    else:
        candidates = [_pip_index_url(values), values.get("index-url")]
    return next((url for url in candidates if isinstance(url, str)), None)


def _publish_url(target: Target) -> str | None:
    return None if target.upload_url is None else urls.checked(target.upload_url)


def _has_credential(target: Target) -> bool:
    return any(url is not None and urls.has_credential(url) for url in (target.simple_url, target.upload_url))
