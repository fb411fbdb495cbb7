"""Reads the password for ``devpi login`` from the section of ``~/.pypirc`` whose repository is on the server."""

from configparser import Error, RawConfigParser
from pathlib import Path
from urllib.parse import urlsplit

from wheelgate_client.hookspecs import hookimpl


@hookimpl
def wheelgate_client_get_password(url: str, username: str) -> str | None:
    parser = RawConfigParser()
    try:
        parser.read(Path.home() / ".pypirc", encoding="utf-8")
    except (Error, OSError, UnicodeDecodeError):
        return None
    for name in parser.sections():
        section = parser[name]
        same = urlsplit(section.get("repository", ""))[:2] == urlsplit(url)[:2]
        if same and section.get("username") == username and section.get("password"):
            return section["password"]
    return None
