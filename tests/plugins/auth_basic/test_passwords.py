"""Stored passwords: how they are hashed, and that no answer reveals which users have one."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import argon2
import pytest
from tests.helpers.sites import Serve, store_hash

import wheelgate_auth_basic
from wheelgate import Option, Server, hookimpl
from wheelgate.config import Config
from wheelgate.providers import Authenticator, CredentialExtractor, PasswordHasher
from wheelgate.testing.site import Response, Site
from wheelgate_auth_basic.passwords import Argon2Hasher, PasswordAuthenticator


def stored_hash(folder: Path, user: str) -> str:
    """Return the stored hash of a user."""
    with closing(sqlite3.connect(folder / "wheelgate.db")) as database:
        query = "SELECT password_hash FROM sql_store_user WHERE name = ?"
        return str(database.execute(query, (user,)).fetchone()[0])


def test_a_password_is_stored_as_argon2id(serve: Serve, tmp_path: Path) -> None:
    """The database stores an argon2id hash with its own salt and the parameters from the settings, no password."""
    site = serve(argon2_memory_cost="64", argon2_time_cost="2", argon2_parallelism="2")
    for name in ("alice", "bob"):
        site.add_user(name, "correct horse")

    hashes = [stored_hash(tmp_path / "server", name) for name in ("alice", "bob")]

    assert all(text.startswith("$argon2id$v=19$m=64,t=2,p=2$") for text in hashes)
    assert hashes[0] != hashes[1]
    assert argon2.PasswordHasher().verify(hashes[0], "correct horse")


def test_the_defaults_are_the_recommended_parameters() -> None:
    """By default, hashing uses the parameters that RFC 9106 recommends for small machines."""
    defaults = {option.key: option.default for option in wheelgate_auth_basic.wheelgate_options()}

    assert defaults == {"argon2-memory-cost": 65536, "argon2-time-cost": 3, "argon2-parallelism": 4}


def test_a_hash_of_other_parameters_is_renewed_at_the_next_login(serve: Serve, tmp_path: Path) -> None:
    """The next login of a user applies new parameters; sessions stay valid, because the password is the same."""
    session = serve().add_user("alice", "correct horse")
    before = stored_hash(tmp_path / "server", "alice")
    site = serve(argon2_time_cost="2")

    assert site.login("alice", "correct horse")

    after = stored_hash(tmp_path / "server", "alice")
    assert ",t=1," in before
    assert ",t=2," in after
    assert site.request("GET", "/+api", auth=session).result["authstatus"][0] == "ok"
    assert site.login("alice", "correct horse")
    assert stored_hash(tmp_path / "server", "alice") == after


@pytest.mark.parametrize(
    "value", ["", None, "no hash", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$12$abcdefghijklmnopqrstuv"], ids=repr
)
def test_no_password_matches_an_invalid_hash(serve: Serve, tmp_path: Path, value: str | None) -> None:
    """A user without a password, or with an invalid hash, cannot log in with any password."""
    serve().add_user("alice", "correct horse")
    store_hash(tmp_path / "server", "alice", value)
    site = serve()

    for password in ("", "correct horse", value or "x"):
        assert site.request("POST", "/+login", {"user": "alice", "password": password}).status == 401


def test_an_empty_root_password_is_refused_beyond_loopback(tmp_path: Path) -> None:
    """On a server that other machines can reach, root cannot log in without a password, even if the store says so."""
    with Site(tmp_path / "server", host="0.0.0.0", root_passwd="correct horse") as site:
        store_hash(tmp_path / "server", "root", "")

        assert site.request("POST", "/+login", {"user": "root", "password": ""}).status == 401


def test_an_unknown_user_costs_as_much_as_a_known_one() -> None:
    """The hash that is verified for unknown users has the same parameters, and no password matches it."""
    hasher = Argon2Hasher(64, 2, 3)

    assert argon2.extract_parameters(hasher.dummy) == argon2.extract_parameters(hasher.hash("correct horse"))
    assert not hasher.verify(hasher.dummy, "correct horse")


class CountingHasher(Argon2Hasher):
    """A hasher that also records the cost of each verification."""

    def __init__(self, memory_cost: int, time_cost: int, parallelism: int) -> None:
        super().__init__(memory_cost, time_cost, parallelism)
        self.costs: list[argon2.Parameters] = []

    def verify(self, stored: str, password: str) -> bool:
        """Verify a password; fail on an invalid hash, because verifying against one costs nothing."""
        self.costs.append(argon2.extract_parameters(stored))
        return super().verify(stored, password)


class CountingPlugin:
    """The plugin, with a hasher that counts verifications."""

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
        """Compare passwords with the hashes in the store, and count the comparisons."""
        self.hasher = hasher = CountingHasher.from_config(server.config)
        return [PasswordAuthenticator(server, hasher)]


ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
"""Where the attempts come from: after five wrong passwords from one address, a user has to wait."""


@pytest.fixture(scope="module")
def counted(serve_shared: Serve) -> tuple[Site, CountingHasher]:
    """Return a server with users whose passwords are right, missing and empty, and the hasher that counts there."""
    plugin = CountingPlugin()
    site = serve_shared(extra={"auth_basic": plugin})
    for name in ("alice", "passwordless", "emptied"):
        site.add_user(name, "correct horse")
    store_hash(site.config.serverdir, "passwordless", None)
    store_hash(site.config.serverdir, "emptied", "")
    serve_shared.stop()
    site = serve_shared(extra={"auth_basic": plugin})
    assert plugin.hasher is not None
    return site, plugin.hasher


def by_login(site: Site, user: str, password: str) -> Response:
    """Request a session."""
    return site.request("POST", "/+login", {"user": user, "password": password}, address=ADDRESSES[0])


def by_devpi_header(site: Site, user: str, password: str) -> Response:
    """Request a change, with the password as the ``devpi`` command sends it."""
    return site.request("PATCH", "/root", {"title": "x"}, auth=(user, password), address=ADDRESSES[1])


def by_basic_header(site: Site, user: str, password: str) -> Response:
    """Request a change, with the password as installers and upload tools send it."""
    coded = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {coded}"}
    return site.request("PATCH", "/root", {"title": "x"}, headers=headers, address=ADDRESSES[2])


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
        pytest.param("emptied", "wrong", id="user with empty password"),
        pytest.param("root", "wrong", id="root without password"),
    ],
)
def test_every_refusal_costs_one_verification(
    counted: tuple[Site, CountingHasher], attempt: Callable[[Site, str, str], Response], user: str, password: str
) -> None:
    """The time of a refusal does not reveal which users or passwords exist: each costs one current verification."""
    site, hasher = counted
    hasher.costs.clear()

    refused = attempt(site, user, password)

    assert (refused.status, hasher.costs) == (401, [argon2.extract_parameters(hasher.hash("x"))])
