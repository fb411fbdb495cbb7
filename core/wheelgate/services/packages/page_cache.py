"""Caches rendered pages until their projects change."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

from wheelgate.clocks import is_current
from wheelgate.services.packages.inheritance import Resolution
from wheelgate.services.packages.page_renderer import PageRenderer, PageVariant, RenderedPage
from wheelgate.store.access import StoreAccess
from wheelgate.values import Index

PAGE_CACHE_BYTES = 64 * 1024 * 1024
"""Memory of one worker for pages, including compressed forms."""
PAGE_OVERHEAD_BYTES = 1000
"""Estimated memory of a page beside its content."""
MAX_UNCOMPRESSED_BYTES = 600
"""Pages up to this length are not compressed: they fit into one packet anyway."""

PageKey = tuple[str, str, PageVariant]
"""The path of the index, the project (empty for the list of all), and the variant."""


@dataclass(slots=True)
class CachedPage:
    """A page with its content in each coding that was asked for."""

    key: PageKey
    rendered: RenderedPage
    stamp: list[tuple[Index, Hashable]]
    """A value that changes with every change of the page's projects."""
    valid_for: Resolution
    """The resolution, and with it the state of the stores, for which the page was last found unchanged."""
    digest: str
    made: float
    """When it was rendered, in seconds since 1970."""
    encoded: dict[str, bytes] = field(default_factory=dict)
    size: int = 0
    """Bytes of memory that the cache counts for it."""

    @property
    def variant(self) -> PageVariant:
        """The form of the page."""
        return self.key[2]

    @property
    def fresh(self) -> bool:
        """Whether it has not expired."""
        return is_current(self.made, self.rendered.until)

    def coding(self, preferred: str) -> str:
        """Return the coding in which the page is sent to a client that prefers this one; empty for none."""
        return preferred if len(self.rendered.content) > MAX_UNCOMPRESSED_BYTES else ""

    def etag(self, coding: str) -> str:
        """Return the entity tag of the page in a coding; each coding has its own (RFC 9110, section 8.8.3)."""
        return f'"{self.digest}-{coding}"' if coding else f'"{self.digest}"'


class PageCache:
    """Keeps the most recently used pages, and renders each page only once at a time."""

    def __init__(self, access: StoreAccess, renderer: PageRenderer, max_bytes: int = PAGE_CACHE_BYTES) -> None:
        self._access = access
        self._renderer = renderer
        self._max_bytes = max_bytes
        self._pages: OrderedDict[PageKey, CachedPage] = OrderedDict()
        self._size = 0
        self._rendering: dict[PageKey, tuple[Resolution, asyncio.Task[CachedPage]]] = {}

    async def get(self, resolution: Resolution, project: str, variant: PageVariant) -> CachedPage:
        """Return a page of an index, rendered again if its projects have changed.

        Args:
            resolution: the indices that it shows.
            project: the project; empty for the list of all projects.
            variant: the form of the page.

        Raises:
            Refusal: as :class:`PageRenderer` does.
        """
        key = (resolution.index.path, project, variant)
        page = self._pages.get(key)
        if page is not None and page.fresh:
            if page.valid_for is resolution:  # PERF: nothing at all has changed, as for most requests
                self._pages.move_to_end(key)
                return page
            if await self._access.read(projects_stamp, resolution, project) == page.stamp:
                page.valid_for = resolution
                return page
        return await self._render_once(key, resolution)

    async def content(self, page: CachedPage, coding: str) -> bytes:
        """Return the content of a page in one of the codings, or without one."""
        if not coding:
            return page.rendered.content
        if coding not in page.encoded:
            page.encoded[coding] = await self._renderer.compress(page.rendered.content, coding)
            if self._pages.get(page.key) is page:
                self._put(page)
        return page.encoded[coding]

    def close(self) -> None:
        """Wait for running work and end the renderer's thread."""
        self._renderer.close()

    async def _render_once(self, key: PageKey, resolution: Resolution) -> CachedPage:
        """Render a page, or wait for a request that renders it already."""
        # A page that is rendered from the same state of the stores will do; one from an earlier state will not.
        rendering = self._rendering.get(key)
        if rendering is None or rendering[0] is not resolution:
            task = asyncio.create_task(self._render(key, resolution))
            rendering = self._rendering[key] = (resolution, task)
            task.add_done_callback(lambda done: self._forget_task(key, done))
        return await asyncio.shield(rendering[1])

    async def _render(self, key: PageKey, resolution: Resolution) -> CachedPage:
        _, project, variant = key
        # The stamp is taken first: a change while the page is rendered then shows when the stamps are compared.
        before, made = await self._access.read(projects_stamp, resolution, project), time.time()
        rendered = await self._renderer.render(resolution, project, variant)
        digest = hashlib.sha256(repr(variant).encode() + rendered.content).hexdigest()[:32]
        page = CachedPage(key, rendered, before, resolution, digest, made)
        self._put(page)
        return page

    def _forget_task(self, key: PageKey, task: asyncio.Task[CachedPage]) -> None:
        if self._rendering.get(key, (None, None))[1] is task:
            del self._rendering[key]
        if not task.cancelled():
            task.exception()  # the waiting requests have it; asyncio complains if there are none any more

    def _put(self, page: CachedPage) -> None:
        """Add a page or count it again, and drop the least recently used pages that exceed the limit."""
        before = self._pages.pop(page.key, None)
        self._size -= before.size if before is not None else 0
        page.size = PAGE_OVERHEAD_BYTES + len(page.rendered.content) + sum(map(len, page.encoded.values()))
        if page.size <= self._max_bytes // 2:
            self._pages[page.key] = page
            self._size += page.size
        while self._size > self._max_bytes:
            self._size -= self._pages.popitem(last=False)[1].size


def projects_stamp(resolution: Resolution, project: str) -> list[tuple[Index, Hashable]]:
    """Return a value that changes with a project, or the list of all projects, on the indices of a resolution."""
    return [(layer.index, layer.source.stamp(layer.index, project)) for layer in resolution.layers]
