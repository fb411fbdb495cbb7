"""The HTML of a description, made safe and fit for a page: what nh3 leaves, rewritten element by element.

It runs in the child process and imports nothing of the server.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from html.parser import HTMLParser

import nh3
from pygments.token import STANDARD_TYPES

TEXT_TAGS = {
    "abbr",
    "b",
    "cite",
    "code",
    "del",
    "em",
    "i",
    "kbd",
    "s",
    "span",
    "strong",
    "sub",
    "sup",
    "tt",
    "u",
    "var",
}
BLOCK_TAGS = {"blockquote", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ol", "p", "pre", "ul"}
TABLE_TAGS = {"caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr"}
TAGS = TEXT_TAGS | BLOCK_TAGS | TABLE_TAGS | {"a", "br", "hr", "img"}
"""Elements that may stay, and pictures, which become links."""
ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "span": {"class"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
SCHEMES = {"http", "https", "mailto"}
CLASSES = frozenset(STANDARD_TYPES.values()) - {""}
"""The classes that Pygments gives to parts of code."""
HEADINGS = {"h1": 2, "h2": 3, "h3": 4, "h4": 5, "h5": 6, "h6": 6}
"""The level of each heading below the page's own."""
FIRST_HEADING_LEVEL = 2
VOID = frozenset({"br", "hr"})
PARENTS = {"li": {"ul", "ol"}, "dt": {"dl"}, "dd": {"dl"}}
"""Elements that mean nothing elsewhere; there they become a ``div``."""
DROPPED_IF_EMPTY = frozenset({"a", "h1", "h2", "h3", "h4", "h5", "h6"})
MAX_SPAN = 20
"""Columns or rows that a cell may take."""
MAX_NUMBER_DIGITS = 4
MAX_DEPTH = 200
"""Elements within each other."""
MAX_HTML_CHARS = 2_000_000


class TooComplexError(ValueError):
    """Raised when the HTML is too long, or nested too deeply."""


def safe_html(html: str) -> str:
    """Return HTML that may stand in a page.

    Raises:
        ValueError: it is too long, or nested too deeply.
    """
    cleaned = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel=None,
        clean_content_tags={"script", "style", "svg", "math", "template", "iframe", "noscript", "textarea", "title"},
    )
    rewriter = Rewriter()
    rewriter.feed(cleaned)
    rewriter.close()
    return rewriter.result()


class Element:
    """An element that is not closed yet."""

    def __init__(self, tag: str, opening: str, closing: str) -> None:
        self.tag = tag
        self.opening = opening
        self.closing = closing
        self.parts: list[str] = []
        self.has_text = False


class Rewriter(HTMLParser):
    """Rewrites balanced HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._stack = [Element("", "", "")]
        self._level = FIRST_HEADING_LEVEL
        self._length = 0

    def result(self) -> str:
        """Return the new HTML."""
        while len(self._stack) > 1:
            self._close()
        return "".join(self._stack[0].parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        given = {name: value or "" for name, value in attrs}
        if tag == "img":
            self._add_picture(given)
            return
        if tag in VOID:
            self._write(f"<{tag}>")
            return
        if len(self._stack) > MAX_DEPTH:
            raise TooComplexError("nested too deeply")
        opening, closing = self._tags(tag, given)
        self._stack.append(Element(tag, opening, closing))

    def handle_endtag(self, tag: str) -> None:
        """Close an element; nh3 leaves no end without a beginning."""
        if tag not in VOID and len(self._stack) > 1:
            self._close()

    def handle_data(self, data: str) -> None:
        """Write text."""
        self._write(escape(data, quote=False))
        if data.strip():
            self._stack[-1].has_text = True

    def _tags(self, tag: str, given: dict[str, str]) -> tuple[str, str]:
        if tag == "a":
            link = None if self._is_within("a") else absolute_link(given.get("href", ""))
            return (f"<a{attributes(link, given, ('title',))}>", "</a>") if link else ("", "")
        if tag in HEADINGS:
            # A level that skips one would be read as a missing heading.
            self._level = max(min(HEADINGS[tag], self._level + 1), FIRST_HEADING_LEVEL)
            return f"<h{self._level}>", f"</h{self._level}>"
        if tag == "span":
            names = " ".join(name for name in given.get("class", "").split() if name in CLASSES)
            return (f'<span class="{names}">' if names else "<span>"), "</span>"
        if tag == "pre":
            return '<pre tabindex="0">', "</pre>"
        if tag == "table":
            return '<div class="scroll" tabindex="0"><table>', "</table></div>"
        if tag in ("td", "th"):
            return f"<{tag}{spans(given)}{self._scope(tag)}>", f"</{tag}>"
        if tag in PARENTS and self._stack[-1].tag not in PARENTS[tag]:
            return "<div>", "</div>"
        if tag == "ol" and given.get("start", "").isdecimal() and len(given["start"]) < 6:
            return f'<ol start="{given["start"]}">', "</ol>"
        return f"<{tag}{attributes('', given, ('title',) if tag == 'abbr' else ())}>", f"</{tag}>"

    def _scope(self, tag: str) -> str:
        if tag != "th":
            return ""
        return ' scope="col"' if self._is_within("thead") else ' scope="row"'

    def _is_within(self, tag: str) -> bool:
        return any(element.tag == tag and element.opening for element in self._stack)

    def _add_picture(self, given: dict[str, str]) -> None:
        """Write a link to a picture, with its text: no page asks another host for anything."""
        text = given.get("alt", "").strip()
        link = None if self._is_within("a") else absolute_link(given.get("src", ""))
        if link and link.startswith("http"):
            self._write(f"<a{attributes(link, {}, ())}>{escape(text or 'picture', quote=False)}</a>")
        else:
            self._write(escape(text or ("picture" if self._is_within("a") else ""), quote=False))
        self._stack[-1].has_text = True

    def _close(self) -> None:
        element = self._stack.pop()
        parent = self._stack[-1]
        parent.has_text = parent.has_text or element.has_text
        opening, closing = element.opening, element.closing
        if element.tag in DROPPED_IF_EMPTY and not element.has_text:
            opening = closing = ""
        if element.tag == "th" and not element.has_text:
            opening, closing = "<td>", "</td>"
        parent.parts += [opening, *element.parts, closing]

    def _write(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_HTML_CHARS:
            raise TooComplexError("too long")
        self._stack[-1].parts.append(text)


def absolute_link(url: str) -> str | None:
    """Return an address that leads out of the page; None for relative ones, which would lead to nothing here."""
    stripped = url.strip()
    return stripped if stripped.lower().startswith(("http://", "https://", "mailto:")) else None


def attributes(link: str | None, given: dict[str, str], names: Iterable[str]) -> str:
    """Return attributes: those of a link, and others as they were given."""
    text = f' href="{escape(link)}" rel="nofollow noopener"' if link else ""
    return text + "".join(f' {name}="{escape(given[name])}"' for name in names if given.get(name))


def spans(given: dict[str, str]) -> str:
    """Return how many columns and rows a cell takes."""
    counts = [(name, small_number(given.get(name, ""))) for name in ("colspan", "rowspan")]
    return "".join(f' {name}="{count}"' for name, count in counts if 1 < count <= MAX_SPAN)


def small_number(text: str) -> int:
    """Return a number below 10,000; 0 if the text is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_NUMBER_DIGITS else 0
