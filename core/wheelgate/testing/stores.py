"""What the protocols of :mod:`wheelgate.store.protocols` promise, as tests for any store.

Subclass, and say by a fixture how the store is made::

    class TestLdapUsers(UserStoreContract):
        @pytest.fixture
        def store(self) -> LdapUserStore:
            return LdapUserStore(...)

Every test needs an empty store. What a store says it cannot do is not tried.
"""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from wheelgate.errors import Conflict, NotFound
from wheelgate.store.protocols import IndexStore, UserStore
from wheelgate.values import Index, User

Transaction = Callable[[], AbstractContextManager[None]]

BORN = datetime(2020, 2, 29, 23, 59, 59, tzinfo=UTC)
LATER = datetime(2021, 1, 1, tzinfo=UTC)

LOOKALIKES = [
    pytest.param("alice", "Alice", id="case"),
    pytest.param("straße", "STRASSE", id="sharp s"),
    pytest.param("fix", "\ufb01x", id="ligature"),
    pytest.param("caf\u00e9", "cafe\u0301", id="combining accent"),
    pytest.param("bob1", "bob\uff11", id="wide digit"),
    pytest.param("\u03c3", "\u03c2", id="final sigma"),
]

JSON = [
    pytest.param({}, id="empty object"),
    pytest.param([], id="empty list"),
    pytest.param("", id="empty text"),
    pytest.param(0, id="zero"),
    pytest.param(False, id="false"),
    pytest.param([1, 2.5, -3, True, None, "x"], id="one of each"),
    pytest.param("? % ' \" \\ \u2028 \U0001f40d {} %s", id="signs that languages use"),
    pytest.param(2**63 - 1, id="largest integer"),
    pytest.param({"b": 1, "a": {"\u00e4": [{"deep": [[[[[[]]]]]]}]}}, id="nested"),
    pytest.param(["x" * 1000] * 900, id="nearly a megabyte"),
]

NAMES = ["a", "B", "b", "a-b", "a.b", "a_b", "Z", "\u00e9", "zz", "\u0431"]


def user(name: str = "alice", **fields: Any) -> User:
    """Make a user."""
    given: dict[str, Any] = {"stamp": f"stamp of {name}", "created": BORN} | fields
    return User(name, **given)


def index(owner: str = "alice", name: str = "dev", **config: Any) -> Index:
    """Make an index."""
    return Index(owner, name, "stage", config)


def need(store: UserStore, *capabilities: str) -> None:
    """Skip the test if the store cannot do what it is about."""
    missing = {"create", *capabilities} - store.capabilities
    if missing:
        pytest.skip(f"the store does not {', '.join(sorted(missing))}")


