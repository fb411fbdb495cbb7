"""``acl_modify``: users and groups who may change an index beside its owner and root, so that a team shares one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.helpers.sites import Serve

from wheelgate.testing.site import Site

ROOT = ("root", "")
TEAM_INDEX = "/alice/team"


@pytest.fixture(scope="module")
def site(serve_shared: Serve) -> Site:
    """Return a server with an index that a group may change, and one that the group may change but not read."""
    site = serve_shared("team")
    for name in ("alice", "bob", "carol", "dave"):
        site.add_user(name)
    site.request("PUT", "/+x/groups/devs", {"members": ["carol"]}, auth=ROOT)
    team = {"acl_modify": ["bob", ":devs"]}
    assert site.request("PUT", TEAM_INDEX, team, auth=ROOT).status == 200
    assert site.request("PUT", "/alice/hidden", {**team, "acl_read": ["alice"]}, auth=ROOT).status == 200
    assert site.request("PUT", "/alice/mirror", {"type": "mirror", "acl_modify": ["bob"]}, auth=ROOT).status == 200
    return site


CASES = {
    "bob": ("PATCH", TEAM_INDEX, {"title": "x"}, 200),
    "carol": ("PATCH", TEAM_INDEX, ["title=y"], 200),
    "dave": ("PATCH", TEAM_INDEX, {"title": "z"}, 403),
    "alice": ("PATCH", TEAM_INDEX, {"description": "x"}, 200),
    "root": ("PATCH", TEAM_INDEX, {"description": "y"}, 200),
    "bob of a mirror": ("PATCH", "/alice/mirror", {"title": "x"}, 200),
    "bob of a hidden one": ("PATCH", "/alice/hidden", {"title": "x"}, 200),
    "dave of a hidden one": ("PATCH", "/alice/hidden", {"title": "x"}, 404),
    "bob who deletes": ("DELETE", TEAM_INDEX, None, 403),
    "bob beside it": ("PUT", "/alice/other", {}, 403),
    "alice for everybody": ("PATCH", TEAM_INDEX, {"acl_modify": [":anonymous:"]}, 400),
    "alice for somebody absent": ("PATCH", TEAM_INDEX, {"acl_modify": ["nobody"]}, 400),
}


@pytest.mark.parametrize(("name", "case"), CASES.items(), ids=CASES)
def test_who_may_change_it(site: Site, name: str, case: tuple[str, str, Any, int]) -> None:
    """The listed users and groups change the index; they cannot delete it or create others."""
    method, path, body, status = case
    caller = name.split()[0]
    auth = ROOT if caller == "root" else (caller, "correct horse")

    assert site.request(method, path, body, auth=auth).status == status


def test_a_deleted_user_leaves_the_list(serve: Serve) -> None:
    """A later owner of the name inherits nothing."""
    site = serve()
    for name in ("alice", "bob"):
        site.add_user(name)
    site.request("PUT", TEAM_INDEX, {"acl_modify": ["bob"]}, auth=ROOT)
    assert site.request("DELETE", "/bob", auth=ROOT).status == 200
    bob = site.add_user("bob")

    assert site.request("PATCH", TEAM_INDEX, {"title": "x"}, auth=bob).status == 403
    assert site.request("GET", TEAM_INDEX).result["acl_modify"] == []
