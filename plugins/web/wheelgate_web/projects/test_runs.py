"""Results of test runs, as tox writes them; whoever may upload results chooses what is in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wheelgate import Server
from wheelgate.caches import LruCache
from wheelgate.errors import Refusal
from wheelgate.packages import ReleaseFile
from wheelgate.server_view import VersionView, file_address
from wheelgate_web.projects.files import release_files

MAX_RESULT_BYTES = 1_000_000
"""Bytes of a result that is read; a larger one is only linked."""
MAX_RESULTS = 30
"""Results of a version that are read, the last ones."""
MAX_ENVIRONMENTS = 20
"""Environments of one result."""
MAX_NAME_CHARS = 100
RESULT_CACHE_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class Run:
    """The tests of one environment."""

    environment: str
    platform: str
    state: str
    """``passed``, ``failed``, or ``unknown`` if the result cannot be read."""


@dataclass(frozen=True, slots=True)
class TestResult:
    """A run, with the file that it is from."""

    run: Run
    tested: str
    """The name of the tested file."""
    address: str


class TestResults:
    """Reads results from the file storage."""

    def __init__(self, server: Server) -> None:
        self._files = server.files
        self._runs: LruCache[str, tuple[Run, ...]] = LruCache(RESULT_CACHE_ENTRIES)

    def of(self, view: VersionView) -> list[TestResult]:
        """Return the last result of each environment of each file of a version."""
        found: dict[tuple[str, str, str], TestResult] = {}
        for index, file in list(release_files(view, "toxresult"))[-MAX_RESULTS:]:
            tested = (file.for_path or "").rpartition("/")[2]
            for run in self._read(file):
                key = tested, run.environment, run.platform
                found[key] = TestResult(run, tested, file_address(index, file.path))
        return [found[key] for key in sorted(found)]

    def _read(self, file: ReleaseFile) -> tuple[Run, ...]:
        stored = file.stored
        if stored is None or stored.size > MAX_RESULT_BYTES:
            return (Run("tests", "", "unknown"),)
        known = self._runs.get(stored.sha256)
        if known is None:
            try:
                with self._files.open(stored) as content:
                    document = json.loads(content.read())
            except (Refusal, ValueError, RecursionError):
                document = None
            known = tuple(runs_of(document)) or (Run("tests", "", "unknown"),)
            self._runs.put(stored.sha256, known)
        return known


def runs_of(document: Any) -> Iterator[Run]:
    """Yield the runs in a result."""
    if not isinstance(document, Mapping) or not isinstance(document.get("testenvs"), Mapping):
        return
    platform = document.get("platform")
    for name, environment in list(document["testenvs"].items())[:MAX_ENVIRONMENTS]:
        if isinstance(environment, Mapping):
            shown = platform[:MAX_NAME_CHARS] if isinstance(platform, str) else ""
            yield Run(str(name)[:MAX_NAME_CHARS], shown, state_of(environment))


def state_of(environment: Mapping[str, Any]) -> str:
    """Return whether the tests of an environment passed: every command of it did, and there was one."""
    commands = [
        command
        for step in ("setup", "test")
        if isinstance(environment.get(step), list)
        for command in environment[step]
        if isinstance(command, Mapping)
    ]
    if any(command.get("retcode") not in (0, "0") for command in commands):
        return "failed"
    return "passed" if commands and environment.get("test") else "unknown"
