"""Tells the page of an index that has nothing to list from an HTML page that is none of an index.

Some indices send one for a project that they do not have, or have no more. A login form, a welcome page or a notice
about maintenance must not count as one: the mirror would drop what it has stored.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from wheelgate.packages import normalize

MAX_EMPTY_PAGE_BYTES = 64 << 10
"""The largest page that may count as empty."""
STRUCTURE_TAGS = frozenset({"html", "head", "body", "title"})
"""A page has at least one of these. A body that was cut off, or is not HTML, has none."""
ACTIVE_TAGS = frozenset({"form", "input", "button", "script", "iframe", "frame", "object", "embed", "img", "svg"})
"""Elements of pages for people; the page of an index needs none of them."""
HEADING = re.compile(
    r"(?:(?:python|simple|private|package|project|directory) )*"
    r"(?:links?|index|listing|files|packages|projects|releases|versions|repository)?(?: ?(?:for|of|in)\b)?[ :]*"
)
"""What comes before the project, or the folder, in the title of its page; in lower case."""


def is_empty_index(body: bytes | bytearray, url: str, charset: str | None, project: str = "") -> bool:
    """Return whether an HTML page from ``url`` is that of an index, or of a folder, in which there is nothing.

    All its links lead to itself or to a folder above it, and its only text is a title.

    Args:
        body: the page.
        url: its URL after redirects.
        charset: its charset if the header names one.
        project: the normalised name of the project; empty for the list of all projects.
    """
    if len(body) > MAX_EMPTY_PAGE_BYTES:
        return False
    parser = _Page(url)
    parser.feed(body.decode(charset or "utf-8-sig", "replace"))
    parser.close()
    if not parser.is_html or parser.has_more:
        return False
    names = {"", project, normalize(_last_segment(urlsplit(url).path))}
    return all(normalize(_last_segment(HEADING.sub("", text, count=1))) in names for text in parser.texts)


class _Page(HTMLParser):
    """What tells the page of an index from others."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.is_html = False
        self.has_more = False
        """Whether there is an element, or a link, that an empty index does not have."""
        self.texts: list[str] = []
        """Texts outside of links, in lower case and with single blanks."""
        self._url = url
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.is_html |= tag in STRUCTURE_TAGS
        self.has_more |= tag in ACTIVE_TAGS or (tag == "meta" and "http-equiv" in values)
        self.has_more |= tag == "a" and not self._leads_up(values.get("href") or "")
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        text = " ".join(data.lower().split())
        if text and self._inside not in ("a", "style"):
            self.texts.append(text)

    def _leads_up(self, address: str) -> bool:
        target, page = urlsplit(urljoin(self._url, address)), urlsplit(self._url)
        return target.netloc == page.netloc and page.path.startswith(target.path) and target.path.endswith("/")


def _last_segment(path: str) -> str:
    return path.strip().rstrip("/").rpartition("/")[2]
