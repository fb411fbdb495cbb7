"""The bundled stores fulfil the contracts of the two protocols, on both databases."""

from __future__ import annotations

import pytest
from tests.plugins.sql_store.conftest import Stores

from wheelgate.store.protocols import IndexStore, UserStore
from wheelgate.testing.index_stores import IndexStoreContract
from wheelgate.testing.store_fixtures import Transaction
from wheelgate.testing.user_stores import UserStoreContract


class TestUsers(UserStoreContract):
    """The store of users."""

    @pytest.fixture
    def store(self, stores: Stores) -> UserStore:
        """Return the store under test."""
        return stores.users

    @pytest.fixture
    def transaction(self, stores: Stores) -> Transaction:
        """Return the transaction that the core opens around a change."""
        return stores.database.transaction


class TestIndices(IndexStoreContract):
    """The store of indices."""

    @pytest.fixture
    def store(self, stores: Stores) -> IndexStore:
        """Return the store under test."""
        return stores.indices

    @pytest.fixture
    def transaction(self, stores: Stores) -> Transaction:
        """Return the transaction that the core opens around a change."""
        return stores.database.transaction
