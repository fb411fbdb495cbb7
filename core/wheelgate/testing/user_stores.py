"""Contract tests for every :class:`~wheelgate.store.protocols.UserStore`.

Subclass the contract, and return an empty store from the fixture ``store``::

    class TestLdapUsers(UserStoreContract):
        @pytest.fixture
        def store(self) -> LdapUserStore:
            return LdapUserStore(...)

Tests of abilities that ``capabilities`` does not list are skipped.
"""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from wheelgate.errors import Conflict
from wheelgate.store.protocols import UserStore
from wheelgate.testing.store_fixtures import JSON_VALUES, LOOKALIKE_NAMES, StoreFixtures, Transaction
from wheelgate.values import User

CREATED_AT = datetime(2020, 2, 29, 23, 59, 59, tzinfo=UTC)
MODIFIED_AT = datetime(2021, 1, 1, tzinfo=UTC)

NAMES_TO_SORT = ["a", "b", "a-b", "a.b", "a_b", "Z", "\u00e9", "zz", "\u0431"]
"""Names of users that a locale would sort differently from their code points."""


def make_user(name: str = "alice", **fields: Any) -> User:
    """Return a user with these fields."""
    given: dict[str, Any] = {"stamp": f"stamp of {name}", "created": CREATED_AT} | fields
    return User(name, **given)


def require_capabilities(store: UserStore, *capabilities: str) -> None:
    """Skip the test if the store lacks one of the capabilities, or cannot create users."""
    missing = {"create", *capabilities} - store.capabilities
    if missing:
        pytest.skip(f"the store does not {', '.join(sorted(missing))}")


