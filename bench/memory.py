"""The memory that large transfers use, and that they leave in use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bench import files, forms, pages, stock
from bench.report import Bar, Row
from bench.servers import Server
from bench.site import Site

UPLOAD_BYTES, TRANSFER_BYTES = 200_000_000, 500_000_000
MAX_GROWTH_MIB = 5
"""Memory that an upload may use while it lasts."""
MAX_LEFT_MIB = 30
"""Memory that may stay in use after larger transfers."""
LOOK_INTERVAL_SECONDS = 0.02
WARM_UP_TRANSFERS = 40
"""Small transfers over new connections before idle memory is read, so that every worker gets some."""


def memory(site: Site) -> list[Row]:
    """Watch the memory of our server during uploads and downloads."""
    server = site.stocked["ours"]
    for number in range(WARM_UP_TRANSFERS):
        stock.put(server, stock.DEV, [stock.small("warm", number)])
        stock.ask_all(
            server, iter([files.request(stock.small("warm", number)), pages.request(stock.DEV, "warm", "JSON")])
        )
    rounds = range(max(3, site.rounds // 3))
    idle = server.tree.pss()
    growth = [
        peak(server, forms.upload(stock.big(UPLOAD_BYTES, 200 + turn), stock.DEV, server.credentials))
        for turn in rounds
    ]
    left: dict[str, list[float]] = {"up": [], "down": []}
    for turn in rounds:
        made = stock.big(TRANSFER_BYTES, 500 + turn)
        stock.put(server, stock.DEV, [made])
        left["up"].append(server.tree.pss() - idle)
        stock.ask_all(server, iter([files.request(made)]))
        left["down"].append(server.tree.pss() - idle)
    return [
        Row("memory used by an upload of 200 MB", "MiB PSS", growth, bar=Bar(MAX_GROWTH_MIB)),
        *(
            Row(f"memory still used after 500 MB {way}", "MiB PSS", taken, bar=Bar(MAX_LEFT_MIB))
            for way, taken in left.items()
        ),
    ]


def peak(server: Server, sent: bytes) -> float:
    """Send a request and return the largest growth of memory while it runs, in MiB."""
    before = server.tree.pss()
    with watched(server) as seen:
        stock.ask_all(server, iter([sent]))
    return max(seen) - before


@contextmanager
def watched(server: Server) -> Iterator[list[float]]:
    """Read a server's memory repeatedly; yield the growing list of figures."""
    seen: list[float] = []
    over = threading.Event()

    def look() -> None:
        while True:
            seen.append(server.tree.pss())
            if over.wait(LOOK_INTERVAL_SECONDS):
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
