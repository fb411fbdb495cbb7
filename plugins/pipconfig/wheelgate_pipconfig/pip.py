"""The writer of ``pip.conf``."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from wheelgate_client.hookspecs import Edit, Location, Target
from wheelgate_pipconfig import config_files as files
from wheelgate_pipconfig import ini, urls

PIP = ini.Dialect("pip", lambda name: name.lower().replace("_", "-").removeprefix("--"))


class PipWriter:
    """Points pip at an index by ``[global] index-url``, and the old ``pip search`` by ``[search] index``."""

    name = "pip"

    def location(self, venv: Path | None) -> Location:
        """Name the file with the last word: ``PIP_CONFIG_FILE``, or the new place if it is in use, or the old one."""
        if venv is not None:
            return Location(venv / "pip.conf", str(venv / "pip.conf"), shown=True)
        chosen = os.environ.get("PIP_CONFIG_FILE")
        if chosen and chosen != os.devnull:
            path = Path(chosen)
        else:
            path = files.user_config_dir() / "pip" / "pip.conf"
            if not path.exists():
                path = Path.home() / ".pip" / "pip.conf"
        return Location(path, files.label(path), shown=True)

    def read(self, path: Path) -> str | None:
        """Return the index of ``pip install``: what ``[install]`` says goes before ``[global]``."""
        text = ini.load(path, PIP).text
        return ini.option(text, PIP, "install", "index-url") or ini.option(text, PIP, "global", "index-url")

    def plan(self, path: Path, target: Target) -> Edit:
        """Set the index; a setting that ``[install]`` or another command has for itself stays the user's."""
        from wheelgate_pipconfig import ini_edit

        source = ini.load(path, PIP)
        text = ini_edit.with_option(source.text, PIP, "global", "index-url", urls.checked(target.simple_url))
        host = urlsplit(target.simple_url).hostname
        if host and target.trusted_host is not None:
            change = ini_edit.with_word if target.trusted_host else ini_edit.without_word
            text = change(text, PIP, "global", "trusted-host", host)
        text = ini_edit.with_option(text, PIP, "search", "index", urls.checked(target.index_url))
        return source.edit(text, has_secret=any(map(urls.has_credential, (target.simple_url, target.index_url))))

    def unplan(self, path: Path, server_url: str) -> Edit:
        """Take out the index, and with it the trust in its host."""
        from wheelgate_pipconfig import ini_edit

        source = ini.load(path, PIP)
        text = source.text
        if urls.points_at(ini.option(text, PIP, "global", "index-url"), server_url):
            text = ini_edit.without_word(text, PIP, "global", "trusted-host", urlsplit(server_url).hostname or "")
            text = ini_edit.without_option(text, PIP, "global", "index-url")
        if urls.points_at(ini.option(text, PIP, "search", "index"), server_url):
            text = ini_edit.without_option(text, PIP, "search", "index")
        return source.edit(text)
