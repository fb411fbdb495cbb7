"""``/{user}``: users are created, shown, changed and deleted."""

from __future__ import annotations

import re

import pytest

from wheelgate.testing.site import Site

ROOT = ("root", "")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_a_new_user_is_answered_as_everyone_may_see_it(site: Site) -> None:
    """Creation answers 201 with the user's configuration: no password in any form, and no key that was not set."""
    body = {"password": "correct horse", "email": "alice@mail.example", "title": "", "description": None}

    created = site.request("PUT", "/alice", body)

    assert created.status == 201
    assert created.json["type"] == "userconfig"
    assert TIME.fullmatch(created.result.pop("created"))
    config = created.result
    del config["created"]
    assert config == {"username": "alice", "indexes": {}, "email": "alice@mail.example"}


def test_a_user_looks_the_same_everywhere(site: Site) -> None:
    """``GET /alice`` and ``GET /`` show the configuration that creation answers, and the indices without projects."""
    alice = site.add_user("alice")
    index = site.request("PUT", "/alice/dev", {}, auth=alice).result

    shown = site.request("GET", "/alice")

    assert shown.status == 200
    assert shown.json["type"] == "userconfig"
    assert shown.result["indexes"] == {"dev": index}
    assert "projects" not in shown.result["indexes"]["dev"]
    assert site.request("GET", "/").result["alice"] == shown.result


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param({"email": "b@mail.example"}, {"email": "b@mail.example"}, id="a text"),
        pytest.param(
            {"title": "CTO", "description": "Ümläut ✓"}, {"title": "CTO", "description": "Ümläut ✓"}, id="two"
        ),
        pytest.param({"custom_data": {"a": [1, {"b": None}]}}, {"custom_data": {"a": [1, {"b": None}]}}, id="any JSON"),
        pytest.param({"custom_data": False}, {"custom_data": False}, id="false"),
        pytest.param({"email": None}, {}, id="null is not set"),
        pytest.param({"title": ""}, {}, id="empty is not set"),
        pytest.param({"created": "2001-01-01T00:00:00Z", "modified": "x"}, {}, id="times are the server's"),
    ],
)
def test_creation_keeps_what_is_given(shared: Site, fresh: str, body: dict[str, object], shown: object) -> None:
    """Keys that can be set are stored as they are; times that a client sends are ignored."""
    created = shared.request("PUT", f"/{fresh}", {"password": "correct horse", **body})

    assert created.status == 201
    config = created.result
    assert not config.pop("created").startswith("2001")
    assert config == {"username": fresh, "indexes": {}, **shown}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("body", "auth"),
    [
        pytest.param({"password": "another"}, None, id="anonymous"),
        pytest.param({}, ROOT, id="root"),
        pytest.param([], None, id="a body that would be refused"),
    ],
)
def test_a_taken_name_is_a_conflict_whatever_the_body(shared: Site, body: object, auth: tuple[str, str] | None) -> None:
    """A taken name answers 409 before the body is read and before rights are checked."""
    refused = shared.request("PUT", "/root", body, auth=auth)

    assert (refused.status, refused.message) == (409, "user already exists")


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_an_unknown_user_is_not_found(shared: Site, method: str) -> None:
    """Showing or changing a user who does not exist answers 404 to all callers."""
    missing = shared.request(method, "/nouser", {} if method == "PATCH" else None)

    assert (missing.status, missing.message) == (404, "no user 'nouser'")


def test_modification_merges(site: Site) -> None:
    """PATCH changes the keys in the body and no others; empty and null remove a key."""
    alice = site.add_user("alice")
    site.request("PATCH", "/alice", {"email": "a@mail.example", "title": "CTO", "description": "x"}, auth=alice)

    changed = site.request("PATCH", "/alice", {"title": "", "description": None, "custom_data": 1}, auth=alice)

    assert (changed.status, changed.json) == (200, {"message": "user updated"})
    shown = site.request("GET", "/alice").result
    assert {key: shown.get(key) for key in ("email", "title", "description", "custom_data")} == {
        "email": "a@mail.example",
        "title": None,
        "description": None,
        "custom_data": 1,
    }


def test_the_first_real_change_sets_the_time_of_modification(site: Site) -> None:
    """``modified`` is absent until something changes; a change without effect commits nothing."""
    alice = site.add_user("alice")
    before = site.request("PATCH", "/alice", {}, auth=alice)
    assert "modified" not in site.request("GET", "/alice").result

    real = site.request("PATCH", "/alice", {"email": "a@mail.example"}, auth=alice)
    again = site.request("PATCH", "/alice", {"email": "a@mail.example"}, auth=alice)

    assert TIME.fullmatch(site.request("GET", "/alice").result["modified"])
    assert int(real.headers["x-devpi-serial"]) > int(before.headers["x-devpi-serial"])
    assert again.headers["x-devpi-serial"] == real.headers["x-devpi-serial"]


