"""The fixtures that tests of several folders use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support import CHEAP_HASHING, RunningServer


@pytest.fixture(scope="session")
def index_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Start one server for all tests; whoever uses it makes users with names of its own."""
    with RunningServer(tmp_path_factory.mktemp("index") / "server", *CHEAP_HASHING) as server:
        yield server
