"""How contenders are measured against each other: interleaved, in rounds, each sample long enough for the clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.tree import Tree

LONG_ENOUGH = 0.4
"""Seconds of CPU in a sample: the clock ticks in hundredths."""
MOST = 20_000
"""Repetitions in a sample, at most."""
WARM = 16
"""Repetitions that fill the caches of all workers."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that does the same thing as often as it is told."""

    tree: Tree
    """Whose CPU counts."""
    run: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Sample:
    """What one repetition took, in milliseconds."""

    cpu: float
    wall: float


def compare(contenders: Mapping[str, Contender], rounds: int) -> dict[str, list[Sample]]:
    """Measure the contenders in turn, as many rounds as told; return the samples of each in the order of rounds."""
    times = {name: enough(contender) for name, contender in contenders.items()}
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            samples[name].append(sample(contender, times[name]))
    return samples


def sample(contender: Contender, times: int) -> Sample:
    """Measure one contender once."""
    cpu, wall = contender.tree.cpu(), time.perf_counter()
    contender.run(times)
    wall = time.perf_counter() - wall
    cpu = contender.tree.cpu() - cpu
    return Sample(1000 * cpu / times, 1000 * wall / times)


def enough(contender: Contender) -> int:
    """Warm a contender up, and find out how many repetitions make a sample."""
    contender.run(WARM)  # what is done only once would count for many, and samples be too short for the clock
    times = 1
    while True:
        begun = contender.tree.cpu()
        contender.run(times)
        used = contender.tree.cpu() - begun
        if used >= LONG_ENOUGH / 5 or times >= MOST:
            return max(1, min(MOST, math.ceil(LONG_ENOUGH / max(used, 0.01) * times)))
        times *= 4
