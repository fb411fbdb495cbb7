"""``--restrict-users``: only listed users create and delete users; all others manage what is theirs."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.helpers.sites import Serve

from wheelgate.testing.site import Site

ROOT = ("root", "")
ACTORS = ("anon", "owner", "root", "admin", "member")
"""The option lists admin and the group of member."""
ACTIONS: dict[str, tuple[str, str, Any, str]] = {
    "create a user": ("PUT", "/new{}", {"password": "correct horse"}, "401 403 403 201 201"),
    "delete a user": ("DELETE", "/victim{}", None, "401 403 403 200 200"),
    "change a user": ("PATCH", "/owner", {"title": "x"}, "401 200 200 403 403"),
    "change one's own profile": ("PATCH", "/{}", {"title": "x"}, "- 200 200 200 200"),
    "create one's own index": ("PUT", "/{}/new", {}, "- 200 200 200 200"),
    "change one's own index": ("PATCH", "/{}/mine", {"title": "x"}, "- 200 200 200 200"),
    "delete one's own index": ("DELETE", "/{}/mine", None, "- 201 201 201 201"),
    "delete oneself": ("DELETE", "/{}", None, "- 403 403 403 200"),
}


@pytest.fixture(scope="module")
def site(serve_shared: Serve) -> Site:
    """Return a server that lists admin and a group."""
    with serve_shared("users") as open_site:
        for name in ("owner", "admin", "member", *(f"victim{actor}" for actor in ACTORS)):
            open_site.add_user(name)
        open_site.request("PUT", "/+x/groups/admins", {"members": ["member"]}, auth=ROOT)
        for name in ACTORS[1:]:
            assert open_site.request("PUT", f"/{name}/mine", {}, auth=ROOT).status == 200
    return serve_shared("users", restrict_users="admin,:admins")


@pytest.mark.parametrize(
    ("actor", "action", "status"),
    [
        pytest.param(actor, action, int(status), id=f"{action}-{actor}")
        for action, (_, _, _, row) in ACTIONS.items()
        for actor, status in zip(ACTORS, row.split(), strict=True)
        if status != "-"
    ],
)
def test_who_may_do_what(site: Site, actor: str, action: str, status: int) -> None:
    """The list decides about users; profiles and indices stay with their owners."""
    method, path, body, _ = ACTIONS[action]
    auth = {"anon": None, "root": ROOT}.get(actor, (actor, "correct horse"))

    assert site.request(method, path.format(actor), body, auth=auth).status == status


def test_the_refusal_names_the_option(site: Site) -> None:
    """Users who are not listed learn why, and so does everybody without a login."""
    body = {"password": "correct horse"}
    refused = site.request("PUT", "/nobody", body, auth=("owner", "correct horse")).message
    anonymous = site.request("PUT", "/nobody", body).message

    assert refused == "user 'owner' has no permission to create user nobody: --restrict-users does not list you"
    assert anonymous.endswith("create user nobody: --restrict-users is in force")


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        ({"restrict_users": "nobody"}, ["--restrict-users lists nobody, and there is no such user: nobody may create"]),
        ({"restrict_users": ""}, ["--restrict-users lists nobody, and there is no such user: nobody may create users"]),
        ({"restrict_modify": "al,ben"}, ["--restrict-modify lists al, ben, and there is no such user: nobody may ch"]),
        ({"restrict_users": ":admins", "restrict_modify": "root,nobody"}, []),
        ({}, []),
    ],
)
def test_a_list_of_nobody_is_a_warning(
    serve: Serve, caplog: pytest.LogCaptureFixture, options: dict[str, str], warned: list[str]
) -> None:
    """If nobody on a list is a user, the start says that nobody may administer; a group may be a directory's."""
    with caplog.at_level(logging.WARNING):
        serve(**options)

    found = [line for line in caplog.messages if line.startswith("--restrict")]
    assert [line[: len(start)] for line, start in zip(found, warned, strict=True)] == warned
