"""The cost of a start, and the memory of a started server."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench import driver, servers
from bench.report import Bar, Row
from bench.site import Site

SERVER_PROCESSES = 3
"""A master and two workers."""
REQUESTS_BEFORE_MEMORY = 50
QUIET_SECONDS = 0.3
"""Time without CPU use that counts as the end of a start."""


def cold(site: Site) -> list[Row]:
    """Start on an empty folder and again on the same folder, with each installation."""
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
                Row(f"{kind} start ({name}), until all workers are idle", "s CPU", settled),
                Row(f"{kind} start ({name}), memory", "MiB PSS", memory, bar=Bar(70)),
            ]
    return rows


def start(binaries: Path, folder: Path) -> tuple[float, float, float]:
    """Start a server once.

    Returns:
        Seconds of CPU until the first answer and until all workers are idle, and MiB of memory after the first answers.
    """
    with servers.ours(binaries, folder) as server:
        answered = server.tree.cpu()
        settled = settle(server)
        for _ in range(REQUESTS_BEFORE_MEMORY):
            driver.ask_once(server.port, servers.PROBE_REQUEST)
        return answered, settled, server.tree.pss()


def settle(server: servers.Server) -> float:
    """Wait until the start is complete and return its seconds of CPU."""
    deadline = time.monotonic() + servers.START_TIMEOUT_SECONDS
    before = -1.0
    while time.monotonic() < deadline:
        used = server.tree.cpu()
        if used == before and len(server.tree.pids()) == SERVER_PROCESSES:
            return used
        before = used
        time.sleep(QUIET_SECONDS)
    raise TimeoutError("the server does not become idle")
