"""Formats the log, as text or as JSON: one line per entry, even if a client sends line breaks in a name."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The ID of the request that the current task or thread works for; empty outside of requests."""


ACCESS_SCOPE: ContextVar[Mapping[str, Any]] = ContextVar("access_scope")
"""The ASGI scope of the request that the current task works for, for the access log."""
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")


class OneLineFormatter(logging.Formatter):
    """Escapes invisible characters, so that no entry can look like two; leaves out tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the entry as one line; an entry about a request has its ID in brackets before the colon."""
        time = self.formatTime(record, "%Y-%m-%d %H:%M:%S")
        text = message_of(record)
        # The ID stands before the text, in which a client could write another one.
        request_id = REQUEST_ID.get()
        source = f"{record.name}[{request_id}]" if request_id else record.name
        return f"{time} {record.levelname.lower()} {source}: {escape_unprintable(text)}"


class JsonFormatter(logging.Formatter):
    """Writes each entry as a JSON object; leaves out tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the entry as one line of JSON; ``request_id`` is there if the entry is about a request."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_of(record),
        }
        request_id = REQUEST_ID.get()
        return json.dumps({**entry, "request_id": request_id} if request_id else entry)


def message_of(record: logging.LogRecord) -> str:
    """Return the text of an entry, and where its exception was raised."""
    text = record.getMessage()
    if record.exc_info and record.exc_info[1] is not None:
        text = f"{text}: {error_location(record.exc_info[1])}"
    return text


def make_formatter(name: str) -> logging.Formatter:
    """Return the formatter for a name in ``LOG_FORMATS``."""
    return JsonFormatter() if name == "json" else OneLineFormatter()


def escape_unprintable(text: str) -> str:
    """Escape invisible characters, line breaks and control sequences of terminals."""
    return UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


class UnwrittenLines:
    """Reports once that a log cannot be written; the lines are lost, and the server goes on."""

    def __init__(self, log: logging.Logger, name: str) -> None:
        """Take the log that gets the report, and the name of the one that cannot be written."""
        self._log = log
        self._name = name
        self._reported = False

    def __call__(self, record: logging.LogRecord) -> None:
        """Report the exception that is being handled; in place of :meth:`logging.Handler.handleError`."""
        if not self._reported:
            self._reported = True
            error = sys.exc_info()[1]
            reason = getattr(error, "strerror", None) or type(error).__name__
            self._log.error("%s cannot be written, so lines are lost: %s", self._name, reason)


def open_standard_streams() -> None:
    """Open the standard streams that the parent process has closed, so that no other file gets their numbers."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one


def configure_logging(level: str = "info", format_name: str = "text") -> None:
    """Send the server's log and the warnings of libraries to standard error.

    Args:
        level: the least severe entries of the server to write; one of ``LOG_LEVELS``.
        format_name: one of ``LOG_FORMATS``.
    """
    # If a line cannot be written, logging would print its arguments: in the access log, the headers with the passwords.
    logging.raiseExceptions = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(make_formatter(format_name))
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger("wheelgate").setLevel(level.upper())


def error_location(error: BaseException) -> str:
    """Return the type and the traceback of an error in one line, without its text, which may contain a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    steps = " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{type(error).__name__} at {steps}"
