"""Rendered pages, kept until something under them changes."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import sys
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import ParamSpec

from wheelgate.services.inheritance import Resolution
from wheelgate.store.access import StoreAccess
from wheelgate.threads.pool import Pool
from wheelgate.values import Index

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MEMORY = 64 * 1024 * 1024
"""Bytes of pages that one worker keeps, compressed ones included."""
OVERHEAD = 1000
"""Bytes that a page takes beside its content, about."""
LONG = 65_536
"""Bytes from which on a page is compressed in a thread."""
SHORT = 600
"""Bytes up to which a page is not compressed: it fits into one packet anyway."""
CODINGS = ("zstd", "gzip")
"""The content codings that are offered, the better one first."""

P = ParamSpec("P")

Key = tuple[str, str, Hashable]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page that was just made."""

    content: bytes
    stale: bool
    until: float | None
    """Seconds since 1970 at which it has to be made anew; None for never."""
    lacks_url: bool = False
    """Whether something on it needs the server's own address, which it was made without."""


@dataclass(slots=True)
class Page:
    """A page that is kept, with its content as it goes over the wire in each coding that was asked for."""

    key: Key
    rendered: Rendered
    stamp: list[tuple[Index, Hashable]]
    """Stands for all that the page was made of."""
    seen: Resolution
    """The state of the stores in which it was last found good."""
    digest: str
    coded: dict[str, bytes] = field(default_factory=dict)
    size: int = 0
    """Bytes of memory that it was counted with."""

    @property
    def fresh(self) -> bool:
        """Whether its time is not over."""
        return self.rendered.until is None or time.time() < self.rendered.until

    def coding(self, wanted: str) -> str:
        """Return the coding in which the page goes to a client that wants this one; empty for none."""
        return wanted if len(self.rendered.content) > SHORT else ""

    def etag(self, coding: str) -> str:
        """Return the entity tag in a coding; each has its own (RFC 9110, section 8.8.3)."""
        return f'"{self.digest}-{coding}"' if coding else f'"{self.digest}"'


class Pages:
    """Keeps the pages that were asked for last, and makes each only once at a time."""

    def __init__(self, access: StoreAccess, memory: int = MEMORY) -> None:
        self._access = access
        self._memory = memory
        self._pool = Pool("pages", 1)
        self._pages: OrderedDict[Key, Page] = OrderedDict()
        self._size = 0
        self._making: dict[Key, tuple[Resolution, asyncio.Task[Page]]] = {}

    def known(self, resolution: Resolution, project: str, variant: Hashable) -> Page | None:
        """Return a page if it is here and nothing at all has changed since it was last found good."""
        key = self._key(resolution, project, variant)
        page = self._pages.get(key)
        if page is None or page.seen is not resolution or not page.fresh:
            return None
        self._pages.move_to_end(key)
        return page

    async def get(
        self, resolution: Resolution, project: str, variant: Hashable, make: Callable[[], Awaitable[Rendered]]
    ) -> Page:
        """Return a page of an index, made anew if something under it has changed.

        Args:
            resolution: the indices that it shows.
            project: the project; empty for the list of all.
            variant: what else makes it another page.
            make: makes it.
        """
        key = self._key(resolution, project, variant)
        page = self._pages.get(key)
        if page is not None and page.fresh and await self._access.read(stamp, resolution, project) == page.stamp:
            page.seen = resolution
            return page
        # Who saw the same state may wait for the same page; who saw a later one must not.
        making = self._making.get(key)
        if making is None or making[0] is not resolution:
            task = asyncio.create_task(self._make(key, resolution, make))
            making = self._making[key] = (resolution, task)
            task.add_done_callback(lambda done: self._made(key, done))
        return await asyncio.shield(making[1])

    async def content(self, page: Page, coding: str) -> bytes:
        """Return the content of a page in one of the codings, or plain."""
        plain = page.rendered.content
        if not coding:
            return plain
        if coding not in page.coded:
            long = len(plain) > LONG
            page.coded[coding] = await self._pool.run(encode, plain, coding) if long else encode(plain, coding)
            if self._pages.get(page.key) is page:
                self._keep(page)
        return page.coded[coding]

    async def aside(self, function: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs) -> bytes:
        """Call what takes long away from the event loop."""
        return await self._pool.run(function, *args, **kwargs)

    def close(self) -> None:
        """Wait for what is under way and end the thread."""
        self._pool.close()

    async def _make(self, key: Key, resolution: Resolution, make: Callable[[], Awaitable[Rendered]]) -> Page:
        # First the stamp, then what it stands for: what changes in between shows when the stamps are compared.
        before = await self._access.read(stamp, resolution, key[1])
        rendered = await make()
        digest = hashlib.sha256(repr(key[2]).encode() + rendered.content).hexdigest()[:32]
        page = Page(key, rendered, before, resolution, digest)
        self._keep(page)
        return page

    def _keep(self, page: Page) -> None:
        """Put a page in, or count it again, and drop those that were not asked for longest."""
        before = self._pages.pop(page.key, None)
        self._size -= before.size if before is not None else 0
        page.size = OVERHEAD + len(page.rendered.content) + sum(map(len, page.coded.values()))
        if page.size <= self._memory // 2:
            self._pages[page.key] = page
            self._size += page.size
        while self._size > self._memory:
            self._size -= self._pages.popitem(last=False)[1].size

    def _key(self, resolution: Resolution, project: str, variant: Hashable) -> Key:
        return resolution.index.path, project, variant

    def _made(self, key: Key, task: asyncio.Task[Page]) -> None:
        if self._making.get(key, (None, None))[1] is task:
            del self._making[key]
        if not task.cancelled():
            task.exception()  # whoever waited has it; asyncio complains if nobody has


def stamp(resolution: Resolution, project: str) -> list[tuple[Index, Hashable]]:
    """Return what stands for a project, or the list of all, on the indices of a resolution."""
    return [(layer.index, layer.source.stamp(layer.index, project)) for layer in resolution.layers]


def encode(content: bytes, coding: str) -> bytes:
    """Compress a page; the same content always gives the same bytes."""
    return zstd.compress(content) if coding == "zstd" else gzip.compress(content, mtime=0)
