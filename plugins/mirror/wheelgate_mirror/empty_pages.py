"""Tells the page of an index that has nothing to list from an HTML page that is none of an index.

Some indices send one for a project that they do not have, or have no more. A login form, a welcome page or a notice
about maintenance must not count as one: the mirror would drop what it has stored.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from wheelgate.packages import normalize
from wheelgate_mirror.html_tokens import Tag, html_tokens

MAX_EMPTY_PAGE_CHARS = 64 << 10
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


def is_empty_index(text: str, url: str, project: str = "") -> bool:
    """Return whether an HTML page from ``url`` is that of an index, or of a folder, in which there is nothing.

    All its links lead to itself or to a folder above it, and its only text is a title.

    Args:
        text: the page.
        url: its URL after redirects.
        project: the normalised name of the project; empty for the list of all projects.
    """
    if len(text) > MAX_EMPTY_PAGE_CHARS:
        return False
    page = urlsplit(url)
    names = {"", project, normalize(_last_segment(page.path))}
    is_html, inside = False, ""
    for token in html_tokens(text):
        if isinstance(token, Tag):
            if _has_content(token, url):
                return False
            is_html |= token.name in STRUCTURE_TAGS
            inside = "" if token.closing else token.name
        elif inside not in ("a", "style"):
            words = " ".join(token.lower().split())
            if words and normalize(_last_segment(HEADING.sub("", words, count=1))) not in names:
                return False
    return is_html


def _has_content(tag: Tag, url: str) -> bool:
    """Return whether a tag is one that the page of an empty index does not have."""
    if tag.closing:
        return False
    if tag.name == "a":
        return not _leads_up(url, tag.attributes.get("href", ""))
    return tag.name in ACTIVE_TAGS or (tag.name == "meta" and "http-equiv" in tag.attributes)


def _leads_up(url: str, address: str) -> bool:
    target, page = urlsplit(urljoin(url, address)), urlsplit(url)
    return target.netloc == page.netloc and page.path.startswith(target.path) and target.path.endswith("/")


def _last_segment(path: str) -> str:
    return path.strip().rstrip("/").rpartition("/")[2]
