"""Contract tests for every :class:`~wheelgate.store.protocols.IndexStore`.

Subclass the contract, and return an empty store from the fixture ``store``::

    class TestLdapIndices(IndexStoreContract):
        @pytest.fixture
        def store(self) -> LdapIndexStore:
            return LdapIndexStore(...)
"""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wheelgate.errors import Conflict, NotFound
from wheelgate.store.protocols import IndexStore
from wheelgate.testing.store_fixtures import JSON_VALUES, LOOKALIKE_NAMES, StoreFixtures, Transaction
from wheelgate.values import Index


def make_index(owner: str = "alice", name: str = "dev", **config: Any) -> Index:
    """Return an index with this configuration."""
    return Index(owner, name, "stage", config)


class IndexStoreContract(StoreFixtures):
    """The tests that every index store passes."""

    def test_attributes_are_valid(self, store: IndexStore) -> None:
        """An index store has a name, and a boolean ``instant``."""
        assert store.name, "give a name"
        assert store.instant in {True, False}, "set 'instant' to True or False"

    def test_an_empty_store_has_no_indices(self, store: IndexStore) -> None:
        """An empty index store answers every question, and knows no index."""
        assert store.get("alice", "dev") is None
        assert list(store.list()) == []
        assert list(store.list("alice")) == []
        assert store.lookalike("alice", "dev") is None

    @pytest.mark.parametrize("value", JSON_VALUES)
    def test_keeps_indices_as_they_are(self, store: IndexStore, transaction: Transaction, value: Any) -> None:
        """An index store returns an index as it was created, with the keys in the same order."""
        index = Index("alice", "dev", "mirror", {"z": value, "a": [], "m": {"y": 1, "x": 2}})
        with transaction():
            store.create(index)
        stored = store.get("alice", "dev")
        assert stored == index, "return type and configuration unchanged"
        assert list(stored.config) == ["z", "a", "m"], "keep the order of the keys"
        assert list(store.list()) == [index], "list the index with its configuration"

    def test_keeps_an_index_without_configuration(self, store: IndexStore, transaction: Transaction) -> None:
        """An index store accepts an index without configuration."""
        with transaction():
            store.create(Index("alice", "dev", "stage"))
        assert store.get("alice", "dev") == make_index()

    def test_lists_by_path(self, store: IndexStore, transaction: Transaction) -> None:
        """An index store lists indices, of all owners or of one, by path in the order of code points."""
        paths = [(owner, name) for owner in ("a", "a-b", "a.b", "b", "B") for name in ("x", "a-b", "\u00e9")]
        with transaction():
            for owner, name in paths:
                store.create(make_index(owner, name))
        expected = sorted(f"{owner}/{name}" for owner, name in paths)
        assert [known.path for known in store.list()] == expected, "sort indices by code points"
        assert [known.path for known in store.list("a")] == ["a/a-b", "a/x", "a/\u00e9"], (
            "list this owner's indices only"
        )
        assert list(store.list("nobody")) == []

    def test_refuses_a_path_twice(self, store: IndexStore, transaction: Transaction) -> None:
        """An index store raises ``Conflict`` for an index that exists, and changes nothing; names are per owner."""
        with transaction():
            store.create(make_index("alice", "dev", first=True))
            store.create(make_index("bob", "dev"))
        with pytest.raises(Conflict, match="alice/dev"), transaction():
            store.create(make_index("alice", "dev", first=False))
        expected = [make_index("alice", "dev", first=True), make_index("bob", "dev")]
        assert list(store.list()) == expected, "keep the first index"

    @pytest.mark.parametrize(("first", "second"), LOOKALIKE_NAMES)
    def test_refuses_lookalikes(self, store: IndexStore, transaction: Transaction, first: str, second: str) -> None:
        """An index store refuses a look-alike of another index of the same owner; the ``Conflict`` names the other."""
        with transaction():
            store.create(make_index("alice", first))
        assert store.lookalike("alice", second) == first, "compare names after NFKC normalisation and case folding"
        assert store.lookalike("bob", second) is None, "compare the names of one owner only"
        with pytest.raises(Conflict, match=f"alice/{first}"), transaction():
            store.create(make_index("alice", second))
        with transaction():
            store.create(make_index("bob", second))
        assert [known.path for known in store.list("alice")] == [f"alice/{first}"]

    def test_replaces_the_configuration(self, store: IndexStore, transaction: Transaction) -> None:
        """``modify`` replaces the whole configuration, returns the new index, and keeps other indices."""
        with transaction():
            store.create(make_index(a=1, b=2))
            store.create(make_index("alice", "prod", a=1, b=2))
            returned = store.modify(make_index(a=1, b=2), {"b": [3], "c": {}})
        assert returned == store.get("alice", "dev") == make_index(b=[3], c={}), "replace the whole configuration"
        assert store.get("alice", "prod") == make_index("alice", "prod", a=1, b=2), "keep other indices"

    @pytest.mark.parametrize("key", ["acl_read", "aclxread"])
    def test_finds_a_key(self, store: IndexStore, transaction: Transaction, key: str) -> None:
        """``any_has`` finds a key of any index, and no text that only looks like one."""
        with transaction():
            store.create(make_index(title='"acl_read":', acl_readers=[], nested={"x": ["acl_read"]}))
            store.create(make_index("alice", "prod", title="x"))
        found = [store.any_has(key)]
        stored = store.get("alice", "prod")
        assert stored is not None, "return the index"
        with transaction():
            store.modify(stored, {"acl_read": []})
        found.append(store.any_has(key))
        assert found == [False, key == "acl_read"], "look for the key of a configuration, not for text"

    def test_modifies_an_index_that_it_returned(self, store: IndexStore, transaction: Transaction) -> None:
        """``modify`` takes an index that the store returned, from ``get`` or from an earlier ``modify``."""
        with transaction():
            store.create(make_index(bases=["root/pypi"], volatile=True))
        stored = store.get("alice", "dev")
        assert stored is not None, "return the index"
        with transaction():
            once = store.modify(stored, {**stored.config, "volatile": False})
            twice = store.modify(once, {**once.config, "title": "T"})
        assert twice == store.get("alice", "dev") == make_index(bases=["root/pypi"], volatile=False, title="T")

    @pytest.mark.parametrize(
        "concurrent_change",
        [
            pytest.param(lambda store: store.modify(make_index(a=1), {"a": 2}), id="changed"),
            pytest.param(lambda store: store.delete(make_index(a=1)), id="deleted"),
            pytest.param(
                lambda store: (store.delete(make_index(a=1)), store.create(Index("alice", "dev", "mirror", {"a": 1}))),
                id="replaced by another type",
            ),
        ],
    )
    def test_refuses_to_change_an_outdated_index(
        self, store: IndexStore, transaction: Transaction, concurrent_change: Callable[[IndexStore], object]
    ) -> None:
        """``modify`` raises ``Conflict`` if the index has changed since it was read, and overwrites nothing."""
        with transaction():
            store.create(make_index(a=1))
            concurrent_change(store)
        before = list(store.list())
        with pytest.raises(Conflict, match="alice/dev"), transaction():
            store.modify(make_index(a=1), {"a": 3})
        assert list(store.list()) == before, "change nothing after a conflict"

    def test_deletes_indices_completely(self, store: IndexStore, transaction: Transaction) -> None:
        """``delete`` removes the index and frees its name and look-alikes; a second ``delete`` raises ``NotFound``."""
        with transaction():
            store.create(make_index("alice", "dev"))
            store.create(make_index("alice", "prod"))
            store.create(make_index("bob", "dev"))
            store.delete(make_index("alice", "dev"))
        assert store.get("alice", "dev") is None, "remove the index"
        assert list(store.list()) == [make_index("alice", "prod"), make_index("bob", "dev")], "keep other indices"
        with pytest.raises(NotFound, match="alice/dev"), transaction():
            store.delete(make_index("alice", "dev"))
        with transaction():
            store.create(make_index("alice", "DEV"))
        assert store.get("alice", "DEV") == make_index("alice", "DEV")
