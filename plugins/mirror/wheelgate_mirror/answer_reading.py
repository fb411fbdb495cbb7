"""Reads the answers of upstreams: a project's page or the list of projects, in JSON or HTML, as they are stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from wheelgate.errors import BadUpstream
from wheelgate_mirror.page_parsing import EmptyPageError, UnusableError, parse_html_page, parse_json_page
from wheelgate_mirror.pages import pack_page
from wheelgate_mirror.project_list import pack_names, parse_html_list, parse_json_list
from wheelgate_mirror.upstream import UpstreamResponse

T = TypeVar("T")

JSON_MEDIA_TYPES = frozenset(
    {"application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.latest+json", "application/json"}
)
"""Media types that are parsed as JSON (PEP 691)."""
HTML_MEDIA_TYPES = frozenset(
    {
        "application/vnd.pypi.simple.v1+html",
        "application/vnd.pypi.simple.latest+html",
        "text/html",
        "application/xhtml+xml",
    }
)
"""Media types that are parsed as HTML (PEP 503)."""
VAGUE_MEDIA_TYPES = frozenset(
    {"", "text/plain", "binary/octet-stream", "application/octet-stream", "text/xml", "application/xml"}
)
"""Media types of web servers and object stores that do not know what they send: the first character tells."""
FIRST_CHARACTER = re.compile(rb"(?:\xef\xbb\xbf)?\s*(.)")
"""The first character after a byte order mark and blanks."""
MAX_JSON_PAGE_BYTES = 64 << 20
"""The largest page of a project in JSON."""
MAX_HTML_PAGE_BYTES = 16 << 20
"""The largest page of a project in HTML."""
MAX_LIST_BYTES = 128 << 20
"""The largest list of projects, in JSON or HTML."""


def read_page(response: UpstreamResponse, name: str) -> tuple[str, bytes] | None:
    """Read a project's page; return its status and its stored form, or None if it says that there is no project.

    Raises:
        BadUpstream: the answer is not the page of the project.
    """
    with _unusable_as_bad_upstream(response, f"the page of '{name}'"):
        try:
            page = _parse(
                response,
                (MAX_JSON_PAGE_BYTES, MAX_HTML_PAGE_BYTES),
                lambda body: parse_json_page(name, body, response.url),
                lambda body: parse_html_page(name, body, response.url, response.charset),
            )
        except EmptyPageError:
            return None
    return page.status, pack_page(page)


def read_list(response: UpstreamResponse) -> bytes:
    """Read the list of all projects; return its stored form.

    Raises:
        BadUpstream: the answer is not a list of projects.
    """
    with _unusable_as_bad_upstream(response, "the list of its projects"):
        return _parse(
            response,
            (MAX_LIST_BYTES, MAX_LIST_BYTES),
            lambda body: pack_names(parse_json_list(body)),
            lambda body: pack_names(parse_html_list(body, response.url, response.charset)),
        )


def _parse(
    response: UpstreamResponse,
    max_bytes: tuple[int, int],
    from_json: Callable[[bytearray], T],
    from_html: Callable[[bytearray], T],
) -> T:
    """Parse the body of a response in its media type; ``max_bytes`` is for JSON and for HTML."""
    if response.media_type in JSON_MEDIA_TYPES:
        return from_json(response.body(max_bytes[0]))
    if response.media_type in HTML_MEDIA_TYPES:
        return from_html(response.body(max_bytes[1]))
    if response.media_type in VAGUE_MEDIA_TYPES:
        body = response.body(max_bytes[1])
        first = FIRST_CHARACTER.match(body)
        parse = {b"{": from_json, b"<": from_html}.get(first[1]) if first is not None else None
        if parse is not None:
            return parse(body)
    raise UnusableError("it is neither HTML nor JSON")


@contextmanager
def _unusable_as_bad_upstream(response: UpstreamResponse, what: str) -> Iterator[None]:
    """Turn the errors of the parsers into ``BadUpstream``."""
    try:
        yield
    except (ValueError, LookupError) as error:
        why = str(error) if isinstance(error, UnusableError) else "it cannot be parsed"
        raise BadUpstream(f"'{response.host}' sends something else than {what}: {why}") from error
