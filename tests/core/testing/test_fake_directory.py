"""The fake directory passes the contracts of what it provides, and behaves as its attributes say."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.helpers.sites import Serve

from wheelgate import Credentials
from wheelgate.testing.authenticators import AuthenticatorCase, AuthenticatorContract
from wheelgate.testing.fake_directory import FakeDirectory, Person
from wheelgate.testing.group_sources import GroupSourceCase, GroupSourceContract


@pytest.fixture
def directory() -> Iterator[FakeDirectory]:
    """Return a directory of one person."""
    directory = FakeDirectory({"ada": Person("analytical", frozenset({"admins"}), "ada@mail.example")})
    yield directory
    directory.release()


class TestFakeAuthenticator(AuthenticatorContract):
    """The fake directory passes the authenticator contract."""

    @pytest.fixture
    def case(self, directory: FakeDirectory) -> AuthenticatorCase:
        """Return the authenticator under test."""
        return AuthenticatorCase(
            directory,
            Credentials("password", "ada", "analytical", "test"),
            start_outage=lambda: setattr(directory, "outage", True),
            remove_user=lambda: directory.people.pop("ada"),
        )


class TestFakeGroups(GroupSourceContract):
    """The fake directory passes the group source contract."""

    @pytest.fixture
    def case(self, directory: FakeDirectory) -> GroupSourceCase:
        """Return the group source under test."""
        return GroupSourceCase(
            directory, "ada", frozenset({"admins"}), start_outage=lambda: setattr(directory, "outage", True)
        )


def test_a_site_with_a_fake_directory(serve: Serve, directory: FakeDirectory) -> None:
    """People log in with their groups, and cannot while the directory is down; local users notice nothing."""
    site = serve(extra={"directory": directory}, restrict_modify="root,:admins")
    directory.people["bob"] = Person("builder")

    ada = site.login("ada", "analytical")
    assert site.request("PUT", "/new", {"password": "1234"}, auth=ada).status == 201
    assert site.request("GET", "/ada").result["email"] == "ada@mail.example"
    bob = site.login("bob", "builder")
    assert site.request("PUT", "/newer", {"password": "1234"}, auth=bob).status == 403
    directory.outage = True
    assert site.request("POST", "/+login", {"user": "bob", "password": "builder"}).status == 503
    assert site.request("POST", "/+login", {"user": "root", "password": ""}).status == 200
    assert {"ada", "bob"} <= set(directory.lookups)
    assert "root" not in directory.lookups


def test_release_ends_the_wait_for_the_directory(directory: FakeDirectory) -> None:
    """A test can end although a thread waits for the directory."""
    directory.delay = 60
    directory.release()
    begun = time.monotonic()

    directory.groups("ada")

    assert time.monotonic() - begun < 30
