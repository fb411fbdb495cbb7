"""Writes the metrics as text: version 0.0.4 of Prometheus' format, and OpenMetrics 1.0."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from wheelgate.metrics.catalogue import METRICS, Metric

TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
BUCKET_PATTERN = re.compile(r'(?P<series>.*?)[,{]le="(?P<bound>[^"]*)"}$')
SUFFIXES = {"histogram": ("_bucket", "_sum")}
"""What follows the name of a metric in the names of its series, by its kind."""


def exposition(numbers: Mapping[str, float], *, openmetrics: bool) -> str:
    """Return the text for the series, which are given by their keys."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for key in numbers:
        by_name[key.partition("{")[0]].append(key)
    lines: list[str] = []
    for metric in METRICS:
        names = [metric.name + suffix for suffix in SUFFIXES.get(metric.kind, ("",))]
        if any(name in by_name for name in names):
            # OpenMetrics, section 5.1: the name of a family of counters has no "_total".
            family = metric.name.removesuffix("_total") if openmetrics and metric.kind == "counter" else metric.name
            lines += [f"# HELP {family} {metric.help}", f"# TYPE {family} {metric.kind}"]
            for name in names:
                lines += _samples(metric, name, by_name[name], numbers)
    return "\n".join([*lines, *(["# EOF"] if openmetrics else []), ""])


def _samples(metric: Metric, name: str, keys: Iterable[str], numbers: Mapping[str, float]) -> list[str]:
    if name.endswith("_bucket") and metric.kind == "histogram":
        return _buckets(keys, numbers)
    return [f"{key} {_number(numbers[key])}" for key in sorted(keys)]


def _buckets(keys: Iterable[str], numbers: Mapping[str, float]) -> list[str]:
    """Add up the buckets: the sample of a bucket counts all values up to its bound, and the last one is the count."""
    by_series: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for key in keys:
        found = BUCKET_PATTERN.match(key)
        if found is not None:
            by_series[found["series"]].append((float(found["bound"]), key))
    lines = []
    for series, buckets in sorted(by_series.items()):
        total = 0.0
        for _, key in sorted(buckets):
            total += numbers[key]
            lines.append(f"{key} {_number(total)}")
        name, _, labels = series.partition("_bucket")
        counted = f"{name}_count{labels}}}" if labels else f"{name}_count"
        lines.append(f"{counted} {_number(total)}")
    return lines


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
