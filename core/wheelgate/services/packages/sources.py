"""Calls of package sources from the event loop: on the loop if the source is instant, else in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from wheelgate.fields import IndexType
from wheelgate.packages import PackageSource
from wheelgate.threads.pool import ThreadPool
from wheelgate.values import Index

P = ParamSpec("P")
T = TypeVar("T")

THREADS_PER_TYPE = 16
"""Threads of one index type. If as many upstreams keep silent, even its cached pages have to wait."""


class Sources:
    """The package sources of all index types; each has its own threads, so a slow one slows only itself."""

    def __init__(self, types: Iterable[IndexType]) -> None:
        self._types = {index_type.name: index_type for index_type in types}
        self._pools = {name: ThreadPool(f"packages-{name}", THREADS_PER_TYPE) for name in self._types}

    def of(self, index: Index) -> PackageSource | None:
        """Return the package source of an index; None if it has none, or its plugin is not installed any more."""
        index_type = self._types.get(index.type)
        return index_type.packages if index_type is not None else None

    async def call(self, index: Index, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method of an index's source that may run on the event loop if the source is ``instant``."""
        source = self.of(index)
        if source is not None and source.instant:
            return method(*args, **kwargs)
        return await self.run_in_thread(index, method, *args, **kwargs)

    async def run_in_thread(self, index: Index, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that may be slow in the threads of an index's type."""
        return await self._pools[index.type].run(function, *args, **kwargs)

    def close(self) -> None:
        """Wait for running calls and end the threads."""
        for pool in self._pools.values():
            pool.close()
