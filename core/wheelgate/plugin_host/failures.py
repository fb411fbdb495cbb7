"""Describes what a plugin raised, for the log: the type, the text without secrets, and the plugin's own line."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator
from itertools import dropwhile
from pathlib import PurePath
from types import FrameType

from wheelgate.plugin_host.masking import masked

MAX_READ_CHARS = 100_000
"""Characters of an exception's text that are read; a longer one is left out, because masking takes time."""
MAX_SHOWN_CHARS = 300
"""Characters of an exception's text that the log shows."""
CORE_PACKAGE = "wheelgate"
PACKAGES_ON_THE_WAY = sys.stdlib_module_names | {CORE_PACKAGE, "pluggy"}
"""The top-level packages through which the server calls a plugin."""


def failure_text(error: BaseException, secrets: Iterable[str] = ()) -> str:
    """Describe an exception that a plugin raised: ``ValueError: no such entry, at wheelgate_corp/__init__.py:31``.

    The place is the innermost line of the plugin itself, even if a library or the server raised the exception there.

    Args:
        error: the exception.
        secrets: the credentials that the plugin got with the call; see :func:`~wheelgate.plugin_host.masking.masked`.
    """
    parts = [type(error).__name__]
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - third-party code: the text of an exception can raise, too
        text = ""
    shown = " ".join(masked(text, secrets).split()) if len(text) <= MAX_READ_CHARS else ""
    if shown:
        parts.append(shown if len(shown) <= MAX_SHOWN_CHARS else f"{shown[:MAX_SHOWN_CHARS]}…")
    place = _plugin_place(error)
    return ": ".join(parts) + (f", at {place}" if place else "")


def _plugin_place(error: BaseException) -> str:
    """Return the file and line at which a plugin raised an exception; empty if no plugin is on the way to it."""
    frames = list(_frames_below(error))
    if not frames:
        return ""
    package = _package(frames[0][0])
    frame, line = [each for each in frames if _package(each[0]) == package][-1]
    path = PurePath(frame.f_code.co_filename)
    parts = path.parts[path.parts.index(package) :] if package in path.parts else (path.name,)
    return f"{'/'.join(parts)}:{line}"


def _frames_below(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """Yield the frames below the server that are not its own, each with the line, from the outermost."""
    frames = dropwhile(lambda each: _package(each[0]) != CORE_PACKAGE, traceback.walk_tb(error.__traceback__))
    return (each for each in frames if _package(each[0]) not in PACKAGES_ON_THE_WAY)


def _package(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]
