"""The metrics as one worker has them: its own numbers to write, and those of all workers to read."""

from __future__ import annotations

import os
from dataclasses import dataclass

from wheelgate.metrics.counting import Numbers
from wheelgate.metrics.shared_memory import SharedNumbers


@dataclass(frozen=True, slots=True)
class WorkerMetrics:
    """The numbers of a worker, and those of all."""

    own: Numbers
    shared: SharedNumbers


def worker_metrics(shared: SharedNumbers, part: int) -> WorkerMetrics:
    """Return the metrics of this process, which writes to a part of the shared memory."""
    memory = shared.part(part)
    memory.take_over(os.getpid())
    return WorkerMetrics(Numbers(memory), shared)


def private_metrics() -> WorkerMetrics:
    """Return the metrics of a process that shares them with no other."""
    return worker_metrics(SharedNumbers(1), 0)
