"""The cooldown ``min_age``: a mirror holds new files back, since most malicious ones are discovered within days."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wheelgate import Index
from wheelgate.errors import BadInput, Forbidden
from wheelgate.fields import excerpt, parse_list
from wheelgate.option_types import time_span
from wheelgate.packages import is_project_name, normalize, version_key
from wheelgate_mirror.filenames import normalized_version
from wheelgate_mirror.moments import utc_text

MAX_COOLDOWN_SECONDS = 3650 * 86_400
"""Ten years."""


@dataclass(frozen=True, slots=True)
class Cooldown:
    """How long a mirror holds files back, and which files are exempt."""

    seconds: int
    """0 holds nothing back."""
    text: str
    """The time span in its configured form."""
    exceptions: frozenset[str]
    """Names of projects, and ``name==version`` with the key of the version, which all of its spellings share."""

    def available_at(self, project: str, version: str, upload_time: str | None) -> float:
        """Return when a file becomes available, in seconds since 1970.

        0 stands for always, and infinity for never: such a file has no upload time.
        """
        if not self.seconds or not self.exceptions.isdisjoint((project, f"{project}=={version_key(version)}")):
            return 0.0
        if upload_time is None:
            return math.inf
        return datetime.fromisoformat(upload_time).timestamp() + self.seconds

    def held_back(self, moments: Sequence[float]) -> str:
        """Describe the files that become available at these moments, as a clause; empty if there are none."""
        if not moments:
            return ""
        dated = [moment for moment in moments if not math.isinf(moment)]
        details = []
        if dated:
            details.append(f"the next becomes available at {utc_text(min(dated))}")
        if undated := len(moments) - len(dated):
            details.append(f"{undated} without an upload time")
        files = "1 file" if len(moments) == 1 else f"{len(moments)} files"
        return f"min_age={self.text} holds back {files}: {', '.join(details)}"


def cooldown_of(index: Index) -> Cooldown:
    """Read the configuration of a mirror."""
    text = str(index.config.get("min_age", "0s"))
    configured = (entry.partition("==") for entry in index.config.get("min_age_exceptions", ()))
    exceptions = frozenset(f"{name}{exact}{exact and version_key(version)}" for name, exact, version in configured)
    return Cooldown(_seconds(text) or 0, text, exceptions)


def check_age(index: Index, project: str, version: str, upload_time: str | None, filename: str) -> None:
    """Refuse a file that is younger than ``min_age``.

    Raises:
        Forbidden: the message says when the file becomes available, and how to make an exception.
    """
    cooldown = cooldown_of(index)
    available = cooldown.available_at(project, version, upload_time)
    if available <= time.time():
        return
    if math.isinf(available):
        why = f"its upstream does not say when '{filename}' was uploaded"
    else:
        why = f"'{filename}' becomes available at {utc_text(available)}"
    raise Forbidden(
        f"{index.path} holds files back until they are {cooldown.text} old (min_age); {why}. A user who may modify the"
        " index can add the project to min_age_exceptions"
    )


def parse_min_age(value: Any) -> str:
    """Read a time span: ``7d``, ``12h`` or a number of seconds. Return it with its unit."""
    text = str(value).strip() if type(value) in (int, str) else ""
    if _seconds(text) is None:
        raise BadInput(f"'min_age' option must be a time span such as 7d, 12h or 3600, not {excerpt(value)}")
    return f"{text}s" if text.isdecimal() else text


def parse_exceptions(value: Any) -> list[str]:
    """Read a list of projects and ``name==version``; return them normalised, without duplicates."""
    return list(dict.fromkeys(_parse_exceptions(parse_list(value))))


def _parse_exceptions(items: Iterable[str]) -> Iterable[str]:
    for item in items:
        name, exact, version = (part.strip() for part in item.partition("=="))
        if not is_project_name(name) or (exact and not version):
            raise BadInput(f"'min_age_exceptions' option takes names and name==version, not {excerpt(item)}")
        yield normalize(name) + (f"=={normalized_version(version) or version}" if exact else "")


def _seconds(text: str) -> int | None:
    """Return a time span in seconds; None if it is not a time span or too long."""
    try:
        seconds = time_span(text)
    except ValueError:
        return None
    return seconds if seconds <= MAX_COOLDOWN_SECONDS else None
