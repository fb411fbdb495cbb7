"""What a start costs, and the memory that a server stands at."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench import driver, servers
from bench.report import Bar, Row
from bench.site import Site

PROCESSES = 3
"""A master and two workers."""
ASKED = 50
"""Answers after which memory is read."""
QUIET = 0.3
"""Seconds without CPU that count as the end of a start."""


def cold(site: Site) -> list[Row]:
    """Start on an empty folder and once more on the same, in each installation."""
    rows = []
    for name, binaries in site.installations.items():
        measured: dict[str, list[tuple[float, float, float]]] = {"first": [], "later": []}
        for _ in range(max(3, site.rounds // 3)):
            with tempfile.TemporaryDirectory(prefix="wheelgate-bench-") as folder:
                for kind in measured:
                    measured[kind].append(start(binaries, Path(folder)))
        for kind, figures in measured.items():
            answered, settled, memory = (list(column) for column in zip(*figures, strict=True))
            rows += [
                Row(f"{kind} start ({name}), until it answers", "s CPU", answered, bar=Bar(1)),
                Row(f"{kind} start ({name}), until all stand", "s CPU", settled),
                Row(f"{kind} start ({name}), memory", "MiB PSS", memory, bar=Bar(70)),
            ]
    return rows


def start(binaries: Path, folder: Path) -> tuple[float, float, float]:
    """Start a server once.

    Returns:
        Seconds of CPU at the first answer and when all workers stand, and memory after the first answers in MiB.
    """
    with servers.ours(binaries, folder) as server:
        answered = server.tree.cpu()
        settled = settle(server)
        for _ in range(ASKED):
            driver.ask_once(server.port, servers.PROBE)
        return answered, settled, server.tree.pss()


def settle(server: servers.Server) -> float:
    """Wait until the start is over and return the seconds of CPU that it took."""
    deadline = time.monotonic() + servers.PATIENCE
    before = -1.0
    while time.monotonic() < deadline:
        used = server.tree.cpu()
        if used == before and len(server.tree.pids()) == PROCESSES:
            return used
        before = used
        time.sleep(QUIET)
    raise TimeoutError("the server does not come to rest")
