"""Blocks: what plugins add to the pages of another plugin. They are values, and whoever renders them escapes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

PLACES = ("overview", "user", "index", "project", "version", "administration")
"""The pages that blocks can be on."""
MAX_BLOCK_ROWS = 100
MAX_BLOCK_TEXT_CHARS = 2000
"""Characters of each text of a block."""
ALLOWED_HREF = re.compile(r"https?://[^\s\\]+|mailto:[^\s]+|/(?![/\\])[^\s\\]*")
"""An address on the web, an e-mail address, or a path of this server."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a block."""

    label: str
    """What the line is about; empty for none."""
    text: str
    href: str = ""
    """Where the text leads: ``https://…``, ``http://…``, ``mailto:…``, or a path of this server that begins with one
    slash; empty for no link."""

    def __post_init__(self) -> None:
        """Raise ``ValueError`` if a text is too long, or the link could run a script or lead anywhere."""
        _check_texts(self.label, self.text, self.href)
        if self.href and not ALLOWED_HREF.fullmatch(self.href):
            raise ValueError(f"a block cannot link to {self.href[:80]!a}; allowed are http, https, mailto and /path")


@dataclass(frozen=True, slots=True)
class Block:
    """A titled part of a page."""

    title: str
    rows: Sequence[Row] = ()
    note: str = ""
    """A sentence below the title; empty for none."""
    rank: int = 100
    """Blocks with a lower rank come first, then those whose title does."""

    def __post_init__(self) -> None:
        """Raise ``ValueError`` if the title is missing, a text is too long, or there are too many rows."""
        _check_texts(self.title, self.note)
        if not self.title.strip():
            raise ValueError("a block needs a title")
        if len(self.rows) > MAX_BLOCK_ROWS:
            raise ValueError(f"a block has at most {MAX_BLOCK_ROWS} rows, not {len(self.rows)}")


def _check_texts(*texts: str) -> None:
    for text in texts:
        if len(text) > MAX_BLOCK_TEXT_CHARS:
            raise ValueError(f"a text of a block has at most {MAX_BLOCK_TEXT_CHARS} characters, not {len(text)}")
