"""Numbers by key in memory that all workers share: each writes its own part, and any of them reads all parts.

The master maps the memory before it starts the first worker, so there is no file that could be full or be left behind.
A part is never cleared: a new worker takes over the part of one that has ended, and goes on counting in it.
"""

from __future__ import annotations

import mmap
import struct
import threading
from collections import Counter
from collections.abc import Iterator

PART_BYTES = 1 << 18
"""Room for some 2,500 numbers with their keys; the kernel gives the memory that is used, and no more."""
HEADER = struct.Struct("=QQ")
"""The bytes that are used, and the process ID of the worker."""
USED = struct.Struct("=Q")
ENTRY = struct.Struct("=dH6x")
"""A number, and the length of its key in bytes; the key follows, filled up to a multiple of eight."""


OVERFLOW_KEY = "overflow"
"""The key of all numbers for which there is no room; no metric has this name."""


class SharedNumbers:
    """The memory of all workers."""

    def __init__(self, parts: int) -> None:
        """Map memory for so many workers at once."""
        self._map = mmap.mmap(-1, parts * PART_BYTES)
        self.parts = parts

    def part(self, number: int) -> WorkerNumbers:
        """Return the part of a worker, to write to it."""
        start = number % self.parts * PART_BYTES
        return WorkerNumbers(memoryview(self._map)[start : start + PART_BYTES])

    def sums(self) -> dict[str, float]:
        """Return the sum of each number over all parts, by its key."""
        sums: Counter[str] = Counter()
        for number in range(self.parts):
            for key, value in self._entries(number * PART_BYTES):
                sums[key] += value  # type: ignore[assignment]
        return dict(sums)

    def process_ids(self) -> list[int]:
        """Return the process IDs of the workers, also of those that have ended since."""
        found = (HEADER.unpack_from(self._map, number * PART_BYTES)[1] for number in range(self.parts))
        return [process_id for process_id in found if process_id]

    def _entries(self, start: int) -> Iterator[tuple[str, float]]:
        used, _ = HEADER.unpack_from(self._map, start)
        position, end = start + HEADER.size, start + max(used, HEADER.size)
        while position < end:
            value, length = ENTRY.unpack_from(self._map, position)
            position += ENTRY.size
            yield self._map[position : position + length].decode(), value
            position += padded(length)


class WorkerNumbers:
    """The part of one worker."""

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory
        self._positions: dict[str, int] = {}
        self._lock = threading.Lock()
        self._used = HEADER.size
        self.values = memory.cast("d")
        """The numbers by position. To add to one is no single step: only one thread may do it, or :meth:`add`."""

    def take_over(self, process_id: int) -> None:
        """Go on where the worker that had this part before has stopped."""
        used, _ = HEADER.unpack_from(self._memory)
        while self._used < used:
            _, length = ENTRY.unpack_from(self._memory, self._used)
            start = self._used + ENTRY.size
            self._positions[bytes(self._memory[start : start + length]).decode()] = self._used // 8
            self._used = start + padded(length)
        HEADER.pack_into(self._memory, 0, self._used, process_id)
        self.position(OVERFLOW_KEY)

    def position(self, key: str) -> int:
        """Return the position of a number, made if there is none yet. What finds no room any more shares one number."""
        with self._lock:
            if key not in self._positions:
                encoded = key.encode()
                start = self._used + ENTRY.size
                end = start + padded(len(encoded))
                if end > PART_BYTES:
                    return self._positions[OVERFLOW_KEY]
                ENTRY.pack_into(self._memory, self._used, 0.0, len(encoded))
                self._memory[start : start + len(encoded)] = encoded
                self._positions[key] = self._used // 8
                self._used = end
                USED.pack_into(self._memory, 0, end)  # last: a reader sees whole entries only
            return self._positions[key]

    def add(self, key: str, amount: float) -> None:
        """Add to a number, from any thread."""
        position = self.position(key)
        with self._lock:
            self.values[position] += amount


def padded(length: int) -> int:
    """Return a length, rounded up to a multiple of eight."""
    return length + -length % 8
