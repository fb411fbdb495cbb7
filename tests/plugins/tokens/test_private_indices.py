"""Tokens and private indices: a token reads its own indices as far as its user may, and reveals no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, submit, upload
from tests.plugins.tokens.conftest import ROOT, TokenOwner

from wheelgate.testing.site import Site

BASE, OWN = wheel("of.base"), wheel("own")
LAYOUT: dict[str, dict[str, Any]] = {
    "open": {},
    "private": {"acl_read": ["bob", ":devs"]},
    "on-private": {"bases": ["alice/private"]},
    "secret": {"acl_read": ["nobody"]},
    "on-secret": {"acl_read": ["bob"], "bases": ["alice/secret"]},
}
"""Indices of alice. Bob may read the first three; he may read the last one, but not its base."""
READABLE = {"open", "private", "on-private"}


def with_indices(site: Site) -> TokenOwner:
    """Create the users and the indices; return bob."""
    alice, bob = TokenOwner(site, site.add_user("alice")), TokenOwner(site, site.add_user("bob"))
    for user in ("nobody", "carol"):
        site.add_user(user)
    assert site.request("PUT", "/+x/groups/devs", {"members": ["carol"]}, auth=ROOT).status == 201
    for name, config in LAYOUT.items():
        alice.index(name, acl_upload=["alice", "bob"], **config)
        for made in (BASE,) if name in ("private", "secret") else (OWN,):
            assert upload(site, f"alice/{name}", made, alice.auth).status == 200
    return bob


@pytest.fixture(scope="module")
def bob(template: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenOwner]:
    """Return a user who may read some of another user's indices."""
    with Site(tmp_path_factory.mktemp("private") / "site") as site:
        yield with_indices(site)


def statuses(bob: TokenOwner, name: str, auth: tuple[str, str], file: str) -> set[int]:
    """Return the statuses of all pages of an index."""
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
"""A token's limits, the indices that it can read, and the indices for which it gets 403 because it cannot read."""


@pytest.mark.parametrize(("narrow", "reads", "refused"), TOKENS.values(), ids=TOKENS)
def test_pages_and_listings_agree(bob: TokenOwner, narrow: dict[str, Any], reads: set[str], refused: set[str]) -> None:
    """All pages of an index and both listings agree; for a token, indices that it is not for do not exist."""
    narrow = dict(narrow)
    token = bob.token(*narrow.pop("scopes", ["read"]), **narrow)

    found = {
        name: statuses(bob, name, token, "own" if "on-" in name or name == "open" else "of-base") for name in LAYOUT
    }

    assert found == {name: {200} if name in reads else {403} if name in refused else {404} for name in LAYOUT}
    listed = bob.site.request("GET", "/alice", auth=token).result["indexes"]
    assert set(listed) == reads
    assert bob.site.request("GET", "/", auth=token).result["alice"]["indexes"] == listed


def test_inherited_files_are_read_through_the_index_only(bob: TokenOwner) -> None:
    """A token for an index reads files of a private base through its pages, and none through other indices."""
    token = bob.token("read", indices=["alice/on-private"])
    other = bob.token("read", indices=["alice/open"])

    page = bob.site.request("GET", "/alice/on-private/+simple/of-base/", auth=token)

    assert (page.status, b"of_base-1.0" in page.content) == (200, True)
    assert bob.site.request("GET", f"/alice/private/{address(BASE)}", auth=token).status == 404
    assert bob.site.request("GET", "/alice/on-private/+simple/of-base/", auth=other).status == 404


def test_a_token_for_a_project_of_a_private_index(bob: TokenOwner) -> None:
    """The token can see the index itself and the project's pages; other pages get 403; the listing shows the index."""
    token = bob.token("read", indices=["alice/private"], projects=["of-base"])
    paths = ["?no_projects=", "/+simple/of-base/", f"/{address(BASE)}", "/+simple/own/", "/+simple/"]

    found = [bob.site.request("GET", f"/alice/private{path}", auth=token).status for path in paths]

    assert found == [200, 200, 200, 403, 403]
    assert set(bob.site.request("GET", "/alice", auth=token).result["indexes"]) == {"open", "private"}


def test_private_indices_tell_reveals_the_reason(serve: Serve) -> None:
    """With ``--private-indices tell`` a token for other indices gets the reason, as any client does."""
    bob = with_indices(serve(private_indices="tell"))
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
def test_uploads(bob: TokenOwner, name: str, indices: list[str] | None, expected: int) -> None:
    """``acl_upload`` lets bob's token upload where bob cannot read; a token for other indices gets 404."""
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
def test_uploads_of_test_results(bob: TokenOwner, name: str, indices: list[str], expected: int) -> None:
    """Uploading test results needs no scope ``read``, but the user must be able to read the index."""
    made = OWN if name == "open" else BASE

    answer = bob.site.request(
        "POST", f"/alice/{name}/{address(made)}", {"testenvs": {}}, auth=bob.token("upload", indices=indices)
    )

    assert answer.status == expected


def test_local_groups_count_for_tokens(serve: Serve) -> None:
    """A user's token has the rights from a local group, until the group changes."""
    bob = with_indices(serve())
    carol = TokenOwner(bob.site, bob.site.login("carol", "correct horse"))
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
def test_authcheck_for_a_token(bob: TokenOwner, narrow: dict[str, Any], path: str, expected: int) -> None:
    """For pages that a proxy serves itself, a token must be for the whole index; the server answers the 404s."""
    answer = bob.site.request(
        "GET",
        "/+authcheck",
        auth=bob.token("read", **narrow),
        headers={"X-Original-URI": f"http://packages.example{path}"},
    )

    assert answer.status == expected


def test_a_token_counts_as_a_login(serve: Serve) -> None:
    """With ``--require-login`` a token is enough, and can read what it may and no more."""
    bob = with_indices(serve(require_login="true"))
    token = bob.token("read", indices=["alice/private"])

    found = [bob.site.request("GET", f"/alice/{name}/+simple/", auth=token).status for name in LAYOUT]

    assert found == [200, 200, 404, 404, 404]
    assert bob.site.request("GET", "/alice/open/+simple/").status == 401


def test_shared_caches_do_not_keep_private_pages(bob: TokenOwner) -> None:
    """``Cache-Control`` marks a private page as private, and a public page not."""
    token = bob.token("read")

    private, open_page = (
        bob.site.request("GET", f"/alice/{name}/+simple/", auth=token) for name in ("private", "open")
    )

    assert "private" in private.headers["cache-control"]
    assert "private" not in open_page.headers.get("cache-control", "")
