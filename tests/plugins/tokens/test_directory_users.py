"""Tokens of people whom a directory has brought: good as long as they are in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.helpers.sites import Serve
from tests.plugins.tokens.conftest import Holder, bearer, status

from wheelgate.testing.fake_directory import FakeDirectory, Person
from wheelgate.testing.site import Response, Site

ADA = Person("analytical", frozenset({"devs"}))


@pytest.fixture
def directory() -> Iterator[FakeDirectory]:
    """Return a directory of two."""
    directory = FakeDirectory({"ada": ADA, "bob": Person("builder")})
    yield directory
    directory.release()


@pytest.fixture
def site(serve: Serve, directory: FakeDirectory) -> Site:
    """Return a server that asks it."""
    return serve(extra={"directory": directory})


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every minute be over at once."""
    monkeypatch.setattr("wheelgate.identity.groups.GROUPS_CACHE_SECONDS", 0.0)
    monkeypatch.setattr("wheelgate.identity.external_users.DIRECTORY_CACHE_SECONDS", 0.0)


def read(site: Site, token: str) -> Response:
    """Ask for something that not everybody may read."""
    return site.request("GET", "/ada/dev/+simple/", headers=bearer(token))


def token_of(site: Site, name: str, password: str) -> str:
    """Log somebody in and make a token; the first also makes an index for a group."""
    holder = Holder(site, site.login(name, password))
    if name == "ada":
        holder.index(acl_read=[":devs"])
    return holder.token("read")[1]


def test_a_token_ends_with_who_leaves(site: Site, directory: FakeDirectory, no_cache: None) -> None:
    """The token of somebody who has left is nobody's; another's goes on, and so does his when he is back."""
    ada, bob = token_of(site, "ada", "analytical"), token_of(site, "bob", "builder")
    assert read(site, ada).status == 200
    del directory.people["ada"]

    left = read(site, ada)

    assert (left.status, left.message) == (401, "user 'ada' is no longer known to 'fake_directory'")
    assert status(site, bearer(ada))[:2] != ["ok", "ada"]
    assert status(site, bearer(bob))[:2] == ["ok", "bob"]
    directory.people["ada"] = ADA
    assert read(site, ada).status == 200


def test_while_the_directory_is_away_nobody_can_tell(site: Site, directory: FakeDirectory, no_cache: None) -> None:
    """503 where a right is needed, and never a login that has ended; what everybody may read is read."""
    ada = token_of(site, "ada", "analytical")
    directory.outage = True

    away = read(site, ada)

    assert (away.status, away.headers["retry-after"]) == (503, "5")
    assert site.request("GET", "/ada", headers=bearer(ada)).status == 200
    directory.outage = False
    assert read(site, ada).status == 200


def test_groups_are_those_of_the_moment(site: Site, directory: FakeDirectory, no_cache: None) -> None:
    """Whoever is taken out of a group of the directory loses what it gives, with the token as well."""
    token_of(site, "ada", "analytical")
    bob = token_of(site, "bob", "builder")
    assert read(site, bob).status == 404

    directory.people["bob"] = Person("builder", frozenset({"devs"}))
    assert read(site, bob).status == 200

    directory.people["bob"] = Person("builder")
    assert read(site, bob).status == 404


def test_the_directory_is_asked_once_a_minute(site: Site, directory: FakeDirectory) -> None:
    """Not with every request that carries the token."""
    ada = token_of(site, "ada", "analytical")
    read(site, ada)
    asked = len(directory.lookups)

    for _ in range(5):
        assert read(site, ada).status == 200

    assert len(directory.lookups) == asked


def test_without_the_directory_its_people_are_nobody(serve: Serve, site: Site) -> None:
    """Where the plugin is taken out, the tokens of those whom it brought are worth nothing."""
    ada = token_of(site, "ada", "analytical")

    alone = serve()

    assert read(alone, ada).status == 401