class UserStoreContract:
    """What a store of users promises."""

    @pytest.fixture
    def transaction(self) -> Transaction:
        """Return what core opens around a change: ``server.database.transaction``, if the store is in the database."""
        return nullcontext

    def test_says_what_it_is(self, store: UserStore) -> None:
        """A store has a name, says whether reads are instant, and what it can do."""
        assert store.name
        assert store.instant in {True, False}
        assert store.capabilities <= {"create", "modify", "delete", "passwords"}

    def test_knows_nobody_at_first(self, store: UserStore) -> None:
        """An empty store answers every question, and knows nobody."""
        assert store.get("alice") is None
        assert list(store.list()) == []
        assert store.lookalike("alice") is None
        assert store.password_hash("alice") is None

    @pytest.mark.parametrize(
        "fields",
        [
            pytest.param({}, id="bare"),
            pytest.param({"email": "a@b.example", "title": "T", "description": "two\nlines"}, id="texts"),
            pytest.param({"email": "", "title": "", "description": ""}, id="empty texts"),
            pytest.param({"modified": LATER, "provider": "ldap"}, id="modified, of a provider"),
            pytest.param({"title": "? %s ' \" \\ \U0001f40d", "description": "d" * 100_000}, id="long and odd texts"),
        ],
    )
    def test_keeps_users_as_they_are(self, store: UserStore, transaction: Transaction, fields: dict[str, Any]) -> None:
        """What is created is read back equal, by its name and in the list."""
        need(store)
        made = user(**fields)
        with transaction():
            store.create(made, None)
        assert store.get("alice") == made
        assert list(store.list()) == [made]

    @pytest.mark.parametrize("value", JSON)
    def test_keeps_custom_data(self, store: UserStore, transaction: Transaction, value: Any) -> None:
        """Custom data may be any JSON, and is read back as it was: as created, and as modified."""
        need(store, "modify")
        with transaction():
            store.create(user("alice", custom_data=value), None)
            store.create(user("bob"), None)
            store.modify(user("bob"), {"custom_data": value})
        for name in ("alice", "bob"):
            kept = store.get(name)
            assert kept is not None
            assert kept.custom_data == value
            assert type(kept.custom_data) is type(value)

    def test_lists_by_name(self, store: UserStore, transaction: Transaction) -> None:
        """The list is in the order of the names, by code points."""
        need(store)
        names = [name for name in NAMES if name != "B"]
        with transaction():
            for name in names:
                store.create(user(name), None)
        assert [known.name for known in store.list()] == sorted(names)

    def test_reads_names_exactly(self, store: UserStore, transaction: Transaction) -> None:
        """A name in another case is another name, though a look-alike."""
        need(store)
        with transaction():
            store.create(user("alice"), "hash")
        assert store.get("Alice") is None
        assert store.password_hash("Alice") is None

    def test_refuses_a_name_twice(self, store: UserStore, transaction: Transaction) -> None:
        """To create a user who exists is a conflict, and changes nothing."""
        need(store)
        with transaction():
            store.create(user(title="first"), "first")
        with pytest.raises(Conflict, match="exists"), transaction():
            store.create(user(title="second", stamp="other"), "second")
        assert list(store.list()) == [user(title="first")]
        assert store.password_hash("alice") == "first"

    @pytest.mark.parametrize(("first", "second"), LOOKALIKES)
    def test_refuses_lookalikes(self, store: UserStore, transaction: Transaction, first: str, second: str) -> None:
        """A name that equals another after NFKC and case folding is a conflict that names the other."""
        need(store)
        with transaction():
            store.create(user(first), None)
        assert store.lookalike(second) == first
        assert store.lookalike(first) == first
        assert store.lookalike("other") is None
        with pytest.raises(Conflict, match=first), transaction():
            store.create(user(second), None)
        assert [known.name for known in store.list()] == [first]

    @pytest.mark.parametrize(
        ("field", "before", "after"),
        [
            ("email", None, "a@b.example"),
            ("email", "a@b.example", None),
            ("title", "old", "new"),
            ("description", "old", ""),
            ("custom_data", {"a": 1}, [2]),
            ("custom_data", {"a": 1}, None),
            ("modified", None, LATER),
            ("provider", "", "ldap"),
        ],
    )
    def test_modifies_one_field(
        self, store: UserStore, transaction: Transaction, field: str, before: Any, after: Any
    ) -> None:
        """A change sets what it names, leaves the rest, and returns the user as it is then."""
        need(store, "modify")
        old = replace(user(email="e", title="t", description="d"), **{field: before})
        with transaction():
            store.create(old, "hash")
            store.create(user("bob"), None)
            returned = store.modify(old, {field: after})
        assert returned == store.get("alice") == replace(old, **{field: after})
        assert store.password_hash("alice") == "hash"
        assert store.get("bob") == user("bob")

    def test_modifies_many_fields_or_none(self, store: UserStore, transaction: Transaction) -> None:
        """A change may name several fields, or none at all."""
        need(store, "modify")
        with transaction():
            store.create(user(), None)
            changed = store.modify(user(), {"title": "T", "email": "E", "modified": LATER})
            same = store.modify(user(), {})
        assert same == changed == user(title="T", email="E", modified=LATER)

    def test_merges_changes_to_different_fields(self, store: UserStore, transaction: Transaction) -> None:
        """Who read the user before somebody else changed another field overwrites nothing."""
        need(store, "modify")
        with transaction():
            store.create(user(), None)
        with transaction():
            store.modify(user(), {"title": "theirs"})
        with transaction():
            returned = store.modify(user(), {"email": "mine"})
        assert returned == store.get("alice") == user(title="theirs", email="mine")

    @pytest.mark.parametrize("again", [False, True], ids=["deleted", "deleted and created again"])
    @pytest.mark.parametrize(
        ("capability", "act"),
        [
            pytest.param("modify", lambda store: store.modify(user(), {"title": "T"}), id="modify"),
            pytest.param("modify", lambda store: store.modify(user(), {}), id="modify nothing"),
            pytest.param("delete", lambda store: store.delete(user()), id="delete"),
            pytest.param("passwords", lambda store: store.set_password_hash(user(), "new", "s2"), id="password"),
        ],
    )
    def test_refuses_to_change_another_user_of_the_name(
        self,
        store: UserStore,
        transaction: Transaction,
        capability: str,
        act: Callable[[UserStore], object],
        again: bool,
    ) -> None:
        """Whoever was deleted since they were read cannot be changed, nor can who has their name now."""
        need(store, "delete", capability)
        with transaction():
            store.create(user(), "old")
            store.delete(user())
            if again:
                store.create(user(stamp="another"), "theirs")
        with pytest.raises(Conflict, match="alice"), transaction():
            act(store)
        assert list(store.list()) == ([user(stamp="another")] if again else [])
        assert store.password_hash("alice") == ("theirs" if again else None)

    def test_deletes_for_good(self, store: UserStore, transaction: Transaction) -> None:
        """A deleted user is gone with hash and name; the name, and its look-alikes, are free again."""
        need(store, "delete")
        with transaction():
            store.create(user("alice"), "hash")
            store.create(user("bob"), "other")
            store.delete(user("alice"))
        assert store.get("alice") is None
        assert store.password_hash("alice") is None
        assert store.lookalike("alice") is None
        assert list(store.list()) == [user("bob")]
        with transaction():
            store.create(user("ALICE"), None)
        assert store.get("ALICE") == user("ALICE")

    @pytest.mark.parametrize("stored", [None, "", "$argon2id$v=19$?%s'"], ids=["none", "empty password", "hash"])
    def test_tells_three_kinds_of_passwords(
        self, store: UserStore, transaction: Transaction, stored: str | None
    ) -> None:
        """No password, the empty password and a hash are three things: as created, and as set."""
        need(store, "passwords")
        with transaction():
            store.create(user("alice"), stored)
            store.create(user("bob"), "before")
            store.set_password_hash(user("bob"), stored, "s2")
        assert store.password_hash("alice") == stored
        assert store.password_hash("bob") == stored

    def test_a_new_password_brings_a_new_stamp(self, store: UserStore, transaction: Transaction) -> None:
        """Setting the hash replaces the stamp too; who still holds the old stamp can change nothing."""
        need(store, "passwords", "modify")
        with transaction():
            store.create(user(title="T"), "old")
            returned = store.set_password_hash(user(title="T"), "new", "s2")
        assert returned == store.get("alice") == user(title="T", stamp="s2")
        with pytest.raises(Conflict), transaction():
            store.set_password_hash(user(), "newer", "s3")
        with pytest.raises(Conflict), transaction():
            store.modify(user(), {"title": "U"})
        assert store.password_hash("alice") == "new"
        assert store.get("alice") == returned

    def test_rehashes_an_unchanged_password(self, store: UserStore, transaction: Transaction) -> None:
        """A better hash of the same password takes the place of the old one, if that is still there."""
        need(store, "passwords")
        with transaction():
            store.create(user("alice"), "old")
            store.create(user("bob"), "old")
            store.rehash("alice", "old", "better")
            store.rehash("alice", "old", "late")
            store.rehash("nobody", "old", "new")
        assert store.password_hash("alice") == "better"
        assert store.password_hash("bob") == "old"
        assert list(store.list()) == [user("alice"), user("bob")]


