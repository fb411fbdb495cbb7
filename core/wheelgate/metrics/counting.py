"""Counts by metric and labels: counters, gauges, and histograms."""

from __future__ import annotations

from bisect import bisect_left

from wheelgate.metrics.catalogue import SECONDS_BUCKETS, Metric
from wheelgate.metrics.shared_memory import WorkerNumbers


def series_key(name: str, **labels: str) -> str:
    """Return the name of a series as Prometheus writes it: ``name{label="value"}``."""
    escaped = (f'{label}="{_escaped(value)}"' for label, value in labels.items())
    return f"{name}{{{','.join(escaped)}}}" if labels else name


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def histogram_keys(metric: Metric, **labels: str) -> list[str]:
    """Return the series of a histogram of seconds: one for each bucket, and last the sum.

    Each bucket holds its own values only; the exposition adds them up.
    """
    bounds = [*(f"{bound:g}" for bound in SECONDS_BUCKETS), "+Inf"]
    buckets = [series_key(f"{metric.name}_bucket", **labels, le=bound) for bound in bounds]
    return [*buckets, series_key(f"{metric.name}_sum", **labels)]


class Numbers:
    """The numbers of this worker. Any thread may call any method."""

    def __init__(self, memory: WorkerNumbers) -> None:
        self.memory = memory

    def add(self, metric: Metric, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter or a gauge."""
        self.memory.add(series_key(metric.name, **labels), amount)

    def set(self, metric: Metric, value: float, **labels: str) -> None:
        """Set a gauge."""
        self.memory.values[self.memory.position(series_key(metric.name, **labels))] = value

    def observe(self, metric: Metric, seconds: float, **labels: str) -> None:
        """Add a duration to a histogram."""
        *buckets, total = histogram_keys(metric, **labels)
        for key in buckets:  # also the empty ones, so that the buckets can be added up
            self.memory.position(key)
        self.memory.add(buckets[bisect_left(SECONDS_BUCKETS, seconds)], 1.0)
        self.memory.add(total, seconds)
