"""Measures contenders against each other: in alternating rounds, with samples that are long enough for the clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.tree import Tree

SAMPLE_CPU_SECONDS = 0.4
"""CPU time of a sample, much longer than the clock's resolution of 0.01 s."""
MAX_REPETITIONS_PER_SAMPLE = 20_000
WARM_UP_REPETITIONS = 16
"""Repetitions that fill the caches of all workers."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Something that repeats an action a given number of times."""

    tree: Tree
    """The processes whose CPU counts."""
    run: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Sample:
    """The time of one repetition, in milliseconds."""

    cpu: float
    wall: float


def compare(contenders: Mapping[str, Contender], rounds: int) -> dict[str, list[Sample]]:
    """Measure the contenders in turn for some rounds; return the samples of each, in the order of the rounds."""
    times = {name: repetitions_per_sample(contender) for name, contender in contenders.items()}
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


def repetitions_per_sample(contender: Contender) -> int:
    """Warm a contender up, and find out how many repetitions make a sample."""
    contender.run(WARM_UP_REPETITIONS)  # otherwise the cost of the first repetitions would make samples too short
    times = 1
    while True:
        begun = contender.tree.cpu()
        contender.run(times)
        used = contender.tree.cpu() - begun
        if used >= SAMPLE_CPU_SECONDS / 5 or times >= MAX_REPETITIONS_PER_SAMPLE:
            needed = math.ceil(SAMPLE_CPU_SECONDS / max(used, 0.01) * times)
            return max(1, min(MAX_REPETITIONS_PER_SAMPLE, needed))
        times *= 4
