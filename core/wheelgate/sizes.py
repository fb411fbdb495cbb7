"""Numbers of bytes as people read them."""

from __future__ import annotations

SIZE_UNITS = ("bytes", "kB", "MB", "GB", "TB")
"""Each is a thousand of the one before it."""


def readable_size(size: int) -> str:
    """Return a number of bytes with a unit and at most one decimal, such as ``3.4 MB``."""
    number, unit = float(size), 0
    while number >= 999.95 and unit + 1 < len(SIZE_UNITS):
        number, unit = number / 1000, unit + 1
    return f"{number:.1f} {SIZE_UNITS[unit]}" if unit else f"{size} bytes"
