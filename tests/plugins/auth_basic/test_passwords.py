"""Passwords at rest: how they are hashed, and that nobody learns from an answer who has one."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import argon2
import pytest
from tests.helpers.sites import Serve

import wheelgate_auth_basic
from wheelgate import Option, Server, hookimpl
from wheelgate.config import Config
from wheelgate.providers import Authenticator, CredentialExtractor, PasswordHasher
from wheelgate.testing.site import Response, Site
from wheelgate_auth_basic.passwords import Hasher, PasswordAuthenticator


def stored(folder: Path, user: str) -> str:
    """Return what the database keeps of a password."""
    with closing(sqlite3.connect(folder / "wheelgate.db")) as database:
        query = "SELECT password_hash FROM sql_store_user WHERE name = ?"
        return str(database.execute(query, (user,)).fetchone()[0])


def keep(folder: Path, user: str, kept: str | None) -> None:
    """Put something else there."""
    with closing(sqlite3.connect(folder / "wheelgate.db")) as database:
        database.execute("UPDATE sql_store_user SET password_hash = ? WHERE name = ?", (kept, user))
        database.commit()


def test_a_password_is_kept_as_argon2id(serve: Serve, tmp_path: Path) -> None:
    """What is kept is argon2id with a salt of its own and the parameters of the settings, and no password."""
    site = serve(argon2_memory_cost="64", argon2_time_cost="2", argon2_parallelism="2")
    for name in ("alice", "bob"):
        site.add_user(name, "correct horse")

    kept = [stored(tmp_path / "server", name) for name in ("alice", "bob")]

    assert all(text.startswith("$argon2id$v=19$m=64,t=2,p=2$") for text in kept)
    assert kept[0] != kept[1]
    assert argon2.PasswordHasher().verify(kept[0], "correct horse")


def test_the_default_costs_what_is_recommended() -> None:
    """Unless the settings say otherwise, hashing takes what RFC 9106 recommends where memory is scarce."""
    defaults = {option.key: option.default for option in wheelgate_auth_basic.wheelgate_options()}

    assert defaults == {"argon2-memory-cost": 65536, "argon2-time-cost": 3, "argon2-parallelism": 4}


def test_a_hash_of_other_parameters_is_renewed_at_the_next_login(serve: Serve, tmp_path: Path) -> None:
    """Better parameters reach everybody who logs in; sessions go on, for the password is the same."""
    session = serve().add_user("alice", "correct horse")
    before = stored(tmp_path / "server", "alice")
    site = serve(argon2_time_cost="2")

    assert site.login("alice", "correct horse")

    after = stored(tmp_path / "server", "alice")
    assert ",t=1," in before
    assert ",t=2," in after
    assert site.request("GET", "/+api", auth=session).result["authstatus"][0] == "ok"
    assert site.login("alice", "correct horse")
    assert stored(tmp_path / "server", "alice") == after


@pytest.mark.parametrize(
    "kept", ["", None, "no hash", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$12$abcdefghijklmnopqrstuv"], ids=repr
)
def test_what_is_no_hash_lets_nobody_in(serve: Serve, tmp_path: Path, kept: str | None) -> None:
    """A user without password, or with something else in its place, cannot log in by any password."""
    serve().add_user("alice", "correct horse")
    keep(tmp_path / "server", "alice", kept)
    site = serve()

    for password in ("", "correct horse", kept or "x"):
        assert site.request("POST", "/+login", {"user": "alice", "password": password}).status == 401


def test_an_empty_password_of_root_is_worth_nothing_elsewhere(tmp_path: Path) -> None:
    """On a server that others can reach nobody is root without a password, even if the database says so."""
    with Site(tmp_path / "server", host="0.0.0.0", root_passwd="correct horse") as site:
        keep(tmp_path / "server", "root", "")

        assert site.request("POST", "/+login", {"user": "root", "password": ""}).status == 401


def test_an_unknown_user_costs_what_a_known_one_does() -> None:
    """In place of a hash that is not there one of the same parameters is verified, which no password fits."""
    hasher = Hasher(64, 2, 3)

    assert argon2.extract_parameters(hasher.dummy) == argon2.extract_parameters(hasher.hash("correct horse"))
    assert not hasher.verify(hasher.dummy, "correct horse")


class CountingHasher(Hasher):
    """The hasher, which also notes what each verification costs."""

    def __init__(self, memory_cost: int, time_cost: int, parallelism: int) -> None:
        super().__init__(memory_cost, time_cost, parallelism)
        self.costs: list[argon2.Parameters] = []

    def verify(self, stored: str, password: str) -> bool:
        """Verify a password; fail where the hash is none, for that costs nothing."""
        self.costs.append(argon2.extract_parameters(stored))
        return super().verify(stored, password)


class CountingPlugin:
    """The plugin, with an authenticator that counts."""

    wheelgate_options: Callable[[], list[Option]] = staticmethod(wheelgate_auth_basic.wheelgate_options)

    def __init__(self) -> None:
        self.hasher: CountingHasher | None = None

    @hookimpl
    def wheelgate_credential_extractors(self, server: Server) -> list[CredentialExtractor]:
        """Read the two headers."""
        return wheelgate_auth_basic.wheelgate_credential_extractors(server)

    @hookimpl
    def wheelgate_password_hasher(self, config: Config) -> PasswordHasher:
        """Hash new passwords."""
        return wheelgate_auth_basic.wheelgate_password_hasher(config)

    @hookimpl
    def wheelgate_authenticators(self, server: Server) -> list[Authenticator]:
        """Compare passwords with the hashes in the store, and count."""
        self.hasher = hasher = CountingHasher.from_config(server.config)
        return [PasswordAuthenticator(server, hasher)]


def by_login(site: Site, user: str, password: str) -> Response:
    """Ask for a session."""
    return site.request("POST", "/+login", {"user": user, "password": password})


def by_devpi_header(site: Site, user: str, password: str) -> Response:
    """Ask for a change, with the password as the ``devpi`` command sends it."""
    return site.request("PATCH", "/root", {"title": "x"}, auth=(user, password))


def by_basic_header(site: Site, user: str, password: str) -> Response:
    """Ask for a change, with the password as installers and upload tools send it."""
    coded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return site.request("PATCH", "/root", {"title": "x"}, headers={"Authorization": f"Basic {coded}"})


@pytest.mark.parametrize("attempt", [by_login, by_devpi_header, by_basic_header])
@pytest.mark.parametrize(
    ("user", "password"),
    [
        pytest.param("nobody", "wrong", id="unknown user"),
        pytest.param("nobody", "", id="unknown user, empty password"),
        pytest.param("alice", "wrong", id="wrong password"),
        pytest.param("alice", "", id="wrong password, empty"),
        pytest.param("passwordless", "wrong", id="user without password"),
        pytest.param("passwordless", "", id="user without password, empty password"),
        pytest.param("emptied", "wrong", id="user with an empty one"),
        pytest.param("root", "wrong", id="root without password"),
    ],
)
def test_every_refusal_costs_one_verification(
    serve: Serve, tmp_path: Path, attempt: Callable[[Site, str, str], Response], user: str, password: str
) -> None:
    """How long a refusal takes tells nobody who has an account or a password: each costs one hash of today's cost."""
    site = serve()
    for name in ("alice", "passwordless", "emptied"):
        site.add_user(name, "correct horse")
    serve.stop()
    keep(tmp_path / "server", "passwordless", None)
    keep(tmp_path / "server", "emptied", "")
    plugin = CountingPlugin()
    site = serve(extra={"auth_basic": plugin})
    assert plugin.hasher is not None

    refused = attempt(site, user, password)

    assert (refused.status, plugin.hasher.costs) == (401, [argon2.extract_parameters(plugin.hasher.hash("x"))])
