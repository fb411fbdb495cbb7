"""The progress of an upload, on the last line of the terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from wheelgate_client.terminal import Terminal

BYTES_PER_MEGABYTE = 1_000_000
BAR_CHARS = 30


class UploadProgress:
    """A progress bar while the block runs; it is removed at the end, and only shown if standard error is a terminal."""

    def __init__(self, terminal: Terminal, label: str, total_bytes: int) -> None:
        self._terminal = terminal
        self._label = label
        self._total_bytes = total_bytes
        self._percent = -1

    def __call__(self, sent_bytes: int) -> None:
        """Show how many bytes have been sent."""
        percent = 100 * sent_bytes // max(self._total_bytes, 1)
        if percent != self._percent:
            self._percent = percent
            filled = "#" * (BAR_CHARS * percent // 100)
            size = f"{sent_bytes / BYTES_PER_MEGABYTE:.1f}/{self._total_bytes / BYTES_PER_MEGABYTE:.1f} MB"
            self._terminal.show_status(f"{percent:3}% [{filled:<{BAR_CHARS}}] {size} {self._label}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._terminal.show_status("")
