"""Tokens and private indices: a token reads what it is for as far as its user may, and learns of no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, submit, upload
from tests.plugins.tokens.conftest import ROOT, Holder

from wheelgate.testing.site import Site

BASE, OWN = wheel("of.base"), wheel("own")
LAYOUT: dict[str, dict[str, Any]] = {
    "open": {},
    "private": {"acl_read": ["bob", ":devs"]},
    "on-private": {"bases": ["alice/private"]},
    "secret": {"acl_read": ["nobody"]},
    "on-secret": {"acl_read": ["bob"], "bases": ["alice/secret"]},
}
"""Indices of alice's. Bob may read the first three: of the last he may read all but its base."""
READABLE = {"open", "private", "on-private"}


def furnished(site: Site) -> Holder:
    """Make the users and the indices; return bob."""
    alice, bob = Holder(site, site.add_user("alice")), Holder(site, site.add_user("bob"))
    for user in ("nobody", "carol"):
        site.add_user(user)
    assert site.request("PUT", "/+x/groups/devs", {"members": ["carol"]}, auth=ROOT).status == 201
    for name, config in LAYOUT.items():
        alice.index(name, acl_upload=["alice", "bob"], **config)
        for made in (BASE,) if name in ("private", "secret") else (OWN,):
            assert upload(site, f"alice/{name}", made, alice.auth).status == 200
    return bob


@pytest.fixture(scope="module")
def bob(template: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Holder]:
    """Return somebody who may read some indices of another's."""
    with Site(tmp_path_factory.mktemp("private") / "site") as site:
        yield furnished(site)


def statuses(bob: Holder, name: str, auth: tuple[str, str], file: str) -> set[int]:
    """Return how everything that there is to read of an index is answered."""
    paths = ["?no_projects=", "/+api", "", "/+simple/", f"/+simple/{file}/", f"/{file}", f"/+why/{file}"]
    return {bob.site.request("GET", f"/alice/{name}{path}", auth=auth).status for path in paths}


TOKENS: dict[str, tuple[dict[str, Any], set[str], set[str]]] = {
    "read everything": ({}, READABLE, set()),
    "read an open index": ({"indices": ["alice/open"]}, {"open"}, set()),
    "read a private one": ({"indices": ["alice/private"]}, {"open", "private"}, set()),
    "read one on a private base": ({"indices": ["alice/on-private"]}, {"open", "on-private"}, set()),
    "read what bob may not": ({"indices": ["alice/secret", "alice/on-secret"]}, {"open"}, set()),
    "upload everywhere": ({"scopes": ["upload"]}, {"open"}, READABLE - {"open"}),
    "upload to a private one": ({"scopes": ["upload"], "indices": ["alice/private"]}, {"open"}, {"private"}),
}
"""What a token is for, with the indices that it reads, and those of which it is told that it is not for reading."""


@pytest.mark.parametrize(("narrow", "reads", "told"), TOKENS.values(), ids=TOKENS)
def test_what_a_token_learns(bob: Holder, narrow: dict[str, Any], reads: set[str], told: set[str]) -> None:
    """All addresses of an index and both listings agree; what is not for the token does not exist."""
    narrow = dict(narrow)
    token = bob.token(*narrow.pop("scopes", ["read"]), **narrow)

    found = {
        name: statuses(bob, name, token, "own" if "on-" in name or name == "open" else "of-base") for name in LAYOUT
    }

    assert found == {name: {200} if name in reads else {403} if name in told else {404} for name in LAYOUT}
    listed = bob.site.request("GET", "/alice", auth=token).result["indexes"]
    assert set(listed) == reads
    assert bob.site.request("GET", "/", auth=token).result["alice"]["indexes"] == listed


def test_what_is_inherited_is_read_there_and_nowhere_else(bob: Holder) -> None:
    """A token for an index gets the files of its private base by its page, and none by an index that it is not for."""
    token = bob.token("read", indices=["alice/on-private"])
    other = bob.token("read", indices=["alice/open"])

    page = bob.site.request("GET", "/alice/on-private/+simple/of-base/", auth=token)

    assert (page.status, b"of_base-1.0" in page.content) == (200, True)
    assert bob.site.request("GET", f"/alice/private/{address(BASE)}", auth=token).status == 404
    assert bob.site.request("GET", "/alice/on-private/+simple/of-base/", auth=other).status == 404


def test_a_token_for_a_project_of_a_private_index(bob: Holder) -> None:
    """It sees the index as such and the project's pages, is told why not others, and is listed as what it may see."""
    token = bob.token("read", indices=["alice/private"], projects=["of-base"])
    paths = ["?no_projects=", "/+simple/of-base/", f"/{address(BASE)}", "/+simple/own/", "/+simple/"]

    found = [bob.site.request("GET", f"/alice/private{path}", auth=token).status for path in paths]

    assert found == [200, 200, 200, 403, 403]
    assert set(bob.site.request("GET", "/alice", auth=token).result["indexes"]) == {"open", "private"}


