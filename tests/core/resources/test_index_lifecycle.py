"""``/{user}/{index}``: indices are created, shown, changed and deleted."""

from __future__ import annotations

import pytest

from wheelgate.testing.site import Site

ROOT = ("root", "")
DEFAULTS = {
    "type": "stage",
    "bases": [],
    "volatile": True,
    "acl_upload": ["alice"],
    "acl_toxresult_upload": [":ANONYMOUS:"],
    "mirror_whitelist": [],
    "mirror_whitelist_inheritance": "intersection",
}


@pytest.mark.parametrize("creator", ["alice", "root"])
def test_a_new_index_has_the_defaults_of_its_owner(site: Site, creator: str) -> None:
    """Creation answers 200 with the whole configuration; the owner may upload, even if root creates the index."""
    actors = {"alice": site.add_user("alice"), "root": ROOT}

    created = site.request("PUT", "/alice/dev", {}, auth=actors[creator])

    assert created.status == 200
    assert created.json == {"result": DEFAULTS, "type": "indexconfig"}


def test_an_index_is_shown_with_its_projects(site: Site) -> None:
    """``GET`` adds the projects of the index, unless the client asks to leave them out: a mirror has many."""
    alice = site.add_user("alice")
    site.request("PUT", "/alice/dev", {}, auth=alice)

    shown = site.request("GET", "/alice/dev")
    without = site.request("GET", "/alice/dev?no_projects=")

    assert (shown.status, shown.json) == (200, {"result": {**DEFAULTS, "projects": []}, "type": "indexconfig"})
    assert (without.status, without.json) == (200, {"result": DEFAULTS, "type": "indexconfig"})
    assert site.request("GET", "/alice/dev/").json == shown.json


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        pytest.param("/nouser/dev", {}, 404, "no user 'nouser'", id="unknown user"),
        pytest.param("/root/pypi", {}, 409, "index 'root/pypi' exists", id="exists"),
        pytest.param("/root/pypi", b"no json", 409, "index 'root/pypi' exists", id="exists, with a broken body"),
        pytest.param(
            "/root/dev",
            {"type": "nope"},
            400,
            "unknown index type 'nope'; the types are mirror, stage",
            id="unknown type",
        ),
        pytest.param(
            "/root/dev", {"type": None}, 400, "unknown index type None; the types are mirror, stage", id="type null"
        ),
        pytest.param(
            "/root/dev",
            {"type": ["stage"]},
            400,
            "unknown index type ['stage']; the types are mirror, stage",
            id="type a list",
        ),
        pytest.param(
            "/root/dev",
            {"zab": 2, "foo": "bar"},
            400,
            "indexconfig got unexpected keyword arguments: foo=bar, zab=2",
            id="unknown keys",
        ),
        pytest.param(
            "/root/dev",
            {"index": "dev", "user": "root"},
            400,
            "indexconfig got unexpected keyword arguments: index=dev, user=root",
            id="keys of the address",
        ),
        pytest.param(
            "/root/dev", {"bases": "root/dev"}, 400, "base index 'root/dev' does not exist", id="its own base"
        ),
    ],
)
def test_refused_creations(shared: Site, path: str, body: object, status: int, message: str) -> None:
    """A creation that is not possible is refused with the reason, and leaves nothing behind."""
    refused = shared.request("PUT", path, body, auth=ROOT)

    assert (refused.status, refused.message) == (status, message)
    assert shared.request("GET", "/root/dev").status == 404


@pytest.mark.parametrize("body", [{}, {"type": "nope"}, b"no json", b""], ids=["good", "wrong", "broken", "empty"])
def test_the_right_to_create_is_checked_before_the_body(shared: Site, body: object) -> None:
    """A caller who may not create an index learns that first, and nothing about the body."""
    refused = shared.request("PUT", "/root/dev", body)

    assert refused.status == 401
    assert refused.message == "not logged in: no permission to create index root/dev: only root may"


@pytest.mark.parametrize("body", [{}, {"type": "x"}, b"no json", b""], ids=["good", "wrong", "broken", "empty"])
def test_the_right_to_modify_is_checked_before_the_body(shared: Site, body: object) -> None:
    """A caller who may not modify an index or a user learns that first, and nothing about the body."""
    assert shared.request("PATCH", "/root/pypi", body).status == 401
    assert shared.request("PATCH", "/root", body).status == 401


