"""Fills the index of the search with many projects of one index; the environment of the server runs it.

``python search_stock.py FOLDER INDEX COUNT``. The projects themselves are not there: to upload as many would take an
hour, and a search reads nothing but its own index.
"""

from __future__ import annotations

import random
import sys

from wheelgate.commands.context import ServerContext
from wheelgate.config import resolve
from wheelgate.main import all_options, find_plugins
from wheelgate_web.search.entries import Entry
from wheelgate_web.search.tables import SearchTables

FREQUENT_WORDS = (
    "python",
    "django",
    "data",
    "client",
    "api",
    "tools",
    "weather",
    "library",
    "for",
    "the",
    "simple",
    "of",
)
SYLLABLES = (
    "ba",
    "co",
    "di",
    "fu",
    "ge",
    "ha",
    "ki",
    "lo",
    "mu",
    "ne",
    "po",
    "ra",
    "si",
    "to",
    "vu",
    "ther",
    "ing",
    "lib",
)
OTHER_WORDS = 3000
BATCH_PROJECTS = 500


def entries(index: str, count: int) -> list[Entry]:
    """Make projects whose words are as unequally frequent as in a language."""
    source = random.Random(1)
    words = [*FREQUENT_WORDS, *("".join(source.choices(SYLLABLES, k=source.randint(1, 3))) for _ in range(OTHER_WORDS))]
    weights = [1 / place for place in range(1, len(words) + 1)]
    names: dict[str, None] = {}
    while len(names) < count:
        parts = source.choices(words, weights, k=source.choice((1, 2, 2, 3, 3, 4)))
        names["-".join(parts) + source.choice(("", str(source.randint(1, 99))))] = None
    return [
        Entry(index, name, " ".join(source.choices(words, weights, k=9)), "", "1.0", "2026-01-01T00:00:00+00:00", ())
        for name in names
    ]


def main(folder: str, index: str, count: str) -> None:
    """Fill the index."""
    plugins = find_plugins([])
    context = ServerContext(plugins, lambda: resolve(all_options(plugins), {"serverdir": folder}, {}))
    made = entries(index, int(count))
    with context.open_server() as server:
        tables, stamp = SearchTables(server.database), server.packages.stamp(index)
        for start in range(0, len(made), BATCH_PROJECTS):
            with server.database.transaction(derived=True):
                for entry in made[start : start + BATCH_PROJECTS]:
                    tables.save(entry, "")
        with server.database.transaction(derived=True):
            tables.save_stamp(index, stamp)


if __name__ == "__main__":
    main(*sys.argv[1:])
