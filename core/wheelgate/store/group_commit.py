"""Makes changes that wait at the same time durable together: the disk is waited for once, however many there are.

The name is that of databases, which do the same with the transactions of several clients. Here it also spares each
change a transaction, and the threads of a worker the fight for the interpreter. It is for SQLite, which has one writer:
elsewhere those that are in one transaction would hold each other's locks.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

from wheelgate.logs import where
from wheelgate.threads.pool import stand_back

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

MOST = 64
"""Changes that are made together, at most: the first one waits for all of them."""

log = logging.getLogger("wheelgate.store")

Transact = Callable[[Callable[[], Any]], Any]
"""Calls a function inside a transaction, which is undone if it raises."""


class Job(Protocol[T_co]):
    """A change with what comes before and after it; its methods are called in this order, in one thread."""

    def prepare(self) -> None:
        """Do what needs no transaction, and may be refused. What it writes need not be on the disk yet."""

    def secure(self) -> None:
        """Wait until what was prepared is on the disk."""

    def change(self) -> T_co:
        """Change the database, within a transaction. It may be called again if another job of the same one failed."""

    def leave(self, *, changed: bool) -> None:
        """Clear up, outside of transactions; also called if one of the others raised. Must not raise."""


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """A job that is a change and nothing else."""

    change: Callable[[], T]

    def prepare(self) -> None:
        """Do nothing."""

    def secure(self) -> None:
        """Do nothing."""

    def leave(self, *, changed: bool) -> None:
        """Do nothing."""


def alone(job: Job[T], transact: Transact) -> T:
    """Do a job in a transaction of its own."""
    changed = False
    try:
        job.prepare()
        job.secure()
        answer: T = transact(job.change)
        changed = True
    finally:
        job.leave(changed=changed)
    return answer


@dataclass(slots=True)
class Waiting:
    """A job, and who waits for it."""

    job: Job[Any]
    future: asyncio.Future[Any]
    answer: Any = None
    problem: Exception | None = None

    def attempt(self, step: Callable[[], Any]) -> None:
        """Take the next step, unless an earlier one failed."""
        if self.problem is None:
            try:
                self.answer = step()
            except Exception as problem:  # noqa: BLE001 - it is raised where the job is waited for
                self.problem = problem


class GroupCommit:
    """One thread that takes all jobs which have come meanwhile, and does them together."""

    def __init__(self, name: str, transact: Transact, *, gather: float = 0.0, niceness: int = 0) -> None:
        """Make it; the thread starts with the first job.

        Args:
            name: the thread's.
            transact: opens transactions.
            gather: seconds that the first job waits for others; those that come while the disk is busy do so anyhow.
            niceness: by how much the thread stands back behind others when processors are scarce.
        """
        self._name = name
        self._transact = transact
        self._delay = gather
        self._niceness = niceness
        self._lock = threading.Lock()
        self._gathered: list[Waiting] = []
        self._busy = False
        """Whether the thread has a group; when it is through with that, it takes the next one by itself."""
        self._groups: SimpleQueue[list[Waiting]] = SimpleQueue()
        """Wakes the thread, once for each group; an empty one ends it."""
        self._thread: threading.Thread | None = None

    async def do(self, job: Job[T]) -> T:
        """Do a job, which comes to its end also if nobody waits for it any longer; raise what it raises."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._lock:
            self._gathered.append(Waiting(job, future))
            if not self._busy:
                loop.call_later(self._delay, self._hand_over)
        return await future

    def close(self) -> None:
        """Do what waits, and end the thread. After the event loop has ended."""
        if self._thread is not None:
            self._hand_over()
            self._groups.put([])
            self._thread.join()

    def _hand_over(self) -> None:
        """Wake the thread, unless it is awake."""
        if not self._busy and (group := self._next()):
            self._groups.put(group)

    def _next(self) -> list[Waiting]:
        """Return the next group, which the thread is busy with from now on; empty if there is none."""
        with self._lock:
            group, self._gathered = self._gathered[:MOST], self._gathered[MOST:]
            self._busy = bool(group)
        return group

    def _run(self) -> None:
        stand_back(self._niceness)
        while group := self._groups.get():
            while group:
                self._do(group)
                with suppress(RuntimeError):  # the loop has ended, and nobody waits any longer
                    group[0].future.get_loop().call_soon_threadsafe(tell, group)
                group = self._next()

    def _do(self, group: Sequence[Waiting]) -> None:
        for waiting in group:
            waiting.attempt(waiting.job.prepare)
        for waiting in group:
            waiting.attempt(waiting.job.secure)
        ready = [waiting for waiting in group if waiting.problem is None]
        try:
            answers = self._transact(lambda: [waiting.job.change() for waiting in ready]) if ready else []
            for waiting, answer in zip(ready, answers, strict=True):
                waiting.answer = answer
        except Exception:  # noqa: BLE001 - which of them it was shows when each is on its own
            for waiting in ready:
                waiting.attempt(partial(self._transact, waiting.job.change))
        for waiting in group:
            try:
                waiting.job.leave(changed=waiting.problem is None)
            except Exception as error:  # noqa: BLE001 - the others must have their turn
                log.error("a change could not be cleared up after: %s", where(error))


def tell(group: Sequence[Waiting]) -> None:
    """Hand over what has become of the jobs, on the event loop of those who wait."""
    for waiting in group:
        if waiting.future.done():  # its client has gone
            continue
        if waiting.problem is None:
            waiting.future.set_result(waiting.answer)
        else:
            waiting.future.set_exception(waiting.problem)
