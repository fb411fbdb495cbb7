"""The fixtures that tests of several folders use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

settings.register_profile("fast", max_examples=20)
"""What ``make unit`` asks Hypothesis for; all other runs take its default of 100."""

MISSING_PROGRAM = re.compile(r"Skipped: (.+) is not installed")
"""The reason of tests that are skipped because a program is not installed."""


@pytest.fixture(scope="session")
def index_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Start one server for all tests; each test creates users with names that no other test uses."""
    with ServerProcess(tmp_path_factory.mktemp("index") / "server", *CHEAP_HASHING) as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Warn which programs are missing: a run without a directory or a proxy proves nothing about one."""
    reasons = [str(each.longrepr) for each in terminalreporter.stats.get("skipped", ())]
    missing = Counter(found[1] for reason in reasons if (found := MISSING_PROGRAM.search(reason)))
    if missing:
        terminalreporter.section("SOME TESTS DID NOT RUN", red=True, bold=True)
        for program, tests in missing.items():
            terminalreporter.line(f"{tests} tests need {program}, which is not installed")
