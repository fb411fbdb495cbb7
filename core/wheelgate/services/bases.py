"""Walks over the bases of indices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from wheelgate.values import Index

Find = Callable[[str], Index | None]
"""Returns the index of a path, None if there is none."""


def depth_first(index: Index, find: Find) -> Iterator[Index]:
    """Give an index and its bases, each with its own bases before the next one, and none twice."""
    waiting, seen = [index], set()
    while waiting:
        found = waiting.pop()
        if found.path not in seen:
            seen.add(found.path)
            yield found
            bases = [find(path) for path in found.config.get("bases", ())]
            waiting += [base for base in reversed(bases) if base is not None]


def circle(path: str, bases: Sequence[str], find: Find) -> list[str]:
    """Return the way from an index through these bases back to itself, both ends included; empty if there is none."""
    ways, seen = [[path, base] for base in reversed(bases)], set()
    while ways:
        way = ways.pop()
        if way[-1] == path:
            return way
        index = None if way[-1] in seen else find(way[-1])
        seen.add(way[-1])
        if index is not None:
            ways += [[*way, base] for base in reversed(index.config.get("bases", ()))]
    return []
