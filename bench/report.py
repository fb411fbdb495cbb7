"""The report: rows with their limits, as a table and as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Bar:
    """The limit of a row.

    In a comparison, the limit is how many times as much ours may cost or, with ``at_least``, how many times less it
    must cost. Without a comparison, it limits the figure itself.
    """

    limit: float
    at_least: bool = False

    def ratio(self, ours: float, other: float) -> float:
        """Return the ratio that is limited."""
        return other / ours if self.at_least else ours / other

    def met(self, value: float) -> bool:
        """Whether a value is within the limit."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True, slots=True)
class Row:
    """One figure in all rounds, with the figure that it is compared with."""

    what: str
    unit: str
    ours: Sequence[float]
    whom: str = ""
    """The name of the contender that ours is compared with."""
    other: Sequence[float] = ()
    bar: Bar | None = None
    wall: tuple[float, float] | None = None
    """Wall time in milliseconds, ours and the other's; the figures themselves are CPU."""

    @property
    def median(self) -> float:
        """The figure."""
        return statistics.median(self.ours)

    @property
    def other_median(self) -> float | None:
        """The figure that it is compared with."""
        return statistics.median(self.other) if self.other else None

    @property
    def value(self) -> float:
        """The limited value: the ratio of the medians, or the figure itself."""
        other = self.other_median
        return self.median if other is None else self._direction.ratio(self.median, other)

    @property
    def worst(self) -> float:
        """The limited value in the worst round."""
        if not self.other:
            values = list(self.ours)
        else:
            values = [self._direction.ratio(*pair) for pair in zip(self.ours, self.other, strict=True)]
        return min(values) if self._direction.at_least else max(values)

    @property
    def met(self) -> bool | None:
        """Whether the value is within the limit; None if there is no limit."""
        return None if self.bar is None else self.bar.met(self.value)

    @property
    def _direction(self) -> Bar:
        return self.bar or Bar(0.0, at_least=bool(self.other))

    def as_json(self) -> dict[str, Any]:
        """Return the row with all its rounds."""
        return {
            "what": self.what,
            "unit": self.unit,
            "ours": list(self.ours),
            "compared_with": self.whom or None,
            "other": list(self.other),
            "value": self.value,
            "worst": self.worst,
            "bar": None if self.bar is None else {"limit": self.bar.limit, "at_least": self.bar.at_least},
            "met": self.met,
            "wall_ms": self.wall,
        }


TABLE_HEADINGS = ("what", "ours", "compared with", "ratio", "worst", "bar", "met", "wall ms", "other's")


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table that is also readable in a terminal."""
    lines = [TABLE_HEADINGS, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(TABLE_HEADINGS))]
    written = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    written.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(written)


def cells(row: Row) -> tuple[str, ...]:
    """Return the cells of one row."""
    other = row.other_median
    kind = "" if other is None else " less" if row.bar is None or row.bar.at_least else " as much"
    sign = "x" if other is not None else ""
    return (
        row.what,
        f"{figure(row.median)} {row.unit}",
        "" if other is None else f"{row.whom} {figure(other)} {row.unit}",
        "" if other is None else f"{row.value:.2f}x{kind}",
        f"{row.worst:.2f}{sign}",
        "" if row.bar is None else f"{'≥' if row.bar.at_least else '≤'} {row.bar.limit:g}{sign}",
        {None: "", True: "yes", False: "NO"}[row.met],
        "" if row.wall is None else figure(row.wall[0]),
        "" if row.wall is None else figure(row.wall[1]),
    )


def figure(value: float) -> str:
    """Return a number with three significant digits."""
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
