"""Walks over the bases of indices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from wheelgate.values import Index

Route = tuple[str, "Route | None"]
"""The path of an index, and the route that leads to it."""
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
    # A route is its last path and the route before it: a copy of each route would take memory with the square.
    routes: list[Route] = [(base, None) for base in reversed(bases)]
    seen = set()
    while routes:
        route = routes.pop()
        if route[0] == path:
            return [path, *_paths(route)]
        index = None if route[0] in seen else find(route[0])
        seen.add(route[0])
        if index is not None:
            routes += [(base, route) for base in reversed(index.config.get("bases", ()))]
    return []


def _paths(route: Route | None) -> list[str]:
    """Return the paths of a route from its beginning."""
    paths = []
    while route is not None:
        last, route = route
        paths.append(last)
    return paths[::-1]
