"""Group commit: concurrent changes share one transaction and one wait for the disk.

Databases do the same with the transactions of several clients. Here it also saves the cost of a transaction for each
change, and the threads of a worker do not compete for the interpreter. It is for SQLite, which allows one writer at a
time. In other databases the changes of one transaction would hold each other's locks.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

from wheelgate.logs import error_location
from wheelgate.threads.pool import lower_priority

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

MAX_GROUP_JOBS = 64
"""Jobs that share a transaction; the first one waits for all of them."""

log = logging.getLogger("wheelgate.store")

RunInTransaction = Callable[[Callable[[], Any]], Any]
"""Calls a function within a transaction, which is rolled back if the function raises."""


class CommitJob(Protocol[T_co]):
    """A change, with the work before and after its transaction. One thread calls the methods in this order."""

    def prepare(self) -> None:
        """Do the work that needs no transaction. It may raise a refusal. Files need not be on the disk yet."""

    def sync(self) -> None:
        """Wait until the files from :meth:`prepare` are on the disk."""

    def change(self) -> T_co:
        """Change the database within a transaction. It may be called twice if another job of the group fails."""

    def finish(self, *, changed: bool) -> None:
        """Clean up after the transaction, also if another method raised. Must not raise."""


@dataclass(frozen=True, slots=True)
class PlainChange(Generic[T]):
    """A job with nothing but a change."""

    change: Callable[[], T]

    def prepare(self) -> None:
        """Do nothing."""

    def sync(self) -> None:
        """Do nothing."""

    def finish(self, *, changed: bool) -> None:
        """Do nothing."""


def run_alone(job: CommitJob[T], transact: RunInTransaction) -> T:
    """Run a job in a transaction of its own, in the current thread."""
    changed = False
    try:
        job.prepare()
        job.sync()
        answer: T = transact(job.change)
        changed = True
    finally:
        job.finish(changed=changed)
    return answer


@dataclass(slots=True)
class PendingJob:
    """A job and the future of its caller."""

    job: CommitJob[Any]
    future: asyncio.Future[Any]
    context: Context = field(default_factory=copy_context)
    """The context of the caller, so that a line of the log names the request that it is about."""
    answer: Any = None
    problem: Exception | None = None

    def attempt(self, step: Callable[[], Any]) -> None:
        """Take the next step, unless an earlier one failed."""
        if self.problem is None:
            try:
                self.answer = self.context.run(step)
            except Exception as problem:  # noqa: BLE001 - the caller of the job gets it
                self.problem = problem

    def finish(self) -> None:
        """Clean up after the job."""
        try:
            self.job.finish(changed=self.problem is None)
        except Exception as error:  # noqa: BLE001 - the other jobs still have to finish
            log.error("the clean-up after a change failed: %s", error_location(error))


class GroupCommit:
    """Runs jobs in one thread, all that are waiting at a time together."""

    def __init__(self, name: str, transact: RunInTransaction, *, gather: float = 0.0, niceness: int = 0) -> None:
        """Prepare the group commit; its thread starts with the first job.

        Args:
            name: the name of the thread.
            transact: opens transactions.
            gather: seconds for which the first job waits for others. Jobs that arrive during a commit share the next.
            niceness: by how much the priority of the thread is lower than that of others.
        """
        self._name = name
        self._transact = transact
        self._delay = gather
        self._niceness = niceness
        self._lock = threading.Lock()
        self._waiting: list[PendingJob] = []
        self._busy = False
        """Whether the thread works on a group; it takes the next one by itself afterwards."""
        self._groups: SimpleQueue[list[PendingJob]] = SimpleQueue()
        """Wakes the thread with a group; an empty one ends it."""
        self._thread: threading.Thread | None = None

    async def run(self, job: CommitJob[T]) -> T:
        """Run a job, to completion even if the caller goes away; raise the exception of the job."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._lock:
            self._waiting.append(PendingJob(job, future))
            if not self._busy:
                loop.call_later(self._delay, self._hand_over)
        return await future

    def close(self) -> None:
        """Run the waiting jobs and end the thread. Call it after the event loop has ended."""
        if self._thread is not None:
            self._hand_over()
            self._groups.put([])
            self._thread.join()

    def _hand_over(self) -> None:
        """Wake the thread with the next group, unless it is busy."""
        if not self._busy and (group := self._next_group()):
            self._groups.put(group)

    def _next_group(self) -> list[PendingJob]:
        """Return the next group, and note that the thread is busy with it; empty if no job waits."""
        with self._lock:
            group, self._waiting = self._waiting[:MAX_GROUP_JOBS], self._waiting[MAX_GROUP_JOBS:]
            self._busy = bool(group)
        return group

    def _run(self) -> None:
        lower_priority(self._niceness)
        while group := self._groups.get():
            while group:
                self._commit(group)
                with suppress(RuntimeError):  # the loop has ended, and no caller waits any more
                    group[0].future.get_loop().call_soon_threadsafe(resolve_futures, group)
                group = self._next_group()

    def _commit(self, group: Sequence[PendingJob]) -> None:
        for pending in group:
            pending.attempt(pending.job.prepare)
        for pending in group:
            pending.attempt(pending.job.sync)
        ready = [pending for pending in group if pending.problem is None]
        try:
            answers = (
                self._transact(lambda: [pending.context.run(pending.job.change) for pending in ready]) if ready else []
            )
            for pending, answer in zip(ready, answers, strict=True):
                pending.answer = answer
        except Exception:  # noqa: BLE001 - alone, each job shows whether it was the one that failed
            for pending in ready:
                pending.attempt(partial(self._transact, pending.job.change))
        for pending in group:
            pending.context.run(pending.finish)


def resolve_futures(group: Sequence[PendingJob]) -> None:
    """Set the futures of the jobs, on the event loop of their callers."""
    for pending in group:
        if pending.future.done():  # the client has gone
            continue
        if pending.problem is None:
            pending.future.set_result(pending.answer)
        else:
            pending.future.set_exception(pending.problem)
