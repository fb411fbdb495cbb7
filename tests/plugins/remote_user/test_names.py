"""Users of a proxy together with private indices, groups of this server, and users of a directory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.helpers.sites import ROOT_BEHIND_PROXY, Serve
from tests.plugins.remote_user.conftest import PROXY, ask, login_state

from wheelgate.testing.fake_directory import FakeDirectory, Person
from wheelgate.testing.site import Site

ROOT = ROOT_BEHIND_PROXY


@pytest.fixture
def directory() -> Iterator[FakeDirectory]:
    """Return a directory with two people."""
    directory = FakeDirectory(
        {"ada": Person("analytical", frozenset({"admins"})), "alice": Person("x", frozenset({"admins"}))}
    )
    yield directory
    directory.release()


@pytest.fixture
def site(serve: Serve, directory: FakeDirectory) -> Site:
    """Return a server with both, and a private index of root."""
    site = serve(remote_user_from=[PROXY], remote_user_groups_header="X-Remote-Groups", extra={"directory": directory})
    site.add_user("alfred")
    assert ask(site, "alice").status == 200
    readers = ["alice", ":admins", ":local"]
    assert site.request("PUT", "/root/private", {"acl_read": readers}, auth=ROOT).status == 200
    return site


PRIVATE_PAGE = "/root/private/+simple/"


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
    ids=["listed", "not listed", "listed group", "group named like a user", "root", "local", "no user"],
)
def test_private_indices(site: Site, name: str, groups: str, expected: int) -> None:
    """Listed users can read the index; for others it does not exist, and the listing agrees."""
    page = ask(site, name, "GET", PRIVATE_PAGE, X_Remote_Groups=groups)
    listing = ask(site, name, "GET", "/root", X_Remote_Groups=groups)

    assert page.status == expected
    assert ("private" in listing.result["indexes"]) == (expected == 200)


def test_groups_of_the_server_count(site: Site) -> None:
    """A user of the proxy can be a member of a local group, which counts for the header and for the user's tokens."""
    assert ask(site, "bob").status == 200
    token = ask(site, "bob", "POST", "/+x/tokens", {"scopes": ["read"]}).result["token"]
    assert ask(site, "bob", "GET", PRIVATE_PAGE).status == 404

    assert site.request("PUT", "/+x/groups/local", {"members": ["bob"]}, auth=ROOT).status == 201

    assert ask(site, "bob", "GET", PRIVATE_PAGE).status == 200
    assert site.request("GET", PRIVATE_PAGE, headers={"Authorization": f"Bearer {token}"}).status == 200


def test_a_directorys_names_belong_to_the_directory(site: Site) -> None:
    """The proxy cannot log in users of the directory, and the directory cannot log in users of the proxy."""
    ada = site.login("ada", "analytical")
    assert site.request("GET", PRIVATE_PAGE, auth=ada).status == 200

    assert login_state(ask(site, "ada"))[0] != "ok"
    assert ask(site, "ada", "GET", PRIVATE_PAGE).status == 401
    assert site.request("POST", "/+login", {"user": "alice", "password": "x"}).status == 401


def test_a_directorys_groups_count_for_its_users_only(site: Site) -> None:
    """A user of the proxy with the same name as a person in the directory has none of the directory's groups."""
    login = ask(site, "alice", "POST", "/+login", {"user": "alice", "password": ""})
    session = ("alice", login.result["password"])

    assert ask(site, "alice").result["authstatus"] == ["ok", "alice", []]
    assert site.request("GET", "/+api", auth=session).result["authstatus"] == ["ok", "alice", []]


def test_users_who_are_not_created_are_refused(serve: Serve) -> None:
    """``--autocreate-users`` also limits the proxy: people who are not users of this server are refused."""
    site = serve(remote_user_from=[PROXY], autocreate_users=["none"])

    assert login_state(ask(site, "alice"))[0] != "ok"
    assert ask(site, "alice", "PUT", "/root/dev", {}).status == 403
    assert site.request("GET", "/alice").status == 404
