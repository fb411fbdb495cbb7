"""Jobs: work of plugins in the background of a worker."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from tests.helpers.sites import Serve

from wheelgate import Server, hookimpl
from wheelgate.errors import BackendUnavailable
from wheelgate.providers import Job

NEVER_SECONDS = 3600.0
WAIT_SECONDS = 20
"""Seconds within which a thread must have done its work."""


class Worker:
    """A plugin with one job, which counts its runs."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.ran = threading.Semaphore(0)
        self.stopped = threading.Event()
        self.wait_for_the_end = False
        self.job = Job("count", self._run, NEVER_SECONDS)

    @hookimpl
    def wheelgate_jobs(self, server: Server) -> list[Job]:
        """Provide the job."""
        return [self.job]

    def _run(self, stopping: Callable[[], bool]) -> None:
        self.ran.release()
        while self.wait_for_the_end and not stopping():
            threading.Event().wait(0.01)
        if stopping():
            self.stopped.set()
        if self.error is not None:
            raise self.error


def test_a_job_runs_at_the_start_and_when_it_is_woken(serve: Serve) -> None:
    """A worker runs a job as soon as it starts, and again when the plugin wakes it."""
    worker = Worker()
    site = serve(extra={"worker": worker})

    site.application.start_jobs()
    assert worker.ran.acquire(timeout=WAIT_SECONDS)
    worker.job.wake.set()
    assert worker.ran.acquire(timeout=WAIT_SECONDS)


def test_a_worker_stops_its_jobs(serve: Serve) -> None:
    """A run that would go on learns that the worker stops, and has ended when the worker has."""
    worker = Worker()
    worker.wait_for_the_end = True
    site = serve(extra={"worker": worker})
    site.application.start_jobs()
    assert worker.ran.acquire(timeout=WAIT_SECONDS)

    serve.stop()

    assert worker.stopped.is_set()
    assert "job-count" not in [thread.name for thread in threading.enumerate()]


def test_a_job_gets_its_events(serve: Serve) -> None:
    """A job gets the events that it names, and no others, before it runs for them."""
    worker, names = Worker(), list[str]()
    worker.job = replace(worker.job, events=frozenset({"IndexCreated"}), notice=lambda event: names.append(event.name))
    site = serve(extra={"worker": worker})
    alice = site.add_user("alice")
    site.request("PUT", "/alice/dev", {}, auth=alice)
    site.run_jobs()

    assert names == ["IndexCreated"]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("it broke"), "plugin 'bad' failed in the job count: ValueError: it broke"),
        (BackendUnavailable("the disk is full"), "plugin 'bad': the job count did not finish: the disk is full"),
    ],
    ids=["exception", "refusal"],
)
def test_a_job_that_raises_is_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture, error: Exception, line: str
) -> None:
    """A job that raises costs a line of the log; it runs again, and so do the others."""
    bad, good = Worker(error), Worker()
    site = serve(extra={"bad": bad, "good": good})
    with caplog.at_level(logging.WARNING, "wheelgate.jobs"):
        site.run_jobs()
    site.run_jobs()

    (logged,) = [record.getMessage() for record in caplog.records if record.name == "wheelgate.jobs"][:1]
    assert logged.startswith(line)
    assert all(worker.ran.acquire(timeout=0) and worker.ran.acquire(timeout=0) for worker in (bad, good))


def test_derived_changes_leave_the_serial(serve: Serve) -> None:
    """A transaction of derived data commits or rolls back as any other, and what was cached before stays valid."""
    database = serve().server.database
    before = database.serial()
    with database.transaction(derived=True):
        database.write("CREATE TABLE derived (name TEXT)")
        database.write("INSERT INTO derived VALUES (?)", ("kept",))
    with suppress(ZeroDivisionError), database.transaction(derived=True):
        database.write("INSERT INTO derived VALUES (?)", ("rolled back",))
        raise ZeroDivisionError

    assert database.read("SELECT name FROM derived") == [("kept",)]
    assert database.serial() == before
