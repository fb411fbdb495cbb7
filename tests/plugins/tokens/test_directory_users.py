"""Tokens of a directory's users are valid as long as the users are in the directory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.helpers.sites import Serve
from tests.plugins.tokens.conftest import TokenOwner, bearer, status

from wheelgate.testing.fake_directory import FakeDirectory, Person
from wheelgate.testing.site import Response, Site

ADA = Person("analytical", frozenset({"devs"}))


@pytest.fixture
def directory() -> Iterator[FakeDirectory]:
    """Return a directory with two people."""
    directory = FakeDirectory({"ada": ADA, "bob": Person("builder")})
    yield directory
    directory.release()


@pytest.fixture
def site(serve: Serve, directory: FakeDirectory) -> Site:
    """Return a server that asks the directory."""
    return serve(extra={"directory": directory})


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make cached answers expire at once."""
    monkeypatch.setattr("wheelgate.identity.groups.GROUPS_CACHE_SECONDS", 0.0)
    monkeypatch.setattr("wheelgate.identity.external_users.DIRECTORY_CACHE_SECONDS", 0.0)


def read(site: Site, token: str) -> Response:
    """Request a page of a private index."""
    return site.request("GET", "/ada/dev/+simple/", headers=bearer(token))


def token_of(site: Site, name: str, password: str) -> str:
    """Log a user in and create a token; ada also creates an index for a group."""
    owner = TokenOwner(site, site.login(name, password))
    if name == "ada":
        owner.index(acl_read=[":devs"])
    return owner.token("read")[1]


def test_a_token_ends_when_its_user_leaves(site: Site, directory: FakeDirectory, no_cache: None) -> None:
    """The token of a user who has left is invalid until the user is back; other users' tokens stay valid."""
    ada, bob = token_of(site, "ada", "analytical"), token_of(site, "bob", "builder")
    assert read(site, ada).status == 200
    del directory.people["ada"]

    left = read(site, ada)

    assert (left.status, left.message) == (401, "user 'ada' is no longer known to 'fake_directory'")
    assert status(site, bearer(ada))[:2] != ["ok", "ada"]
    assert status(site, bearer(bob))[:2] == ["ok", "bob"]
    directory.people["ada"] = ADA
    assert read(site, ada).status == 200


def test_an_outage_of_the_directory_gets_503(site: Site, directory: FakeDirectory, no_cache: None) -> None:
    """During an outage, requests that need a right get 503, no login ends, and public reads still work."""
    ada = token_of(site, "ada", "analytical")
    directory.outage = True

    unavailable = read(site, ada)

    assert (unavailable.status, unavailable.headers["retry-after"]) == (503, "5")
    assert site.request("GET", "/ada", headers=bearer(ada)).status == 200
    directory.outage = False
    assert read(site, ada).status == 200


def test_group_changes_count_for_tokens(site: Site, directory: FakeDirectory, no_cache: None) -> None:
    """A user who is removed from a group of the directory loses its rights, also with a token."""
    token_of(site, "ada", "analytical")
    bob = token_of(site, "bob", "builder")
    assert read(site, bob).status == 404

    directory.people["bob"] = Person("builder", frozenset({"devs"}))
    assert read(site, bob).status == 200

    directory.people["bob"] = Person("builder")
    assert read(site, bob).status == 404


def test_the_directory_is_asked_once_a_minute(site: Site, directory: FakeDirectory) -> None:
    """The server does not ask the directory again for every request with the token."""
    ada = token_of(site, "ada", "analytical")
    read(site, ada)
    asked = len(directory.lookups)

    for _ in range(5):
        assert read(site, ada).status == 200

    assert len(directory.lookups) == asked


def test_without_the_directory_its_tokens_are_invalid(serve: Serve, site: Site) -> None:
    """If the plugin is removed, the tokens of its users are invalid."""
    ada = token_of(site, "ada", "analytical")

    alone = serve()

    assert read(alone, ada).status == 401
