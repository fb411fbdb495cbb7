"""``--restrict-modify``: the principals it may list, its reasons, and what it does not affect."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.helpers.sites import Serve

from wheelgate.errors import StartupError
from wheelgate.testing.site import Site

ROOT = ("root", "")


@pytest.fixture(scope="module")
def users(serve_shared: Serve) -> Path:
    """Return the folder of a server with two users."""
    site = serve_shared("users")
    for name in ("alice", "admin"):
        site.add_user(name, "correct horse")
    serve_shared.stop("users")
    return site.config.serverdir


@pytest.fixture(scope="module")
def admins(users: Path, serve_shared: Serve) -> Site:
    """Return a server that admin alone may change; no test may change its two users."""
    shutil.copytree(users, users.parent / "admins")
    return serve_shared("admins", restrict_modify="admin")


@pytest.mark.parametrize(
    ("option", "status"),
    [
        ("alice", 201),
        (" bob , alice ,", 201),
        (":AUTHENTICATED:", 201),
        (":ANONYMOUS:", 201),
        ("Alice", 403),
        ("alic", 403),
        (":alice", 403),
        ("bob", 403),
        (",", 403),
    ],
)
def test_listed_principals(serve: Serve, users: Path, tmp_path: Path, option: str, status: int) -> None:
    """The list contains names, groups and the two special names, separated by commas; it compares names exactly."""
    shutil.copytree(users, tmp_path / "server")
    site = serve(restrict_modify=option)

    assert site.request("PUT", "/new", {"password": "x"}, auth=("alice", "correct horse")).status == status


@pytest.mark.parametrize("option", ["root alice", "root;alice", "root,-alice", ":admins,a b"])
def test_names_that_no_user_can_have(serve: Serve, option: str) -> None:
    """A list with names that no user can have stops the start: it would list nobody."""
    with pytest.raises(
        StartupError, match=r"restrict-modify: expected names of users and :groups, separated by commas"
    ):
        serve(restrict_modify=option)


def test_a_group_of_a_directory_may_have_a_space(serve: Serve) -> None:
    """Groups of a directory have names such as ``Domain Admins``."""
    assert serve(restrict_modify="root,:Domain Admins").request("GET", "/+api").status == 200


def test_anonymous_stands_for_all_users(serve: Serve) -> None:
    """``:ANONYMOUS:`` stands for all users, logged in or not."""
    site = serve(restrict_modify=":ANONYMOUS:")

    assert site.request("PUT", "/new", {"password": "correct horse"}).status == 201


@pytest.mark.parametrize(
    ("method", "path", "body", "auth", "reason"),
    [
        ("PUT", "/new", {"password": "x"}, None, "--restrict-modify is in force"),
        ("PUT", "/new", {"password": "x"}, ("alice", "correct horse"), "--restrict-modify does not list you"),
        (
            "DELETE",
            "/admin",
            None,
            ("admin", "correct horse"),
            "a user listed in --restrict-modify cannot delete their own account",
        ),
    ],
    ids=["anonymous", "not listed", "last administrator"],
)
def test_the_reason(
    admins: Site, method: str, path: str, body: object, auth: tuple[str, str] | None, reason: str
) -> None:
    """A refusal names the option, so that users know which setting refused them."""
    refused = admins.request(method, path, body, auth=auth)

    assert refused.status == (403 if auth else 401)
    assert refused.message.endswith(f": {reason}")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"password": "new password"}, 200),
        ({"password": "new password", "email": "a@mail.example", "created": "x", "username": "alice"}, 200),
        ({"password": "new password", "email": "b@mail.example"}, 403),
        ({"email": "b@mail.example"}, 403),
        ({"password": None}, 403),
        ({"password": ""}, 400),
        ({"password": 5}, 400),
        ({"foo": 5}, 400),
    ],
    ids=str,
)
def test_changing_ones_own_password(admins: Site, fresh: str, body: dict[str, object], status: int) -> None:
    """A body that changes only the password is a password change, even if it repeats the other fields as they are."""
    made = {"password": "correct horse", "email": "a@mail.example"}
    assert admins.request("PUT", f"/{fresh}", made, auth=("admin", "correct horse")).status == 201
    own = {key: fresh if key == "username" else value for key, value in body.items()}

    changed = admins.request("PATCH", f"/{fresh}", own, auth=(fresh, "correct horse"))

    assert changed.status == status
    assert admins.request("POST", "/+login", {"user": fresh, "password": "correct horse"}).status == (
        401 if status == 200 else 200
    )


def test_a_name_gives_no_right(serve: Serve) -> None:
    """A user or an index that has the name of a listed group or looks like a listed user has none of their rights."""
    site = serve(restrict_modify="root,:staff")
    staff = site.add_user("staff")
    site.request("PUT", "/staff/staff", {}, auth=ROOT)

    for name in (":staff", "+staff", "Root"):
        assert site.request("PUT", f"/{name}", {"password": "x"}, auth=ROOT).status in (400, 404, 409)
    assert site.request("PUT", "/staff/dev", {}, auth=staff).status == 403


def test_without_the_plugin_there_is_no_option(serve: Serve) -> None:
    """With ``--no-plugin restrict_modify``, the policy and its option do not exist."""
    site = serve(no_plugin=["restrict_modify"])

    assert "restrict-modify" not in site.config
    assert site.request("PUT", "/new", {"password": "correct horse"}).status == 201
