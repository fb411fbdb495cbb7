"""What large transfers take of memory while they last, and what they leave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bench import files, forms, pages, stock
from bench.report import Bar, Row
from bench.servers import Server
from bench.site import Site

UPLOADED, KEPT = 200_000_000, 500_000_000
GROWTH, LEFT = 5, 30
"""MiB that a large upload may take while it lasts, and that larger transfers may leave behind."""
LOOK = 0.02
"""Seconds between two looks."""
WARM = 40
"""Small transfers, each over a connection of its own, before idle memory is read: every worker gets some."""


def memory(site: Site) -> list[Row]:
    """Watch ours upload and download."""
    server = site.stocked["ours"]
    for number in range(WARM):
        stock.put(server, stock.DEV, [stock.small("warm", number)])
        stock.ask_all(
            server, iter([files.request(stock.small("warm", number)), pages.request(stock.DEV, "warm", "JSON")])
        )
    rounds = range(max(3, site.rounds // 3))
    idle = server.tree.pss()
    growth = [
        peak(server, forms.upload(stock.big(UPLOADED, 200 + turn), stock.DEV, server.credentials)) for turn in rounds
    ]
    left: dict[str, list[float]] = {"up": [], "down": []}
    for turn in rounds:
        made = stock.big(KEPT, 500 + turn)
        stock.put(server, stock.DEV, [made])
        left["up"].append(server.tree.pss() - idle)
        stock.ask_all(server, iter([files.request(made)]))
        left["down"].append(server.tree.pss() - idle)
    return [
        Row("memory that an upload of 200 MB takes", "MiB PSS", growth, bar=Bar(GROWTH)),
        *(Row(f"memory left behind by 500 MB {way}", "MiB PSS", taken, bar=Bar(LEFT)) for way, taken in left.items()),
    ]


def peak(server: Server, sent: bytes) -> float:
    """Send a request and return by how much memory grew at most meanwhile, in MiB."""
    before = server.tree.pss()
    with watched(server) as seen:
        stock.ask_all(server, iter([sent]))
    return max(seen) - before


@contextmanager
def watched(server: Server) -> Iterator[list[float]]:
    """Look at a server's memory again and again; yield the list of what was seen, which grows."""
    seen: list[float] = []
    over = threading.Event()

    def look() -> None:
        while True:
            seen.append(server.tree.pss())
            if over.wait(LOOK):
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