def test_where_names_need_not_be_hidden_the_reason_is_told(serve: Serve) -> None:
    """With ``--private-indices tell`` a token for others is told so, as everybody is."""
    bob = furnished(serve(private_indices="tell"))
    token = bob.token("read", indices=["alice/open"])

    refused = bob.site.request("GET", "/alice/private/+simple/", auth=token)

    assert (refused.status, refused.message.endswith("the token is for alice/open only")) == (403, True)
    assert bob.site.request("GET", "/alice/on-private/+simple/", auth=token).status == 403


@pytest.mark.parametrize(
    ("name", "indices", "expected"),
    [
        ("private", ["alice/private"], 200),
        ("private", None, 200),
        ("private", ["alice/open"], 404),
        ("open", ["alice/private"], 403),
        ("secret", ["alice/secret"], 200),
        ("secret", ["alice/open"], 404),
    ],
    ids=["for it", "for all", "for another", "open, for another", "unreadable, for it", "unreadable, for another"],
)
def test_uploads(bob: Holder, name: str, indices: list[str] | None, expected: int) -> None:
    """``acl_upload`` lets bob upload without reading, and so a token that is for that; another learns nothing."""
    token = bob.token("upload", **({"indices": indices} if indices else {}))

    refused = submit(bob.site, f"alice/{name}", token, **{":action": "submit", "name": "new", "version": "1.0"})

    assert refused.status == expected


@pytest.mark.parametrize(
    ("name", "indices", "expected"),
    [
        ("private", ["alice/private"], 200),
        ("private", ["alice/open"], 404),
        ("open", ["alice/private"], 403),
        ("secret", ["alice/secret"], 404),
    ],
    ids=["for it", "for another", "open, for another", "unreadable"],
)
def test_results_of_tests(bob: Holder, name: str, indices: list[str], expected: int) -> None:
    """They take no scope to read, but an index that the user may read, since everybody may upload them at first."""
    made = OWN if name == "open" else BASE

    answer = bob.site.request(
        "POST", f"/alice/{name}/{address(made)}", {"testenvs": {}}, auth=bob.token("upload", indices=indices)
    )

    assert answer.status == expected


def test_an_access_list_names_a_group_of_the_server(serve: Serve) -> None:
    """Whose rights come by a local group has them with a token as well, until the group changes."""
    bob = furnished(serve())
    carol = Holder(bob.site, bob.site.login("carol", "correct horse"))
    token, other = carol.token("read", indices=["alice/private"]), carol.token("read", indices=["alice/open"])

    def found() -> list[Any]:
        page = [bob.site.request("GET", "/alice/private/+simple/", auth=auth).status for auth in (token, other)]
        return [*page, "private" in bob.site.request("GET", "/alice", auth=token).result["indexes"]]

    assert [found(), found()] == [[200, 404, True]] * 2
    assert bob.site.request("PATCH", "/+x/groups/devs", ["members-=carol"], auth=ROOT).status == 200
    assert found() == [404, 404, False]
    assert bob.site.request("PATCH", "/+x/groups/devs", ["members+=carol"], auth=ROOT).status == 200
    assert found() == [200, 404, True]


@pytest.mark.parametrize(
    ("narrow", "path", "expected"),
    [
        ({"indices": ["alice/private"]}, "/alice/private/+simple/", 200),
        ({"indices": ["alice/private"]}, f"/alice/private/{address(BASE)}", 200),
        ({"projects": ["of-base"]}, "/alice/private/+simple/of-base/", 403),
        ({"projects": ["of-base"]}, f"/alice/private/{address(BASE)}", 403),
        ({"indices": ["alice/open"]}, f"/alice/private/{address(BASE)}", 403),
        ({"indices": ["alice/open"]}, "/alice/private/+simple/", 200),
    ],
    ids=["page", "file", "page of a project", "file of a project", "file of another", "page of another"],
)
def test_a_proxy_asks_for_a_token(bob: Holder, narrow: dict[str, Any], path: str, expected: int) -> None:
    """What a proxy sends by itself takes a token for the whole index; what is not there the server says itself."""
    answer = bob.site.request(
        "GET",
        "/+authcheck",
        auth=bob.token("read", **narrow),
        headers={"X-Original-URI": f"http://packages.example{path}"},
    )

    assert answer.status == expected


def test_a_token_is_a_login_where_everybody_needs_one(serve: Serve) -> None:
    """With ``--require-login`` a token gets in, and reads what it may and no more."""
    bob = furnished(serve(require_login="true"))
    token = bob.token("read", indices=["alice/private"])

    found = [bob.site.request("GET", f"/alice/{name}/+simple/", auth=token).status for name in LAYOUT]

    assert found == [200, 200, 404, 404, 404]
    assert bob.site.request("GET", "/alice/open/+simple/").status == 401


def test_no_cache_between_keeps_what_a_token_read(bob: Holder) -> None:
    """A private page is for the token alone; an open one is for everybody."""
    token = bob.token("read")

    private, open_page = (
        bob.site.request("GET", f"/alice/{name}/+simple/", auth=token) for name in ("private", "open")
    )

    assert "private" in private.headers["cache-control"]
    assert "private" not in open_page.headers.get("cache-control", "")
