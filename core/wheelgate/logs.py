"""How the server writes its log: one line per entry, whatever strangers put into a name."""

from __future__ import annotations

import logging
import re
import sys

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class OneLine(logging.Formatter):
    """Escapes control characters, so that no entry can look like another; tracebacks stay out."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one entry as one line."""
        time = self.formatTime(record, "%Y-%m-%d %H:%M:%S")
        text = CONTROL.sub(lambda found: ascii(found[0])[1:-1], record.getMessage())
        return f"{time} {record.levelname.lower()} {record.name}: {text}"


def configure() -> None:
    """Send the log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logger = logging.getLogger("wheelgate")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
