"""A token can read the indices that it is for, and public ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, upload
from tests.plugins.tokens.conftest import TokenOwner, UsersOnlyPolicy

from wheelgate import Deny, Principal, Resource, hookimpl
from wheelgate.testing.site import Site

MINE, OTHERS = wheel("my.project"), wheel("other")

Auth = tuple[str, str]


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenOwner]:
    """Return a user with an index ``open``, and with ``closed`` and its base, which anonymous clients cannot read."""
    with Site(tmp_path_factory.mktemp("closed") / "site", extra={"closed": UsersOnlyPolicy()}) as site:
        alice = TokenOwner(site, site.add_user("alice"))
        alice.index("closed-base")
        alice.index("closed", bases=["alice/closed-base"])
        for name in ("open", "target"):
            alice.index(name)
        for index, made in {"closed": MINE, "closed-base": OTHERS, "open": wheel("third")}.items():
            assert upload(site, f"alice/{index}", made, alice.auth).status == 200
        yield alice


JSON_HEADERS = {"Accept": "application/json"}
READS = {
    "the index": "/alice/closed?no_projects=",
    "its description": "/alice/closed/+api",
    "list of projects": "/alice/closed",
    "simple list": "/alice/closed/+simple/",
    "simple page": "/alice/closed/+simple/my-project/",
    "project": "/alice/closed/my-project",
    "version": "/alice/closed/my-project/1.0",
    "why": "/alice/closed/+why/my-project",
    "file": f"/alice/closed/{address(MINE)}",
    "core metadata": f"/alice/closed/{address(MINE)}.metadata",
}
INDEX_ITSELF = {"the index", "its description"}
ALL_PROJECTS = {"list of projects", "simple list"}


def read(owner: TokenOwner, path: str, auth: Auth | None) -> int:
    """Return the status of a page or a file."""
    return owner.site.request("GET", path, auth=auth, headers={} if "+f" in path else JSON_HEADERS).status


@pytest.mark.parametrize(
    ("scopes", "narrow", "may", "refused"),
    [
        pytest.param(["read"], {}, READS.keys(), 403, id="read"),
        pytest.param(["read"], {"indices": ["alice/closed"]}, READS.keys(), 403, id="read this index"),
        pytest.param(["read"], {"indices": ["alice/open", "alice/closed-base"]}, set(), 404, id="read others"),
        pytest.param(["upload", "yank", "delete"], {}, set(), 403, id="all but read"),
        pytest.param(["upload"], {"indices": ["alice/closed"]}, set(), 403, id="upload to this index"),
        pytest.param(["read"], {"projects": ["my-project"]}, READS.keys() - ALL_PROJECTS, 403, id="read this project"),
        pytest.param(["read"], {"projects": ["other"]}, INDEX_ITSELF, 403, id="read another project"),
        pytest.param(["read"], {"change_projects": ["other"]}, READS.keys(), 403, id="change another project"),
        pytest.param(
            ["read"], {"read_projects": ["My_Project"]}, READS.keys() - ALL_PROJECTS, 403, id="only read this project"
        ),
        pytest.param(
            ["read"],
            {"read_projects": ["other"], "change_projects": ["my-project"]},
            INDEX_ITSELF,
            403,
            id="read another project than to change",
        ),
        pytest.param(
            ["read"],
            {"read_projects": ["my-project"], "projects": ["other"]},
            INDEX_ITSELF,
            403,
            id="read none that both lists name",
        ),
    ],
)
def test_reading_with_a_token(
    closed: TokenOwner, scopes: list[str], narrow: dict[str, Any], may: set[str], refused: int
) -> None:
    """A token reads its indices; a token for a project reads only that project's pages and files, and the index itself.

    For a token for other indices, an index that is not public does not exist.
    """
    token = closed.token(*scopes, **narrow)

    statuses = {what: read(closed, path, token) for what, path in READS.items()}

    assert statuses == {what: 200 if what in may else refused for what in READS}
    assert {read(closed, path, None) for path in READS.values()} == {401}


@pytest.mark.parametrize("auth", ["token", None], ids=["token", "anonymous"])
def test_every_token_can_read_public_pages(closed: TokenOwner, auth: str | None) -> None:
    """Clients send their token with every request, so a token without the right to read does not block public reads."""
    token = closed.token("upload", indices=["alice/closed"], projects=["x"]) if auth else None
    paths = ["/", "/alice", "/alice/open", "/alice/open/+simple/third/", f"/alice/open/{address(wheel('third'))}"]

    assert [read(closed, path, token) for path in paths] == [200] * 5


@pytest.mark.parametrize(
    ("narrow", "seen"),
    [
        ({}, {"closed", "closed-base", "open", "target"}),
        ({"indices": ["alice/closed"]}, {"closed", "open", "target"}),
        ({"indices": ["alice/open"]}, {"open", "target"}),
    ],
    ids=["all", "one", "another"],
)
def test_listings_hide_unreadable_indices(closed: TokenOwner, narrow: dict[str, Any], seen: set[str]) -> None:
    """The list of all users and the user's own list show only indices that the token can read."""
    token = closed.token("read", **narrow)

    all_users = closed.site.request("GET", "/", auth=token).result["alice"]["indexes"]
    one_user = closed.site.request("GET", "/alice", auth=token).result["indexes"]

    assert set(all_users) == set(one_user) == seen


