"""The links and the declarations on an HTML page of an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from wheelgate_mirror.html_tokens import Tag, html_tokens

MAX_LINK_TEXT_CHARS = 1000
"""Characters of a link's text that are kept."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link."""

    url: str
    """Absolute, with its fragment."""
    attributes: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """A ``<meta>`` element with a name."""

    name: str
    content: str


def html_links(text: str, url: str) -> Iterator[Link | Declaration]:
    """Yield the links and declarations of a page from ``url``, in their order, without links that are no URLs."""
    base, base_found = url, False
    opened: Mapping[str, str] | None = None
    inside = ""
    for token in html_tokens(text):
        if isinstance(token, str):
            inside += token[: MAX_LINK_TEXT_CHARS - len(inside)] if opened is not None else ""
            continue
        if token.name == "a" and opened is not None:  # a link ends where the next one begins
            yield from _link(base, opened, inside)
            opened = None
        if token.closing:
            continue
        match token:
            case Tag("a", _, {"href": _}):
                opened, inside = token.attributes, ""
            case Tag("base", _, {"href": address}) if not base_found:
                base, base_found = _joined(url, address) or url, True
            case Tag("meta", _, {"name": name}):
                yield Declaration(name, token.attributes.get("content", ""))
    if opened is not None:
        yield from _link(base, opened, inside)


def _link(base: str, attributes: Mapping[str, str], text: str) -> Iterator[Link]:
    if url := _joined(base, attributes["href"].strip()):
        yield Link(url, attributes, text.strip())


def _joined(base: str, address: str) -> str:
    """Return the absolute URL of an address; empty if it is none."""
    try:
        return urljoin(base, address)
    except ValueError:
        return ""
