"""How pages write times, sizes and addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

from markupsafe import Markup

BYTES_PER_UNIT = 1000
"""Sizes use the units of the SI, as browsers and file managers do."""
SIZE_UNITS = ("kB", "MB", "GB", "TB")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNQUOTED_IN_ADDRESS = "/+!@,=~:"
"""Characters of a path that an address contains unquoted, apart from letters, digits and ``-._~``."""


def time_element(moment: datetime) -> Markup:
    """Return a moment in UTC as ``<time>``; one without a zone counts as UTC."""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    machine = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    human = f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M} UTC"
    return Markup('<time datetime="{}">{}</time>').format(machine, human)


def size_text(size: int) -> str:
    """Return a number of bytes for people: ``934 bytes``, ``1.2 MB``."""
    if size < BYTES_PER_UNIT:
        return f"{size} byte" if size == 1 else f"{size} bytes"
    value = float(size)
    for unit in SIZE_UNITS:
        value /= BYTES_PER_UNIT
        if round(value, 1) < BYTES_PER_UNIT or unit == SIZE_UNITS[-1]:
            return f"{value:.1f} {unit}"
    raise AssertionError("the last unit takes every size")


def segment(name: str) -> str:
    """Return a name as one segment of an address."""
    return quote(name, "+!@,=~:")


def address(path: str) -> str:
    """Return a path as an address, without the slash at the beginning."""
    return quote(path, UNQUOTED_IN_ADDRESS)
