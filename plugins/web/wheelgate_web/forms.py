"""Forms: their fields, and where a form leads after it has done its work."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from wheelgate.providers import RouteRequest, RouteResponse
from wheelgate_web.rendering import root_of

LOCAL_ADDRESS = re.compile(
    r"/(?:(?!//)[^\\\x00-\x20\x7f?#/](?:(?!//)[^\\\x00-\x20\x7f?#])*)?(?:\?[^\\\x00-\x20\x7f#]*)?"
)
"""An address on this server: one slash, no second one beside it, no backslash and no control character."""
UNQUOTED_IN_LOCATION = "/+!@,=~:?&%"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form."""

    name: str
    label: str
    kind: str = "text"
    """``text``, ``email``, ``number``, ``password``, ``area`` or ``check``."""
    value: str = ""
    hint: str = ""
    autocomplete: str = "off"
    required: bool = False


def local_address(given: str) -> str:
    """Return an address that a form may lead to; the overview in place of anything but a path of this server."""
    return given if LOCAL_ADDRESS.fullmatch(given) else "/"


def redirect(
    request: RouteRequest, address: str, done: str = "", headers: Mapping[str, str] | None = None
) -> RouteResponse:
    """Lead the browser to a page, which says what was done.

    Args:
        request: the request.
        address: the address on this server, without the path of the outside URL.
        done: the name of the sentence in :data:`wheelgate_web.notices.NOTICES`.
        headers: further headers.
    """
    location = root_of(request) + quote(address, UNQUOTED_IN_LOCATION)
    if done:
        location += f"{'&' if '?' in location else '?'}done={done}"
    return RouteResponse(
        status=303,
        media_type="text/plain; charset=utf-8",
        headers={"cache-control": "no-store", **(headers or {}), "location": location},
    )