@pytest.mark.parametrize("path", ["/root/nope", "/nouser/nope", "/root/pypi2"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_index_is_not_found(shared: Site, method: str, path: str) -> None:
    """An index that does not exist answers 404 with its path, to callers who have the permission."""
    missing = shared.request(method, path, {} if method == "PATCH" else None, auth=ROOT)

    assert (missing.status, missing.message) == (404, f"The stage {path[1:]} could not be found.")


@pytest.mark.parametrize("wrapped", [False, True], ids=["plain", "wrapped"])
def test_an_object_is_merged(site: Site, wrapped: bool) -> None:
    """``PATCH`` with an object, even one as ``GET`` shows it, changes the keys in it and answers with all keys."""
    alice = site.add_user("alice")
    site.request("PUT", "/alice/dev", {"title": "Old", "bases": "root/pypi"}, auth=alice)
    change = {"title": "New", "volatile": "no", "projects": ["ignored"]}

    changed = site.request(
        "PATCH", "/alice/dev", {"type": "indexconfig", "result": change} if wrapped else change, auth=alice
    )

    assert changed.status == 200
    assert changed.json["type"] == "indexconfig"
    assert changed.result == {**DEFAULTS, "bases": ["root/pypi"], "volatile": False, "title": "New"}
    assert site.request("GET", "/alice/dev?no_projects=").result == changed.result


@pytest.mark.parametrize(
    "body", [{"type": "mirror"}, {"type": None}, ["type=mirror"], ["type=stage"], ["type-="]], ids=str
)
def test_the_type_cannot_be_changed(shared: Site, fresh: str, body: object) -> None:
    """No form of a change can change the type of an index."""
    shared.request("PUT", f"/root/{fresh}", {}, auth=ROOT)

    refused = shared.request("PATCH", f"/root/{fresh}", body, auth=ROOT)

    assert (refused.status, refused.message) == (400, "the 'type' of an index can't be changed")


def test_a_change_without_effect_commits_nothing(site: Site) -> None:
    """A modification without effect answers 200 and commits nothing; with ``error_on_noop`` it answers 400."""
    before = site.request("PATCH", "/root/pypi", {"title": "X"}, auth=ROOT)

    again = site.request("PATCH", "/root/pypi", {"title": "X", "type": "mirror"}, auth=ROOT)
    loud = site.request("PATCH", "/root/pypi?error_on_noop=", ["title=X"], auth=ROOT)
    effective = site.request("PATCH", "/root/pypi?error_on_noop=", ["title=Y"], auth=ROOT)

    assert (again.status, again.json) == (200, before.json)
    assert again.headers["x-devpi-serial"] == before.headers["x-devpi-serial"]
    assert (loud.status, loud.message) == (400, "The requested modifications resulted in no changes")
    assert (effective.status, effective.result["title"]) == (200, "Y")


@pytest.mark.parametrize(
    ("path", "auth", "status", "message"),
    [
        pytest.param("/alice/dev", "alice", 201, "index alice/dev deleted", id="owner"),
        pytest.param("/alice/dev", "root", 201, "index alice/dev deleted", id="root"),
        pytest.param("/alice/prod", "alice", 403, "index alice/prod non-volatile, cannot delete", id="non-volatile"),
        pytest.param("/alice/prod?force", "root", 403, "index alice/prod non-volatile, cannot delete", id="force"),
        pytest.param(
            "/alice/dev",
            "bob",
            403,
            "user 'bob' has no permission to delete index alice/dev: only its owner 'alice' and root may",
            id="another",
        ),
        pytest.param(
            "/alice/nope",
            "bob",
            403,
            "user 'bob' has no permission to delete index alice/nope: only its owner 'alice' and root may",
            id="unknown, by another",
        ),
        pytest.param(
            "/alice/dev",
            None,
            401,
            "not logged in: no permission to delete index alice/dev: only its owner 'alice' and root may",
            id="anonymous",
        ),
    ],
)
def test_deletion(site: Site, path: str, auth: str | None, status: int, message: str) -> None:
    """The owner and root may delete a volatile index, which answers 201; a refused deletion changes nothing."""
    actors = {"alice": site.add_user("alice"), "bob": site.add_user("bob"), "root": ROOT, None: None}
    site.request("PUT", "/alice/dev", {}, auth=ROOT)
    site.request("PUT", "/alice/prod", {"volatile": False}, auth=ROOT)

    answer = site.request("DELETE", path, auth=actors[auth])

    assert (answer.status, answer.message) == (status, message)
    left = set(site.request("GET", "/alice").result["indexes"])
    assert left == ({"prod"} if status == 201 else {"dev", "prod"})


def test_a_deleted_index_leaves_the_bases(site: Site) -> None:
    """Deletion removes an index from all bases: nothing inherits from a new index of the same path."""
    alice = site.add_user("alice")
    for name, bases in (("base", []), ("dev", "alice/base,root/pypi"), ("two", "alice/dev,alice/base")):
        site.request("PUT", f"/alice/{name}", {"bases": bases}, auth=alice)

    site.request("DELETE", "/alice/base", auth=alice)
    site.request("PUT", "/alice/base", {}, auth=alice)

    indexes = site.request("GET", "/alice").result["indexes"]
    assert {name: config["bases"] for name, config in indexes.items()} == {
        "base": [],
        "dev": ["root/pypi"],
        "two": ["alice/dev"],
    }
