"""``--restrict-modify``: the principals it may list, its reasons, and what it does not affect."""

from __future__ import annotations

import pytest
from tests.helpers.sites import Serve

from wheelgate.errors import StartupError

ROOT = ("root", "")


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
def test_listed_principals(serve: Serve, option: str, status: int) -> None:
    """The list contains names, groups and the two special names, separated by commas; it compares names exactly."""
    serve().add_user("alice", "correct horse")
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
    serve: Serve, method: str, path: str, body: object, auth: tuple[str, str] | None, reason: str
) -> None:
    """A refusal names the option, so that users know which setting refused them."""
    before = serve()
    for name in ("alice", "admin"):
        before.add_user(name, "correct horse")
    site = serve(restrict_modify="admin")

    refused = site.request(method, path, body, auth=auth)

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
def test_changing_ones_own_password(serve: Serve, body: dict[str, object], status: int) -> None:
    """A body that changes only the password is a password change, even if it repeats the other fields as they are."""
    before = serve()
    alice = before.add_user("alice", "correct horse")
    before.request("PATCH", "/alice", {"email": "a@mail.example"}, auth=alice)
    site = serve(restrict_modify="root")

    changed = site.request("PATCH", "/alice", body, auth=alice)

    assert changed.status == status
    assert site.request("POST", "/+login", {"user": "alice", "password": "correct horse"}).status == (
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
