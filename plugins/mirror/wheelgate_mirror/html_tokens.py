"""Splits HTML into tags and texts in time that grows only with its size, whatever it contains.

``html.parser`` looks through the rest of a page again after each unfinished comment, and raises for some declarations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape

MAX_TAG_ATTRIBUTES = 50
"""Attributes of a tag that are kept; links of an index have fewer than ten."""
MARKUP = re.compile(r"<(?:(!--)|[!?]|(/?)([a-zA-Z][^\s/>]*+))")
"""The beginning of a comment, of a declaration, or of a tag."""
ATTRIBUTE = re.compile(
    r"""[\s/]*+(?:(>)|([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>"'][^\s>]*+)|(?=>)))?+)"""
)
"""The end of a tag, or a name with or without a value. It never goes back: an unclosed quote would make it slow."""
RAW_TEXT_ENDS = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes")
}
"""The ends of elements that contain text, and never tags."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag."""

    name: str
    """In lower case."""
    closing: bool
    attributes: Mapping[str, str]
    """Their values by lower-case name; the first of a name counts."""


def html_tokens(text: str) -> Iterator[Tag | str]:
    """Yield the tags of a page and the texts between them, without comments and declarations.

    A tag or comment that does not end takes the rest of the page with it, as in the HTML standard (section 13.2.5).
    """
    at = 0
    while markup := MARKUP.search(text, at):
        if markup.start() > at:
            yield unescape(text[at : markup.start()])
        comment, slash, name = markup.groups()
        if name:
            tag, at = _read_tag(text, markup.end(), name.lower(), closing=bool(slash))
            if tag is None:
                return
            yield tag
            if tag.name in RAW_TEXT_ENDS and not tag.closing and text[at - 2] != "/":
                end = RAW_TEXT_ENDS[tag.name].search(text, at)
                yield unescape(text[at : end.start() if end else None])
                at = end.start() if end else len(text)
        else:
            # The two hyphens of "<!-->" begin the comment and end it.
            end_mark, begin = ("-->", markup.end() - 2) if comment else (">", markup.end())
            at = text.find(end_mark, begin) + len(end_mark)
            if at < markup.end():
                return
    if at < len(text):
        yield unescape(text[at:])


def _read_tag(text: str, at: int, name: str, *, closing: bool) -> tuple[Tag | None, int]:
    """Return the tag whose name ends at a position, and the position after the tag; no tag if it does not end."""
    attributes: dict[str, str] = {}
    while found := ATTRIBUTE.match(text, at):
        at = found.end()
        if found[1]:
            return Tag(name, closing, attributes), at
        if len(attributes) < MAX_TAG_ATTRIBUTES:
            value = next((value for value in found.group(3, 4, 5) if value is not None), "")
            attributes.setdefault(found[2].lower(), unescape(value))
    return None, at
