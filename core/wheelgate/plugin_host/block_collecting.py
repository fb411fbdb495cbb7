"""Collects the blocks of plugins for a page; one that fails or takes too long costs a line of the log, not the page."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from wheelgate.page_blocks import PLACES, Block
from wheelgate.plugin_host.circuit import CircuitBreaker
from wheelgate.plugin_host.discovery import Implementation
from wheelgate.plugin_host.failures import failure_text
from wheelgate.providers import RouteRequest
from wheelgate.server import Server

log = logging.getLogger("wheelgate.pages")


class PageBlocks:
    """Asks all plugins that implement ``wheelgate_page_blocks``."""

    def __init__(self, server: Server, implementations: Sequence[tuple[Implementation, CircuitBreaker]]) -> None:
        self._server = server
        self._implementations = implementations

    def collect(self, request: RouteRequest, place: str, subject: str) -> Sequence[Block]:
        """Return the blocks of a page in order. Call it in a thread.

        Raises:
            ValueError: there is no such place.
        """
        if place not in PLACES:
            raise ValueError(f"there are no blocks at '{place}', only at {', '.join(PLACES)}")
        found: list[Block] = []
        for implementation, breaker in self._implementations:
            ask = partial(implementation, server=self._server, place=place, subject=subject, request=request)
            try:
                found += breaker.call_blocking(blocks_of, ask)
            except Exception as error:  # noqa: BLE001 - the page is shown without the block
                log.error("plugin '%s' failed to make its block: %s", implementation.plugin, failure_text(error))
        return sorted(found, key=lambda block: (block.rank, block.title))


def blocks_of(ask: Any) -> list[Block]:
    """Return the blocks of one plugin. Raise ``TypeError`` if they are anything else."""
    blocks = list(ask() or ())
    for block in blocks:
        if not isinstance(block, Block):
            raise TypeError(f"it returned a {type(block).__name__} in place of a Block")
    return blocks
