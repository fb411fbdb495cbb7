"""Walks over the bases of indices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from wheelgate.values import Index

FindIndex = Callable[[str], Index | None]
"""Returns the index ``owner/name``, or None if there is none."""


def depth_first(index: Index, find: FindIndex) -> Iterator[Index]:
    """Yield an index and all indices that it inherits from, depth-first and each once."""
    waiting, seen = [index], set()
    while waiting:
        current = waiting.pop()
        if current.path not in seen:
            seen.add(current.path)
            yield current
            bases = [find(path) for path in current.config.get("bases", ())]
            waiting += [base for base in reversed(bases) if base is not None]


def find_inheritance_cycle(path: str, bases: Sequence[str], find: FindIndex) -> list[str]:
    """Return the paths that lead from an index through these bases back to itself, both ends included.

    The list is empty if there is no cycle.
    """
    routes, seen = [[path, base] for base in reversed(bases)], set()
    while routes:
        route = routes.pop()
        if route[-1] == path:
            return route
        index = None if route[-1] in seen else find(route[-1])
        seen.add(route[-1])
        if index is not None:
            routes += [[*route, base] for base in reversed(index.config.get("bases", ()))]
    return []
