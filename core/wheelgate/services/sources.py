"""The way from the event loop to where packages come from: on the loop where that is instant, else in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from wheelgate.fields import IndexType
from wheelgate.packages import PackageSource
from wheelgate.threads.pool import Pool
from wheelgate.values import Index

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 16
"""For each type of index: as many of its slow upstreams may keep silent before a cached page of it has to wait."""


class Sources:
    """The package sources of all index types; each has threads of its own, so that a slow one slows only itself."""

    def __init__(self, types: Iterable[IndexType]) -> None:
        self._types = {kind.name: kind for kind in types}
        self._pools = {kind.name: Pool(f"packages-{kind.name}", THREADS) for kind in self._types.values()}

    def of(self, index: Index) -> PackageSource | None:
        """Return where the packages of an index come from; None if it holds none, or its plugin is gone."""
        kind = self._types.get(index.type)
        return kind.packages if kind is not None else None

    async def ask(self, index: Index, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method of an index's source that its ``instant`` is about."""
        source = self.of(index)
        if source is not None and source.instant:
            return function(*args, **kwargs)
        return await self.wait(index, function, *args, **kwargs)

    async def wait(self, index: Index, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that may take long in the threads of an index's type."""
        return await self._pools[index.type].run(function, *args, **kwargs)

    def close(self) -> None:
        """Wait for what is under way and end the threads."""
        for pool in self._pools.values():
            pool.close()
