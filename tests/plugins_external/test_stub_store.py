"""A third-party store passes the contract tests for the two protocols of stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from wheelgate.store.protocols import IndexStore, UserStore
from wheelgate.testing.index_stores import IndexStoreContract
from wheelgate.testing.user_stores import UserStoreContract

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stub(installed: Callable[[str], Path]) -> Iterator[Any]:
    """Import the installed plugin."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(installed("stub_store"))
        yield import_module("wheelgate_stub_store")


class TestUsers(UserStoreContract):
    """The user store."""

    @pytest.fixture
    def store(self, stub: Any, tmp_path: Path) -> UserStore:
        """Return the store under test."""
        store: UserStore = stub.FileUserStore(stub.JsonFile(tmp_path / "store.json"))
        return store


class TestIndices(IndexStoreContract):
    """The index store."""

    @pytest.fixture
    def store(self, stub: Any, tmp_path: Path) -> IndexStore:
        """Return the store under test."""
        store: IndexStore = stub.FileIndexStore(stub.JsonFile(tmp_path / "store.json"))
        return store