class HiddenUsersPolicy:
    """A policy: anonymous clients cannot see users."""

    @hookimpl
    def wheelgate_check_permission(self, principal: Principal, permission: str) -> Deny | None:
        """Deny anonymous clients."""
        return Deny("log in first") if permission == "user_read" and principal.name is None else None

    @hookimpl
    def wheelgate_filter_visible(
        self, principal: Principal, permission: str, resources: Sequence[Resource]
    ) -> list[bool]:
        """Hide users from anonymous clients."""
        return [permission != "user_read" or principal.name is not None] * len(resources)


@pytest.mark.parametrize(
    ("scope", "narrow", "seen"),
    [
        ("read", {}, {"alice", "root"}),
        ("read", {"indices": ["alice/dev"]}, set()),
        ("upload", {}, set()),
    ],
    ids=["read", "read an index", "upload"],
)
def test_the_list_of_users_hides_unreadable_users(
    serve: Serve, scope: str, narrow: dict[str, Any], seen: set[str]
) -> None:
    """Users who are hidden from anonymous clients are hidden from a token that may not see them."""
    site = serve(extra={"hidden_users": HiddenUsersPolicy()})
    alice = TokenOwner(site, site.add_user("alice"))
    alice.index()

    assert set(site.request("GET", "/", auth=alice.auth).result) == {"alice", "root"}
    assert set(site.request("GET", "/", auth=alice.token(scope, **narrow)).result) == seen


def test_a_token_for_an_index_reads_what_it_inherits(closed: TokenOwner) -> None:
    """A token for an index reads what it inherits, but cannot read a base directly."""
    token = closed.token("read", indices=["alice/closed"])

    page = closed.site.request(
        "GET", "/alice/closed/+simple/", auth=token, headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )

    assert {project["name"] for project in page.json["projects"]} == {"my-project", "other"}
    assert read(closed, "/alice/closed-base/+simple/", token) == 404


def test_a_push_reads_its_source(closed: TokenOwner) -> None:
    """A push needs a token that can read the source index, for the project that is pushed."""
    release = {"name": "my-project", "version": "1.0", "targetindex": "alice/target"}
    for scopes, narrow, expected in [
        (["upload"], {}, 403),
        (["upload", "read"], {"indices": ["alice/target"]}, 404),
        (["upload", "read"], {"projects": ["third"]}, 403),
        (["upload", "read"], {"read_projects": ["third"]}, 403),
        (["upload", "read"], {"change_projects": ["third"]}, 403),
        (["upload", "read"], {"indices": ["alice/target", "alice/closed"], "projects": ["my-project"]}, 200),
    ]:
        pushed = closed.site.request("PUSH", "/alice/closed", release, auth=closed.token(*scopes, **narrow))

        assert pushed.status == expected, pushed.content