class UserStoreContract(StoreFixtures):
    """The tests that every user store passes."""

    def test_attributes_are_valid(self, store: UserStore) -> None:
        """A user store has a name, a boolean ``instant``, and a set of known capabilities."""
        assert store.name, "give a name"
        assert store.instant in {True, False}, "set 'instant' to True or False"
        known = {"create", "modify", "delete", "passwords"}
        assert store.capabilities <= known, f"list only {', '.join(sorted(known))}"

    def test_an_empty_store_has_no_users(self, store: UserStore) -> None:
        """An empty user store answers every question, and knows no user."""
        assert store.get("alice") is None
        assert list(store.list()) == []
        assert store.lookalike("alice") is None
        assert store.password_hash("alice") is None

    @pytest.mark.parametrize(
        "fields",
        [
            pytest.param({}, id="bare"),
            pytest.param({"email": "a@b.example", "title": "T", "description": "two\nlines"}, id="strings"),
            pytest.param({"email": "", "title": "", "description": ""}, id="empty strings"),
            pytest.param({"modified": MODIFIED_AT, "provider": "ldap"}, id="modified, from a provider"),
            pytest.param(
                {"title": "? %s ' \" \\ \U0001f40d", "description": "d" * 100_000}, id="long strings and quotes"
            ),
        ],
    )
    def test_keeps_users_as_they_are(self, store: UserStore, transaction: Transaction, fields: dict[str, Any]) -> None:
        """A user store returns a user as it was created, by name and in the list."""
        require_capabilities(store)
        user = make_user(**fields)
        with transaction():
            store.create(user, None)
        assert store.get("alice") == user, "return every field unchanged"
        assert list(store.list()) == [user], "list the user with every field"

    @pytest.mark.parametrize("value", JSON_VALUES)
    def test_keeps_custom_data(self, store: UserStore, transaction: Transaction, value: Any) -> None:
        """A user store returns custom data, any JSON value, as it was created or modified."""
        require_capabilities(store, "modify")
        with transaction():
            store.create(make_user("alice", custom_data=value), None)
            store.create(make_user("bob"), None)
            store.modify(make_user("bob"), {"custom_data": value})
        for name in ("alice", "bob"):
            stored = store.get(name)
            assert stored is not None, f"return the user {name}"
            assert stored.custom_data == value, "return custom data unchanged"
            assert type(stored.custom_data) is type(value), "keep the JSON type of custom data"

    def test_lists_by_name(self, store: UserStore, transaction: Transaction) -> None:
        """A user store lists users by name, in the order of code points."""
        require_capabilities(store)
        with transaction():
            for name in NAMES_TO_SORT:
                store.create(make_user(name), None)
        assert [known.name for known in store.list()] == sorted(NAMES_TO_SORT), "sort users by code points"

    def test_reads_names_exactly(self, store: UserStore, transaction: Transaction) -> None:
        """A user store finds a user by the exact name only, not by the same name in another case."""
        require_capabilities(store)
        with transaction():
            store.create(make_user("alice"), "hash")
        assert store.get("Alice") is None, "compare names exactly"
        assert store.password_hash("Alice") is None, "compare names exactly"

    def test_refuses_a_name_twice(self, store: UserStore, transaction: Transaction) -> None:
        """A user store raises ``Conflict`` for a user that exists, and changes nothing."""
        require_capabilities(store)
        with transaction():
            store.create(make_user(title="first"), "first")
        with pytest.raises(Conflict, match="exists"), transaction():
            store.create(make_user(title="second", stamp="other"), "second")
        assert list(store.list()) == [make_user(title="first")], "keep the first user"
        assert store.password_hash("alice") == "first", "keep the hash of the first user"

    @pytest.mark.parametrize(("first", "second"), LOOKALIKE_NAMES)
    def test_refuses_lookalikes(self, store: UserStore, transaction: Transaction, first: str, second: str) -> None:
        """A user store refuses a name equal to another after NFKC and case folding; the ``Conflict`` names that one."""
        require_capabilities(store)
        with transaction():
            store.create(make_user(first), None)
        assert store.lookalike(second) == first, "compare names after NFKC normalisation and case folding"
        assert store.lookalike(first) == first, "count a name as its own look-alike"
        assert store.lookalike("other") is None, "return None if no name looks alike"
        with pytest.raises(Conflict, match=first), transaction():
            store.create(make_user(second), None)
        assert [known.name for known in store.list()] == [first], "create no user after a conflict"

    @pytest.mark.parametrize(
        ("field", "before", "after"),
        [
            ("email", None, "a@b.example"),
            ("email", "a@b.example", None),
            ("title", "old", "new"),
            ("description", "old", ""),
            ("custom_data", {"a": 1}, [2]),
            ("custom_data", {"a": 1}, None),
            ("modified", None, MODIFIED_AT),
            ("provider", "", "ldap"),
        ],
    )
    def test_modifies_one_field(
        self, store: UserStore, transaction: Transaction, field: str, before: Any, after: Any
    ) -> None:
        """``modify`` sets the given fields, keeps all others, and returns the new user."""
        require_capabilities(store, "modify")
        old = replace(make_user(email="e", title="t", description="d"), **{field: before})
        with transaction():
            store.create(old, "hash")
            store.create(make_user("bob"), None)
            returned = store.modify(old, {field: after})
        assert returned == store.get("alice") == replace(old, **{field: after}), "set this field, and return the user"
        assert store.password_hash("alice") == "hash", "keep the password"
        assert store.get("bob") == make_user("bob"), "keep other users"

    def test_modifies_many_fields_or_none(self, store: UserStore, transaction: Transaction) -> None:
        """``modify`` takes several fields, or none."""
        require_capabilities(store, "modify")
        with transaction():
            store.create(make_user(), None)
            changed = store.modify(make_user(), {"title": "T", "email": "E", "modified": MODIFIED_AT})
            same = store.modify(make_user(), {})
        assert same == changed == make_user(title="T", email="E", modified=MODIFIED_AT)

    def test_merges_changes_to_different_fields(self, store: UserStore, transaction: Transaction) -> None:
        """``modify`` writes only the given fields: a concurrent change to another field is kept."""
        require_capabilities(store, "modify")
        with transaction():
            store.create(make_user(), None)
        with transaction():
            store.modify(make_user(), {"title": "theirs"})
        with transaction():
            returned = store.modify(make_user(), {"email": "mine"})
        assert returned == store.get("alice") == make_user(title="theirs", email="mine"), "write only the given fields"

    @pytest.mark.parametrize("again", [False, True], ids=["deleted", "deleted and created again"])
    @pytest.mark.parametrize(
        ("capability", "act"),
        [
            pytest.param("modify", lambda store: store.modify(make_user(), {"title": "T"}), id="modify"),
            pytest.param("modify", lambda store: store.modify(make_user(), {}), id="modify nothing"),
            pytest.param("delete", lambda store: store.delete(make_user()), id="delete"),
            pytest.param("passwords", lambda store: store.set_password_hash(make_user(), "new", "s2"), id="password"),
        ],
    )
    def test_refuses_to_change_a_deleted_user(
        self,
        store: UserStore,
        transaction: Transaction,
        capability: str,
        act: Callable[[UserStore], object],
        again: bool,
    ) -> None:
        """A user store raises ``Conflict`` for a change to a deleted user, even if the name belongs to a new user."""
        require_capabilities(store, "delete", capability)
        with transaction():
            store.create(make_user(), "old")
            store.delete(make_user())
            if again:
                store.create(make_user(stamp="another"), "theirs")
        with pytest.raises(Conflict, match="alice"), transaction():
            act(store)
        assert list(store.list()) == ([make_user(stamp="another")] if again else []), "compare stamps before a change"
        assert store.password_hash("alice") == ("theirs" if again else None), "compare stamps before a change"

    def test_deletes_users_completely(self, store: UserStore, transaction: Transaction) -> None:
        """``delete`` removes the user with the password hash, and frees the name and its look-alikes."""
        require_capabilities(store, "delete")
        with transaction():
            store.create(make_user("alice"), "hash")
            store.create(make_user("bob"), "other")
            store.delete(make_user("alice"))
        assert store.get("alice") is None, "remove the user"
        assert store.password_hash("alice") is None, "remove the password hash"
        assert store.lookalike("alice") is None, "free the name"
        assert list(store.list()) == [make_user("bob")], "keep other users"
        with transaction():
            store.create(make_user("ALICE"), None)
        assert store.get("ALICE") == make_user("ALICE")

    @pytest.mark.parametrize("stored", [None, "", "$argon2id$v=19$?%s'"], ids=["none", "empty password", "hash"])
    def test_distinguishes_three_kinds_of_password(
        self, store: UserStore, transaction: Transaction, stored: str | None
    ) -> None:
        """A user store tells no password, the empty password and a hash apart, after ``create`` and after a change."""
        require_capabilities(store, "passwords")
        with transaction():
            store.create(make_user("alice"), stored)
            store.create(make_user("bob"), "before")
            store.set_password_hash(make_user("bob"), stored, "s2")
        assert store.password_hash("alice") == stored, "return the hash as it was created"
        assert store.password_hash("bob") == stored, "return the hash as it was set"

    def test_a_new_password_replaces_the_stamp(self, store: UserStore, transaction: Transaction) -> None:
        """``set_password_hash`` replaces the stamp too: changes with the old stamp raise ``Conflict``."""
        require_capabilities(store, "passwords", "modify")
        with transaction():
            store.create(make_user(title="T"), "old")
            returned = store.set_password_hash(make_user(title="T"), "new", "s2")
        assert returned == store.get("alice") == make_user(title="T", stamp="s2")
        with pytest.raises(Conflict), transaction():
            store.set_password_hash(make_user(), "newer", "s3")
        with pytest.raises(Conflict), transaction():
            store.modify(make_user(), {"title": "U"})
        assert store.password_hash("alice") == "new", "change nothing after a conflict"
        assert store.get("alice") == returned, "change nothing after a conflict"

    def test_rehashes_an_unchanged_password(self, store: UserStore, transaction: Transaction) -> None:
        """``rehash`` replaces the old hash of the same password, unless the hash has changed since."""
        require_capabilities(store, "passwords")
        with transaction():
            store.create(make_user("alice"), "old")
            store.create(make_user("bob"), "old")
            store.rehash("alice", "old", "better")
            store.rehash("alice", "old", "late")
            store.rehash("nobody", "old", "new")
        assert store.password_hash("alice") == "better", "replace the hash once, and only if it is the old one"
        assert store.password_hash("bob") == "old", "keep the hashes of other users"
        assert list(store.list()) == [make_user("alice"), make_user("bob")], "keep the stamps"
