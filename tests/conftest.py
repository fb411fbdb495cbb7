"""The fixtures that tests of several folders use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wheelgate.testing.process import CHEAP_HASHING, RunningServer


@pytest.fixture(scope="session")
def index_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Start one server for all tests; whoever uses it makes users with names of its own."""
    with RunningServer(tmp_path_factory.mktemp("index") / "server", *CHEAP_HASHING) as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what did not run: a run without a directory proves nothing about one."""
    skipped = [each for each in terminalreporter.stats.get("skipped", ()) if "slapd" in str(each.longrepr)]
    if skipped:
        terminalreporter.section("THE TESTS WITH A REAL DIRECTORY DID NOT RUN", red=True, bold=True)
        terminalreporter.line(f"{len(skipped)} tests need slapd; install it: apt-get install slapd")
