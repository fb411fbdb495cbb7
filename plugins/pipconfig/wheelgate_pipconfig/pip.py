"""The writer of ``pip.conf``."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from wheelgate_client.hookspecs import Edit, Location, Target
from wheelgate_pipconfig import config_files, ini, urls

PIP_DIALECT = ini.Dialect("pip", lambda name: name.lower().replace("_", "-").removeprefix("--"))


class PipWriter:
    """Points pip at an index by ``[global] index-url``, and the old ``pip search`` by ``[search] index``."""

    name = "pip"

    def location(self, venv: Path | None) -> Location:
        """Return the file that takes precedence: ``PIP_CONFIG_FILE``, or the one at the new or old path."""
        if venv is not None:
            return Location(venv / "pip.conf", str(venv / "pip.conf"), listed_when_unset=True)
        chosen = os.environ.get("PIP_CONFIG_FILE")
        if chosen and chosen != os.devnull:
            path = Path(chosen)
        else:
            path = config_files.user_config_dir() / "pip" / "pip.conf"
            if not path.exists():
                path = Path.home() / ".pip" / "pip.conf"
        return Location(path, config_files.path_label(path), listed_when_unset=True)

    def status(self, path: Path) -> str | None:
        """Return the index of ``pip install``: ``[install]`` takes precedence over ``[global]``."""
        text = ini.load_ini(path, PIP_DIALECT).text
        return ini.get_option(text, PIP_DIALECT, "install", "index-url") or ini.get_option(
            text, PIP_DIALECT, "global", "index-url"
        )

    def plan(self, path: Path, target: Target) -> Edit:
        """Set the index; settings in ``[install]`` and other commands of pip stay as they are."""
        from wheelgate_pipconfig import ini_edit

        source = ini.load_ini(path, PIP_DIALECT)
        text = ini_edit.with_option(
            source.text, PIP_DIALECT, "global", "index-url", urls.checked_url(target.simple_url)
        )
        host = urlsplit(target.simple_url).hostname
        if host and target.trusted_host is not None:
            change = ini_edit.with_word if target.trusted_host else ini_edit.without_word
            text = change(text, PIP_DIALECT, "global", "trusted-host", host)
        text = ini_edit.with_option(text, PIP_DIALECT, "search", "index", urls.checked_url(target.index_url))
        return source.edit(text, has_secret=any(map(urls.has_credential, (target.simple_url, target.index_url))))

    def plan_removal(self, path: Path, server_url: str) -> Edit:
        """Remove the index, and the trust in its host."""
        from wheelgate_pipconfig import ini_edit

        source = ini.load_ini(path, PIP_DIALECT)
        text = source.text
        if urls.points_at(ini.get_option(text, PIP_DIALECT, "global", "index-url"), server_url):
            text = ini_edit.without_word(
                text, PIP_DIALECT, "global", "trusted-host", urlsplit(server_url).hostname or ""
            )
            text = ini_edit.without_option(text, PIP_DIALECT, "global", "index-url")
        if urls.points_at(ini.get_option(text, PIP_DIALECT, "search", "index"), server_url):
            text = ini_edit.without_option(text, PIP_DIALECT, "search", "index")
        return source.edit(text)
