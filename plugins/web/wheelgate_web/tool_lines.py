"""The lines that point a tool at an index, to be copied."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from wheelgate.server_view import IndexView
from wheelgate_web.text_filters import address

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts for which pip does not ask for https."""


@dataclass(frozen=True, slots=True)
class ToolLines:
    """Lines to copy."""

    id: str
    """Names the element that holds the lines."""
    button: str
    """What the button copies: ``Copy {button}``."""
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ToolGroup:
    """Lines for one tool, or one purpose."""

    title: str
    lines: tuple[ToolLines, ...]


def tool_lines(index: IndexView, base_url: str, user: str) -> list[tuple[str, list[ToolGroup]]]:
    """Return the lines by purpose, for the server's outside address; a user name may be written into them."""
    url = f"{base_url}/{address(index.path)}"
    simple = f"{url}/+simple/"
    host = urlsplit(base_url).netloc
    # pip asks for https; without it, it must be told that the host is trusted.
    plain = base_url.startswith("http://") and urlsplit(base_url).hostname not in LOCAL_HOSTS
    name = re.sub(r"[^a-z0-9-]+", "-", index.path.lower()).strip("-") or "wheelgate"
    found = [("Install", installing(simple, url, name, host if plain else ""))]
    if not index.mirror:
        found.append(("Publish", publishing(url, name, user)))
    if index.config.get("acl_read") is not None:
        netloc = urlsplit(base_url).hostname or ""
        text = f"machine {netloc}\nlogin {user}\npassword API-TOKEN"
        found.append(("Log in", [ToolGroup(".netrc", (ToolLines("use-netrc", ".netrc", text),))]))
    return found


def installing(simple: str, url: str, name: str, trusted: str) -> list[ToolGroup]:
    """Return the lines for tools that install."""
    option, setting = (f" --trusted-host {trusted}", f"\ntrusted-host = {trusted}") if trusted else ("", "")
    return [
        ToolGroup(
            "pip",
            (
                ToolLines("use-pip", "pip", f"pip install --index-url {simple}{option} PROJECT"),
                ToolLines("use-pip-conf", "pip.conf", f"[global]\nindex-url = {simple}{setting}"),
            ),
        ),
        ToolGroup(
            "uv",
            (
                ToolLines(
                    "use-uv",
                    "uv",
                    f'[[index]]\nname = "{name}"\nurl = "{simple}"\ndefault = true',
                    "In uv.toml; in pyproject.toml the table is [[tool.uv.index]].",
                ),
            ),
        ),
        ToolGroup(
            "Poetry", (ToolLines("use-poetry", "Poetry", f"poetry source add --priority=primary {name} {simple}"),)
        ),
        ToolGroup(
            "PDM",
            (ToolLines("use-pdm", "PDM", f'[[tool.pdm.source]]\nname = "pypi"\nurl = "{simple}"\nverify_ssl = true'),),
        ),
        ToolGroup("devpi", (ToolLines("use-devpi", "devpi", f"devpi use {url}"),)),
    ]


def publishing(url: str, name: str, user: str) -> list[ToolGroup]:
    """Return the lines for tools that upload."""
    pypirc = f"[distutils]\nindex-servers = {name}\n\n[{name}]\nrepository = {url}/\nusername = {user}"
    return [
        ToolGroup("twine", (ToolLines("use-twine", "twine", f"twine upload --repository-url {url}/ dist/*"),)),
        ToolGroup("uv publish", (ToolLines("use-uv-publish", "uv publish", f"uv publish --publish-url {url}/"),)),
        ToolGroup(".pypirc", (ToolLines("use-pypirc", ".pypirc", pypirc),)),
        ToolGroup("devpi upload", (ToolLines("use-devpi-upload", "devpi upload", f"devpi use {url}\ndevpi upload"),)),
    ]
