"""Holding files back until they have been out for a while (``min_age``): most malicious ones are found within days."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from wheelgate import Index
from wheelgate.errors import BadInput, Forbidden
from wheelgate.fields import excerpt, parse_list
from wheelgate.option_types import time_span
from wheelgate.packages import is_project_name, normalize
from wheelgate_mirror.filenames import normalized_version

MAX_AGE_SECONDS = 3650 * 86_400
"""Ten years."""


@dataclass(frozen=True, slots=True)
class Cooldown:
    """How long a mirror holds files back, and which not."""

    age: int
    """Seconds; 0 holds nothing back."""
    said: str
    """As it was configured."""
    exceptions: frozenset[str]
    """Names of projects, and ``name==version``."""

    def ready(self, project: str, version: str, upload_time: str | None) -> float:
        """Return the seconds since 1970 from which on a file may be had: 0 for always, infinite if nobody knows."""
        if not self.age or not self.exceptions.isdisjoint((project, f"{project}=={version}")):
            return 0.0
        if upload_time is None:
            return math.inf
        return datetime.fromisoformat(upload_time).timestamp() + self.age


def cooldown_of(index: Index) -> Cooldown:
    """Read the configuration of a mirror."""
    said = str(index.config.get("min_age", "0s"))
    return Cooldown(_seconds(said) or 0, said, frozenset(index.config.get("min_age_exceptions", ())))


def hold_back(index: Index, project: str, version: str, upload_time: str | None, name: str) -> None:
    """Refuse the file ``name`` if it is too young.

    Raises:
        Forbidden: it is; the text says until when, and what can be done.
    """
    cooldown = cooldown_of(index)
    ready = cooldown.ready(project, version, upload_time)
    if ready <= time.time():
        return
    if math.isinf(ready):
        why = f"its upstream does not say when '{name}' was uploaded"
    else:
        when = datetime.fromtimestamp(math.ceil(ready), UTC).isoformat().replace("+00:00", "Z")
        why = f"'{name}' becomes available at {when}"
    raise Forbidden(
        f"{index.path} holds files back until they are {cooldown.said} old (min_age); {why}. Whoever may modify the"
        " index can add it to min_age_exceptions"
    )


def parse_min_age(value: Any) -> str:
    """Read a time span: ``7d``, ``12h`` or a number of seconds; it is kept with its unit."""
    said = str(value).strip() if type(value) in (int, str) else ""
    if _seconds(said) is None:
        raise BadInput(f"'min_age' option must be a time span such as 7d, 12h or 3600, not {excerpt(value)}")
    return f"{said}s" if said.isdecimal() else said


def parse_exceptions(value: Any) -> list[str]:
    """Read a list of projects and ``name==version``, and normalise both."""
    return list(dict.fromkeys(_exceptions(parse_list(value))))


def _exceptions(items: Iterable[str]) -> Iterable[str]:
    for item in items:
        name, exact, version = (part.strip() for part in item.partition("=="))
        if not is_project_name(name) or (exact and not version):
            raise BadInput(f"'min_age_exceptions' option takes names and name==version, not {excerpt(item)}")
        yield normalize(name) + (f"=={normalized_version(version) or version}" if exact else "")


def _seconds(said: str) -> int | None:
    """Return a time span in seconds; None if it is none, or too long."""
    try:
        seconds = time_span(said)
    except ValueError:
        return None
    return seconds if seconds <= MAX_AGE_SECONDS else None
