"""The fixtures that tests of several folders use."""

from __future__ import annotations

import gc
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

settings.register_profile("fast", max_examples=10)
"""What ``make unit`` asks Hypothesis for; all other runs take its default of 100."""

WHOLLY_SLOW = re.compile(r"^pytestmark = \[?\s*pytest\.mark\.slow\b", re.MULTILINE)
"""What stands in a file whose tests are all slow."""
MISSING_PROGRAM = re.compile(r"Skipped: (.+) is not installed")
"""The reason of tests that are skipped because a program is not installed."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out, from a run of the fast tests, the files in which all tests are slow: to import them takes long."""
    asked: str = config.option.markexpr
    if asked != "not slow" or not collection_path.name.startswith("test_"):
        return None
    return True if WHOLLY_SLOW.search(collection_path.read_text("utf-8")) else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare ``--rows``."""
    parser.addoption("--rows", type=int, metavar="N", help="run at most N rows of each table, spread over the table")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out rows of tables, for a quick answer: ``make unit`` asks for a few rows, all other runs for all."""
    most: int | None = config.option.rows
    if most is None or config.option.markexpr != "not slow":
        return
    tables: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("slow") is None:
            tables[item.nodeid.partition("[")[0]].append(item)
    kept = {row for rows in tables.values() for row in rows[:: -(-len(rows) // most)]}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


def pytest_collection_finish() -> None:
    """Exempt what was imported and collected from garbage collection, which takes a tenth of the CPU time otherwise."""
    gc.collect()
    gc.freeze()


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
