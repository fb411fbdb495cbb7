"""How far a transfer is, on the last line of the terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from wheelgate_client.terminal import Terminal

MEGABYTE = 1_000_000
WIDTH = 30


class Progress:
    """A bar while the block runs; it is gone afterwards, and never there if standard error is no terminal."""

    def __init__(self, terminal: Terminal, label: str, total: int) -> None:
        self._terminal = terminal
        self._label = label
        self._total = total
        self._percent = -1

    def __call__(self, done: int) -> None:
        """Say how many bytes are through."""
        percent = 100 * done // max(self._total, 1)
        if percent != self._percent:
            self._percent = percent
            filled = "#" * (WIDTH * percent // 100)
            size = f"{done / MEGABYTE:.1f}/{self._total / MEGABYTE:.1f} MB"
            self._terminal.status(f"{percent:3}% [{filled:<{WIDTH}}] {size} {self._label}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._terminal.status("")
