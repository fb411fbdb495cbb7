"""The processor time, the memory and the descriptors of the workers, as the kernel counts them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from wheelgate.metrics.catalogue import PROCESS_CPU, PROCESS_FILES, PROCESS_MEMORY, PROCESS_START

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
BYTES_PER_PAGE = os.sysconf("SC_PAGE_SIZE")
USER_TICKS, SYSTEM_TICKS, START_TICKS, RESIDENT_PAGES = 11, 12, 19, 21
"""Places of the fields in ``/proc/PID/stat`` behind the name of the program; see proc(5)."""


def process_numbers(process_ids: Iterable[int]) -> dict[str, float]:
    """Return the sums over the processes that run; nothing where there is no ``/proc``."""
    stats = [stat for process_id in process_ids if (stat := _stat(process_id)) is not None]
    if not stats:
        return {}
    booted = _boot_time()
    return {
        PROCESS_START.name: booted + min(int(stat[START_TICKS]) for stat, _ in stats) / TICKS_PER_SECOND,
        PROCESS_CPU.name: sum(int(stat[USER_TICKS]) + int(stat[SYSTEM_TICKS]) for stat, _ in stats) / TICKS_PER_SECOND,
        PROCESS_MEMORY.name: sum(int(stat[RESIDENT_PAGES]) for stat, _ in stats) * BYTES_PER_PAGE,
        PROCESS_FILES.name: sum(descriptors for _, descriptors in stats),
    }


def _stat(process_id: int) -> tuple[list[str], int] | None:
    folder = Path("/proc") / str(process_id)
    try:
        text = (folder / "stat").read_text("utf-8", "replace")
        return text.rpartition(")")[2].split(), len(os.listdir(folder / "fd"))  # noqa: PTH208 - names are not needed
    except OSError:
        return None


def _boot_time() -> float:
    for line in Path("/proc/stat").read_text("utf-8").splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    return 0.0
