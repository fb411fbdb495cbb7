"""Makes simple pages: merges the answers of all indices, renders and compresses."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, ParamSpec

from wheelgate.services.packages.inheritance import Resolution
from wheelgate.services.packages.merging import IndexMerger
from wheelgate.services.packages.rendering import (
    absolute_urls,
    list_as_html,
    list_as_json,
    project_as_html,
    project_as_json,
    relative_urls,
)
from wheelgate.threads.pool import ThreadPool

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_ENTRIES_ON_LOOP = 2000
"""Files or projects; a page with more is rendered in a thread."""
MAX_BYTES_ON_LOOP = 65_536
"""A longer page is compressed in a thread."""
CONTENT_CODINGS = ("zstd", "gzip")
"""The content codings (RFC 9110, section 8.4.1) that the server offers, the preferred one first."""

P = ParamSpec("P")


class PageVariant(NamedTuple):
    """The form of a page; each variant is another page."""

    media_type: str
    absolute: bool = False
    """Whether the URLs of files are absolute too."""
    server_url: str = ""
    """The beginning of absolute URLs; empty as long as the page needs none."""


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """The content of a page."""

    content: bytes
    stale: bool
    until: float | None
    """Seconds since 1970 at which it expires; None if only changes of the stores matter."""
    needs_server_url: bool = False
    """Whether there is no content because it needs absolute URLs, and the variant has no ``server_url``."""


class PageRenderer:
    """Makes pages: small ones on the event loop, large ones in a thread."""

    def __init__(self, merger: IndexMerger) -> None:
        self._merger = merger
        self._pool = ThreadPool("pages", 1)

    async def render(self, resolution: Resolution, project: str, variant: PageVariant) -> RenderedPage:
        """Return the page of a project, or the list of all projects if ``project`` is empty.

        Raises:
            Refusal: as :class:`IndexMerger` does.
        """
        if project:
            return await self._render_project(resolution, project, variant)
        return await self._render_list(resolution, variant)

    async def compress(self, content: bytes, coding: str) -> bytes:
        """Return a page in one of the ``CONTENT_CODINGS``."""
        if len(content) > MAX_BYTES_ON_LOOP:
            return await self._pool.run(compress_content, content, coding)
        return compress_content(content, coding)

    def close(self) -> None:
        """Wait for running work and end the thread."""
        self._pool.close()

    async def _render_project(self, resolution: Resolution, name: str, variant: PageVariant) -> RenderedPage:
        merged = await self._merger.project(resolution, name)
        has_provenance = any(file.provenance for _, files in merged.parts for file in files)
        if not variant.server_url and (has_provenance or variant.absolute):
            return RenderedPage(b"", merged.stale, merged.until, needs_server_url=True)
        absolute, relative = absolute_urls(variant.server_url), relative_urls(resolution.index)
        render = project_as_json if variant.media_type.endswith("json") else project_as_html
        content = await self._run(len(merged), render, merged, absolute if variant.absolute else relative, absolute)
        return RenderedPage(content, merged.stale, merged.until)

    async def _render_list(self, resolution: Resolution, variant: PageVariant) -> RenderedPage:
        listing = await self._merger.listing(resolution)
        render = list_as_json if variant.media_type.endswith("json") else list_as_html
        content = await self._run(len(listing.names), render, listing.names)
        return RenderedPage(content, listing.stale, listing.until)

    async def _run(self, entries: int, render: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs) -> bytes:
        if entries < MAX_ENTRIES_ON_LOOP:
            return render(*args, **kwargs)
        return await self._pool.run(render, *args, **kwargs)


def compress_content(content: bytes, coding: str) -> bytes:
    """Compress a page; the same content always gives the same bytes."""
    return zstd.compress(content) if coding == "zstd" else gzip.compress(content, mtime=0)
