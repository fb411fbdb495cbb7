"""Whom a proxy names, beside private indices, groups of the server, and people of a directory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.helpers.sites import Serve
from tests.plugins.remote_user.conftest import PROXY, ask, who

from wheelgate.testing.fake_directory import FakeDirectory, Person
from wheelgate.testing.site import Site

ROOT = ("root", "")


@pytest.fixture
def directory() -> Iterator[FakeDirectory]:
    """Return a directory of two."""
    directory = FakeDirectory(
        {"ada": Person("analytical", frozenset({"admins"})), "alice": Person("x", frozenset({"admins"}))}
    )
    yield directory
    directory.release()


@pytest.fixture
def site(serve: Serve, directory: FakeDirectory) -> Site:
    """Return a server with both, and an index of root's that some may read."""
    site = serve(remote_user_from=[PROXY], remote_user_groups_header="X-Remote-Groups", extra={"directory": directory})
    site.add_user("alfred")
    assert ask(site, "alice").status == 200
    readers = ["alice", ":admins", ":local"]
    assert site.request("PUT", "/root/private", {"acl_read": readers}, auth=ROOT).status == 200
    return site


PAGE = "/root/private/+simple/"


@pytest.mark.parametrize(
    ("name", "groups", "expected"),
    [
        ("alice", "", 200),
        ("bob", "", 404),
        ("bob", "admins", 200),
        ("bob", "alice, root", 404),
        ("root", "", 401),
        ("alfred", "", 401),
        ("", "admins", 401),
    ],
    ids=["listed", "not listed", "by a group", "a group called like one", "root", "local", "nobody"],
)
def test_private_indices(site: Site, name: str, groups: str, expected: int) -> None:
    """Who is listed reads; to others the index is not there, and the listing agrees."""
    page = ask(site, name, "GET", PAGE, X_Remote_Groups=groups)
    listing = ask(site, name, "GET", "/root", X_Remote_Groups=groups)

    assert page.status == expected
    assert ("private" in listing.result["indexes"]) == (expected == 200)


def test_groups_of_the_server_count(site: Site) -> None:
    """Whom the proxy has brought can be a member of a local group, with the proxy's word and with a token of his."""
    assert ask(site, "bob").status == 200
    token = ask(site, "bob", "POST", "/+x/tokens", {"scopes": ["read"]}).result["token"]
    assert ask(site, "bob", "GET", PAGE).status == 404

    assert site.request("PUT", "/+x/groups/local", {"members": ["bob"]}, auth=ROOT).status == 201

    assert ask(site, "bob", "GET", PAGE).status == 200
    assert site.request("GET", PAGE, headers={"Authorization": f"Bearer {token}"}).status == 200


def test_a_directorys_names_belong_to_the_directory(site: Site) -> None:
    """The proxy is not believed about somebody whom the directory has brought; the directory not about the proxy's."""
    ada = site.login("ada", "analytical")
    assert site.request("GET", PAGE, auth=ada).status == 200

    assert who(ask(site, "ada"))[0] != "ok"
    assert ask(site, "ada", "GET", PAGE).status == 401
    assert site.request("POST", "/+login", {"user": "alice", "password": "x"}).status == 401


def test_groups_of_a_directory_are_those_of_its_people(site: Site) -> None:
    """Somebody of the proxy's who is called like somebody in the directory is in no group of it, by no way."""
    login = ask(site, "alice", "POST", "/+login", {"user": "alice", "password": ""})
    session = ("alice", login.result["password"])

    assert ask(site, "alice").result["authstatus"] == ["ok", "alice", []]
    assert site.request("GET", "/+api", auth=session).result["authstatus"] == ["ok", "alice", []]


def test_who_is_not_created_is_refused(serve: Serve) -> None:
    """``--autocreate-users`` holds for the proxy's people too: none of them is let in without a record."""
    site = serve(remote_user_from=[PROXY], autocreate_users=["none"])

    assert who(ask(site, "alice"))[0] != "ok"
    assert ask(site, "alice", "PUT", "/root/dev", {}).status == 403
    assert site.request("GET", "/alice").status == 404
