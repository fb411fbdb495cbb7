"""The style sheet, the script and the icon: one file each, read once."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from pathlib import Path

from wheelgate.providers import Route, RouteRequest, RouteResponse

ASSETS = Path(__file__).parent / "assets"
HASH_CHARS = 16
"""Hexadecimal digits of a hash in the address of a file, which so never changes its content."""
KEPT_FOR_EVER = "public, max-age=31536000, immutable"


class Assets:
    """The files that pages name, and the policy that lets browsers use them."""

    def __init__(self) -> None:
        style = (ASSETS / "style.css").read_bytes()
        self.style = style.decode()
        """The style sheet, which every page contains: it costs no second round trip."""
        self.style_hash = f"sha256-{b64encode(hashlib.sha256(style).digest()).decode()}"
        self._files = {
            address: (content, media_type)
            for address, content, media_type in (
                named("script.js", "text/javascript; charset=utf-8"),
                named("icon.svg", "image/svg+xml"),
            )
        }
        self.script, self.icon = (f"/+x/web{address}" for address in self._files)

    def routes(self) -> list[Route]:
        """Return the routes of the files; a server that asks for a login leaves them open for its login page."""
        return [
            Route("GET", address, self._send, public=True, open=True, summary="A file of the web pages")
            for address in self._files
        ]

    def _send(self, request: RouteRequest) -> RouteResponse:
        content, media_type = self._files[request.request.path.removeprefix("/+x/web").rstrip("/")]
        return RouteResponse(body=content, media_type=media_type, headers={"cache-control": KEPT_FOR_EVER})


def named(name: str, media_type: str) -> tuple[str, bytes, str]:
    """Return the address of a file, which contains its hash, with its content and type."""
    content = (ASSETS / name).read_bytes()
    stem, _, suffix = name.rpartition(".")
    return f"/{stem}-{hashlib.sha256(content).hexdigest()[:HASH_CHARS]}.{suffix}", content, media_type
