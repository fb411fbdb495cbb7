"""Imported passwords: every hash that devpi has written since 2013 works, and is renewed at the first login."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from tests.core.moving.conftest import Imported, first_fast
from tests.helpers.exports import Export, argon2i, argon2id, salted_sha256

from wheelgate.testing.site import Site

TYPED = unicodedata.normalize("NFD", "größe")
COMPOSED = unicodedata.normalize("NFC", TYPED)
HASHES: dict[str, Callable[[str], dict[str, str]]] = {
    "of 2013": salted_sha256,
    "of 2018": lambda password: {"pwhash": argon2i(password)},
    "of today": lambda password: {"pwhash": argon2id(password)},
}


def logs_in(site: Site, user: str, password: str) -> bool:
    """Return whether a login works, from an address of its own, so that no guess slows it down."""
    return site.request("POST", "/+login", {"user": user, "password": password}).status == 200


@pytest.mark.parametrize("age", first_fast(HASHES))
def test_a_hash_of_any_year(export: Export, imported: Imported, age: str) -> None:
    """The password works, in either form of Unicode; another does not; afterwards the hash is today's argon2id."""
    export.user("alice", **HASHES[age]("correct horse"))
    export.user("nora", **HASHES[age](TYPED))
    site = imported()

    assert not logs_in(site, "alice", "wrong")
    assert logs_in(site, "alice", "correct horse")
    assert not logs_in(site, "nora", "wrong " + TYPED)
    assert logs_in(site, "nora", TYPED)
    assert logs_in(site, "nora", COMPOSED)

    for user, password in (("alice", "correct horse"), ("nora", COMPOSED)):
        assert str(site.server.users.password_hash(user)).startswith("$argon2id$v=19$m=8,t=1,p=1$")
        assert logs_in(site, user, password)


@pytest.mark.parametrize("age", first_fast(HASHES))
def test_an_empty_password(export: Export, imported: Imported, age: str) -> None:
    """Nobody logs in with an empty password, whatever the hash says; root neither."""
    export.user("alice", **HASHES[age](""))
    export.user("root", **HASHES[age](""))
    site = imported()

    assert [logs_in(site, user, "") for user in ("alice", "root")] == [False, False]


def test_without_legacy_hashes(export: Export, imported: Imported) -> None:
    """With ``--no-legacy-hashes``, users of before 4.2 have no password, and all others keep theirs."""
    export.user("alice", **salted_sha256("correct horse"))
    export.user("bob", pwhash=argon2i("correct horse"))
    site = imported("--no-legacy-hashes")

    assert [logs_in(site, user, "correct horse") for user in ("alice", "bob")] == [False, True]


def test_root_keeps_the_password(export: Export, imported: Imported) -> None:
    """Root logs in with the password of the export, and no longer with an empty one."""
    site = imported()

    assert logs_in(site, "root", "root's")
    assert not logs_in(site, "root", "")


def test_a_root_without_password(export: Export, imported: Imported) -> None:
    """An export without root makes a root who cannot log in, not one with an empty password."""
    del export.users["root"]
    site = imported()

    assert not logs_in(site, "root", "")
    assert site.server.users.password_hash("root") is None
