"""Text as the search compares it: words in lower case, without accents, and names without separators."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MAX_QUERY_CHARS = 200
MAX_QUERY_WORDS = 10
MAX_WORD_CHARS = 64
"""Characters of a word that count; a longer one is cut, in the index and in queries alike."""
MAX_PART_CHARS = 16
"""Characters of a part of a name in the index. A longer query is looked up by its beginning, then compared in full."""
MIN_PART_CHARS = 2
"""Characters of the shortest part: a single letter is part of every other name."""

WORD = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """Return text in lower case and without accents: forms that look alike become the same (NFKD)."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def words_of(text: str) -> list[str]:
    """Return the words of a text. Everything but letters and digits separates them."""
    return [word[:MAX_WORD_CHARS] for word in WORD.findall(folded(text))]


def squeezed(name: str) -> str:
    """Return a name without separators, so that ``clock_tower``, ``Clock.Tower`` and ``clock tower`` are the same."""
    return "".join(WORD.findall(folded(name)))


def parts_of(name: str) -> Iterator[str]:
    """Yield the parts of a squeezed name, each once: one from each character but the first on."""
    ends = range(1, len(name) - MIN_PART_CHARS + 1)
    yield from dict.fromkeys(name[start : start + MAX_PART_CHARS] for start in ends)


def starts_of(name: str) -> Iterator[str]:
    """Yield the beginnings of a squeezed name, the shortest first."""
    yield from (name[:end] for end in range(1, min(len(name), MAX_PART_CHARS) + 1))


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody looks for."""

    text: str
    """As typed, cut to :data:`MAX_QUERY_CHARS`."""
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """The query as a squeezed name."""
        return "".join(self.words)


def parse_query(text: str) -> Query:
    """Return a query of at most ten words; it has none if the text has neither letters nor digits."""
    cut = " ".join(text[:MAX_QUERY_CHARS].split())
    return Query(cut, tuple(dict.fromkeys(words_of(cut)[:MAX_QUERY_WORDS])))
