"""How the server writes its log: one line per entry, whatever strangers put into a name."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from pathlib import PurePath

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


class OneLine(logging.Formatter):
    """Escapes what no eye sees, so that no entry can look like another; tracebacks stay out."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one entry as one line."""
        time = self.formatTime(record, "%Y-%m-%d %H:%M:%S")
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}: {where(record.exc_info[1])}"
        return f"{time} {record.levelname.lower()} {record.name}: {escaped(text)}"


def escaped(text: str) -> str:
    """Escape what no eye sees, and what would begin another line or steer a terminal."""
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def configure() -> None:
    """Send the log to standard error: ours, and the warnings of libraries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger("wheelgate").setLevel(logging.INFO)


def where(error: BaseException) -> str:
    """Say in one line what was raised where; its text stays out, for it may hold a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    steps = " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{type(error).__name__} at {steps}"
