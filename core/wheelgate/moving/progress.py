"""How far an import or export is, in one line on a terminal; nothing where standard error is no terminal."""

from __future__ import annotations

import sys
import time

SECONDS_BETWEEN_LINES = 0.5


class Progress:
    """Counts files and bytes."""

    def __init__(self, verb: str, total: int | None = None) -> None:
        """Take what is done, such as ``checked``, and the number of files if it is known."""
        self._verb = verb
        self._total = total
        self._files = 0
        self._bytes = 0
        self._shown_at = 0.0
        self._quiet = not sys.stderr.isatty()

    def __call__(self, size: int) -> None:
        """Count a file of this size in bytes."""
        self._files += 1
        self._bytes += size
        if self._quiet or time.monotonic() - self._shown_at < SECONDS_BETWEEN_LINES:
            return
        self._shown_at = time.monotonic()
        rest = f", {self._total - self._files} to go" if self._total is not None else ""
        print(f"\r\033[K{self._files} files, {self._bytes >> 20} MiB {self._verb}{rest}", end="", file=sys.stderr)

    def end(self) -> None:
        """Remove the line."""
        if not self._quiet:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