class IndexStoreContract:
    """What a store of indices promises."""

    @pytest.fixture
    def transaction(self) -> Transaction:
        """Return what core opens around a change: ``server.database.transaction``, if the store is in the database."""
        return nullcontext

    def test_says_what_it_is(self, store: IndexStore) -> None:
        """A store has a name and says whether reads are instant."""
        assert store.name
        assert store.instant in {True, False}

    def test_knows_nothing_at_first(self, store: IndexStore) -> None:
        """An empty store answers every question, and knows no index."""
        assert store.get("alice", "dev") is None
        assert list(store.list()) == []
        assert list(store.list("alice")) == []
        assert store.lookalike("alice", "dev") is None

    @pytest.mark.parametrize("value", JSON)
    def test_keeps_indices_as_they_are(self, store: IndexStore, transaction: Transaction, value: Any) -> None:
        """What is created is read back equal, with the keys in their order."""
        made = Index("alice", "dev", "mirror", {"z": value, "a": [], "m": {"y": 1, "x": 2}})
        with transaction():
            store.create(made)
        kept = store.get("alice", "dev")
        assert kept == made
        assert list(kept.config) == ["z", "a", "m"]
        assert list(store.list()) == [made]

    def test_keeps_an_index_without_configuration(self, store: IndexStore, transaction: Transaction) -> None:
        """The configuration may be left out."""
        with transaction():
            store.create(Index("alice", "dev", "stage"))
        assert store.get("alice", "dev") == index()

    def test_lists_by_path(self, store: IndexStore, transaction: Transaction) -> None:
        """The list is in the order of the paths, by code points, and can be had for one owner."""
        paths = [(owner, name) for owner in ("a", "a-b", "a.b", "b", "B") for name in ("x", "a-b", "\u00e9")]
        with transaction():
            for owner, name in paths:
                store.create(index(owner, name))
        assert [known.path for known in store.list()] == sorted(f"{owner}/{name}" for owner, name in paths)
        assert [known.path for known in store.list("a")] == ["a/a-b", "a/x", "a/\u00e9"]
        assert list(store.list("nobody")) == []

    def test_refuses_a_path_twice(self, store: IndexStore, transaction: Transaction) -> None:
        """To create an index that exists is a conflict, and changes nothing; another owner's is another."""
        with transaction():
            store.create(index("alice", "dev", first=True))
            store.create(index("bob", "dev"))
        with pytest.raises(Conflict, match="alice/dev"), transaction():
            store.create(index("alice", "dev", first=False))
        assert list(store.list()) == [index("alice", "dev", first=True), index("bob", "dev")]

    @pytest.mark.parametrize(("first", "second"), LOOKALIKES)
    def test_refuses_lookalikes(self, store: IndexStore, transaction: Transaction, first: str, second: str) -> None:
        """A name that looks like another of the same owner is a conflict that names the other."""
        with transaction():
            store.create(index("alice", first))
        assert store.lookalike("alice", second) == first
        assert store.lookalike("bob", second) is None
        with pytest.raises(Conflict, match=f"alice/{first}"), transaction():
            store.create(index("alice", second))
        with transaction():
            store.create(index("bob", second))
        assert [known.path for known in store.list("alice")] == [f"alice/{first}"]

    def test_replaces_the_configuration(self, store: IndexStore, transaction: Transaction) -> None:
        """A change replaces the whole configuration and returns the index as it is then; others stay."""
        with transaction():
            store.create(index(a=1, b=2))
            store.create(index("alice", "prod", a=1, b=2))
            returned = store.modify(index(a=1, b=2), {"b": [3], "c": {}})
        assert returned == store.get("alice", "dev") == index(b=[3], c={})
        assert store.get("alice", "prod") == index("alice", "prod", a=1, b=2)

    def test_replaces_what_it_has_read(self, store: IndexStore, transaction: Transaction) -> None:
        """An index that was read can be changed, and what the change returned can be changed again."""
        with transaction():
            store.create(index(bases=["root/pypi"], volatile=True))
        kept = store.get("alice", "dev")
        assert kept is not None
        with transaction():
            once = store.modify(kept, {**kept.config, "volatile": False})
            twice = store.modify(once, {**once.config, "title": "T"})
        assert twice == store.get("alice", "dev") == index(bases=["root/pypi"], volatile=False, title="T")

    @pytest.mark.parametrize(
        "meanwhile",
        [
            pytest.param(lambda store: store.modify(index(a=1), {"a": 2}), id="changed"),
            pytest.param(lambda store: store.delete(index(a=1)), id="deleted"),
            pytest.param(
                lambda store: (store.delete(index(a=1)), store.create(Index("alice", "dev", "mirror", {"a": 1}))),
                id="replaced by another type",
            ),
        ],
    )
    def test_refuses_to_change_what_has_changed(
        self, store: IndexStore, transaction: Transaction, meanwhile: Callable[[IndexStore], object]
    ) -> None:
        """Of two who read the same index and change it, the second is told so, and overwrites nothing."""
        with transaction():
            store.create(index(a=1))
            meanwhile(store)
        before = list(store.list())
        with pytest.raises(Conflict, match="alice/dev"), transaction():
            store.modify(index(a=1), {"a": 3})
        assert list(store.list()) == before

    def test_deletes_for_good(self, store: IndexStore, transaction: Transaction) -> None:
        """A deleted index is gone and its name free; to delete it again is to find nothing."""
        with transaction():
            store.create(index("alice", "dev"))
            store.create(index("alice", "prod"))
            store.create(index("bob", "dev"))
            store.delete(index("alice", "dev"))
        assert store.get("alice", "dev") is None
        assert list(store.list()) == [index("alice", "prod"), index("bob", "dev")]
        with pytest.raises(NotFound, match="alice/dev"), transaction():
            store.delete(index("alice", "dev"))
        with transaction():
            store.create(index("alice", "DEV"))
        assert store.get("alice", "DEV") == index("alice", "DEV")