def test_a_client_may_send_the_whole_configuration_back(site: Site) -> None:
    """The incumbent's client sends the whole configuration with its change: keys that cannot be set are ignored."""
    alice = site.add_user("alice")
    site.request("PUT", "/alice/dev", {}, auth=alice)
    site.request("PATCH", "/alice", {"email": "a@mail.example"}, auth=alice)
    shown = site.request("GET", "/alice").result

    echoed = {**shown, "created": "1970-01-01T00:00:00Z", "username": "mallory", "indexes": {}, "title": "CTO"}
    changed = site.request("PATCH", "/alice", echoed, auth=alice)

    assert changed.json == {"message": "user updated"}
    after = site.request("GET", "/alice").result
    assert {**after, "modified": ""} == {**shown, "modified": "", "title": "CTO"}


def test_a_new_password_is_answered_with_a_new_login(site: Site) -> None:
    """A changed password answers with a token of its user, even to root, and no cache may store it."""
    site.add_user("alice", "old password")

    changed = site.request("PATCH", "/alice", {"password": "new password"}, auth=ROOT)

    assert changed.status == 200
    assert changed.headers["cache-control"] == "no-store"
    assert (changed.json["type"], changed.message) == ("userpassword", "user updated, new proxy auth")
    assert changed.result["expiration"] == 36000
    token = ("alice", changed.result["password"])
    assert site.request("GET", "/+api", auth=token).result["authstatus"] == ["ok", "alice", []]
    assert site.request("POST", "/+login", {"user": "alice", "password": "old password"}).status == 401
    assert site.request("POST", "/+login", {"user": "alice", "password": "new password"}).status == 200


@pytest.mark.parametrize(
    ("name", "auth", "status", "message"),
    [
        pytest.param("alice", "alice", 200, "user 'alice' deleted", id="itself"),
        pytest.param("alice", "root", 200, "user 'alice' deleted", id="by root"),
        pytest.param("nouser", "root", 404, "no user 'nouser'", id="unknown, by root"),
        pytest.param("root", "root", 403, "root cannot be deleted", id="root, by itself"),
        pytest.param(
            "alice",
            "bob",
            403,
            "user 'bob' has no permission to delete user alice: only 'alice' and root may",
            id="foreign",
        ),
        pytest.param(
            "nouser",
            "bob",
            403,
            "user 'bob' has no permission to delete user nouser: only 'nouser' and root may",
            id="unknown, by another",
        ),
        pytest.param(
            "alice",
            None,
            401,
            "not logged in: no permission to delete user alice: only 'alice' and root may",
            id="anonymous",
        ),
    ],
)
def test_deletion(site: Site, name: str, auth: str | None, status: int, message: str) -> None:
    """Users may delete themselves, and root may delete users; others get 401 or 403, even for unknown users."""
    actors = {"alice": site.add_user("alice"), "bob": site.add_user("bob"), "root": ROOT, None: None}

    answer = site.request("DELETE", f"/{name}", auth=actors[auth])

    assert (answer.status, answer.message) == (status, message)
    assert site.request("GET", "/alice").status == (404 if status == 200 else 200)


def test_deletion_deletes_the_volatile_indices(site: Site) -> None:
    """A user's volatile indices are deleted too; one that is not volatile prevents the whole deletion."""
    alice = site.add_user("alice")
    site.request("PUT", "/alice/dev", {}, auth=alice)
    site.request("PUT", "/alice/prod", {"volatile": False}, auth=alice)

    refused = site.request("DELETE", "/alice", auth=alice)

    assert (refused.status, refused.message) == (403, "user 'alice' has non-volatile index: prod")
    assert set(site.request("GET", "/alice").result["indexes"]) == {"dev", "prod"}

    site.request("PATCH", "/alice/prod", {"volatile": True}, auth=alice)
    assert site.request("DELETE", "/alice", auth=alice).status == 200
    assert site.request("GET", "/alice/dev").status == 404


def test_a_deleted_name_leaves_no_rights_behind(site: Site) -> None:
    """Deletion removes a user from access lists and their indices from bases: a new user of the name has no rights."""
    alice, bob = site.add_user("alice"), site.add_user("bob")
    site.request("PUT", "/bob/base", {}, auth=bob)
    lists = {"acl_upload": "alice,bob", "acl_toxresult_upload": "bob,:AUTHENTICATED:", "bases": "bob/base,root/pypi"}
    site.request("PUT", "/alice/dev", lists, auth=alice)

    assert site.request("DELETE", "/bob", auth=ROOT).status == 200
    site.add_user("bob")

    shown = site.request("GET", "/alice/dev").result
    assert shown["acl_upload"] == ["alice"]
    assert shown["acl_toxresult_upload"] == [":AUTHENTICATED:"]
    assert shown["bases"] == ["root/pypi"]
    assert site.request("GET", "/bob").result["indexes"] == {}
