"""The writer of ``uv.toml``."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wheelgate_client.hookspecs import ConfigError, Edit, Location, Target
from wheelgate_pipconfig import files, urls

INDEX_NAME = "wheelgate"
"""The name of the ``[[index]]`` that is written where ``index-url`` would not count."""

BOM = "\ufeff"


class UvWriter:
    """Points uv at an index by ``index-url``, or by an ``[[index]]`` of its own where uv would pass that over.

    To uv, an ``[[index]]`` that is ``default`` goes before ``[pip] index-url``, and that before ``index-url``; of
    several that are ``default``, the first counts.
    """

    name = "uv"

    def location(self, venv: Path | None) -> Location | None:
        """Name ``UV_CONFIG_FILE`` or the user's file; uv reads none in a virtual environment."""
        if venv is not None:
            return None
        chosen = os.environ.get("UV_CONFIG_FILE")
        path = Path(chosen) if chosen else files.user_config_dir() / "uv" / "uv.toml"
        return Location(path, files.label(path), shown=path.exists())

    def read(self, path: Path) -> str | None:
        """Return the default index of ``uv pip install``."""
        settings = _load(path)
        if first := settings.first_default:
            # One that is also explicit leaves uv without any default.
            candidates = [] if first.get("explicit") is True else [first.get("url")]
        else:
            candidates = [settings.pip_index_url, settings.values.get("index-url")]
        return next((url for url in candidates if isinstance(url, str)), None)

    def plan(self, path: Path, target: Target) -> Edit:
        """Make the simple index the default one; the other indexes, which uv asks before it, stay."""
        from wheelgate_pipconfig import uv_edit

        settings = _load(path)
        url = urls.checked(target.simple_url)
        if settings.first_default and settings.first_default.get("name") == INDEX_NAME:
            text = uv_edit.with_named_index(settings.text, INDEX_NAME, url)
        elif settings.first_default or settings.pip_index_url is not None:
            text = uv_edit.with_new_index(settings.text, INDEX_NAME, url)
        else:
            text = uv_edit.with_index_url(settings.text, url)
        return settings.edit(text, has_secret=urls.has_credential(url))

    def unplan(self, path: Path, server_url: str) -> Edit:
        """Take out ``index-url`` and our own ``[[index]]`` where they point at the server."""
        from wheelgate_pipconfig import uv_edit

        settings = _load(path)
        return settings.edit(uv_edit.without_index(settings.text, INDEX_NAME, server_url), has_secret=False)


@dataclass(frozen=True, slots=True)
class _Settings:
    """A ``uv.toml``: its text, without a byte order mark, and what that says."""

    source: files.Source
    text: str
    values: dict[str, Any]

    @property
    def first_default(self) -> dict[str, Any] | None:
        index = self.values.get("index")
        entries = index if isinstance(index, list) else []
        return next((entry for entry in entries if isinstance(entry, dict) and entry.get("default") is True), None)

    @property
    def pip_index_url(self) -> object:
        table = self.values.get("pip")
        return table.get("index-url") if isinstance(table, dict) else None

    def edit(self, text: str, *, has_secret: bool) -> Edit:
        bom = BOM if self.source.text.startswith(BOM) else ""
        return self.source.edit(bom + text if text else "", has_secret=has_secret)


def _load(path: Path) -> _Settings:
    source = files.load(path)
    text = source.text.removeprefix(BOM)
    try:
        return _Settings(source, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}. Correct that line.") from None
