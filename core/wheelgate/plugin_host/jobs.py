"""Runs the jobs of plugins in the background, each in a thread of its own, until the worker stops."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from wheelgate.errors import Refusal
from wheelgate.plugin_host.discovery import Implementation
from wheelgate.plugin_host.failures import failure_text
from wheelgate.providers import Job

CLOSE_SECONDS = 5.0
"""Seconds that a stopping worker waits for a run to end."""

log = logging.getLogger("wheelgate.jobs")


class Jobs:
    """The jobs of all plugins."""

    def __init__(self, jobs: Sequence[tuple[str, Job]]) -> None:
        """Take the jobs, each with the name of its plugin; none runs yet."""
        self._jobs = jobs
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def listeners(self) -> list[Implementation]:
        """Return those functions of the jobs that get events."""
        return [
            Implementation(plugin, job.notice, ("event",), instant=False, about=job.events)
            for plugin, job in self._jobs
            if job.notice is not None
        ]

    def start(self) -> None:
        """Start a thread for each job, which runs at once."""
        for plugin, job in self._jobs:
            # A run that hangs must not keep the worker from ending.
            thread = threading.Thread(target=self._repeat, args=(plugin, job), name=f"job-{job.name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def run_once(self) -> None:
        """Run each job once, in this thread."""
        for plugin, job in self._jobs:
            self._run(plugin, job)

    def close(self) -> None:
        """Tell the jobs to stop, and wait for them."""
        self._stopping.set()
        for _, job in self._jobs:
            job.wake.set()
        for thread in self._threads:
            thread.join(CLOSE_SECONDS)

    def _repeat(self, plugin: str, job: Job) -> None:
        while not self._stopping.is_set():
            job.wake.clear()
            self._run(plugin, job)
            if not self._stopping.is_set():
                job.wake.wait(job.every_seconds)

    def _run(self, plugin: str, job: Job) -> None:
        try:
            job.run(self._stopping.is_set)
        except Refusal as refusal:
            log.warning("plugin '%s': the job %s did not finish: %s", plugin, job.name, refusal)
        except Exception as error:  # noqa: BLE001 - third-party code must not end the thread
            log.error("plugin '%s' failed in the job %s: %s", plugin, job.name, failure_text(error))
