"""Formats the log: one line per entry, even if a client sends line breaks in a name."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from contextvars import ContextVar
from pathlib import PurePath

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The ID of the request that the current task or thread works for; empty outside of requests."""


class OneLineFormatter(logging.Formatter):
    """Escapes invisible characters, so that no entry can look like two; leaves out tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the entry as one line; an entry about a request has its ID in brackets before the colon."""
        time = self.formatTime(record, "%Y-%m-%d %H:%M:%S")
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}: {error_location(record.exc_info[1])}"
        # The ID stands before the text, in which a client could write another one.
        request_id = REQUEST_ID.get()
        source = f"{record.name}[{request_id}]" if request_id else record.name
        return f"{time} {record.levelname.lower()} {source}: {escape_unprintable(text)}"


def escape_unprintable(text: str) -> str:
    """Escape invisible characters, line breaks and control sequences of terminals."""
    return UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def configure_logging() -> None:
    """Send the server's log and the warnings of libraries to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter())
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger("wheelgate").setLevel(logging.INFO)


def error_location(error: BaseException) -> str:
    """Return the type and the traceback of an error in one line, without its text, which may contain a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    steps = " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{type(error).__name__} at {steps}"
