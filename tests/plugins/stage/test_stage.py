"""Indices of the type ``stage``: every key, its values, their stored form, and operations on them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tests.helpers.sites import Serve

from wheelgate.testing.site import Site

ROOT = ("root", "")

ACCEPTED = [
    ("volatile", False, False),
    ("volatile", "No", False),
    ("volatile", "yes", True),
    ("volatile", "TRUE", True),
    ("volatile", "false", False),
    ("bases", [], []),
    ("bases", "", []),
    ("bases", "root/pypi", ["root/pypi"]),
    ("bases", " /root/pypi/ ,, root/stage", ["root/pypi", "root/stage"]),
    ("bases", ["root/stage", "root/pypi", "root/stage"], ["root/stage", "root/pypi", "root/stage"]),
    ("acl_upload", "", []),
    ("acl_upload", "root, alice", ["root", "alice"]),
    ("acl_upload", [":anonymous:", ":Authenticated:"], [":ANONYMOUS:", ":AUTHENTICATED:"]),
    ("acl_upload", [":developers", "alice"], [":developers", "alice"]),
    ("acl_toxresult_upload", ":ANONYMOUS:", [":ANONYMOUS:"]),
    ("acl_toxresult_upload", [], []),
    ("mirror_whitelist", "*", ["*"]),
    ("mirror_whitelist", "My_Pkg, other.pkg--x", ["my-pkg", "other-pkg-x"]),
    ("mirror_whitelist_inheritance", "UNION", "union"),
    ("mirror_whitelist_inheritance", "intersection", "intersection"),
    ("title", "A title", "A title"),
    ("title", "", ""),
    ("description", "Ümläut", "Ümläut"),
    ("custom_data", {"a": [None]}, {"a": [None]}),
    ("custom_data", 0, 0),
    ("custom_data", "", ""),
]
NO_NAME = "{} is no project's name; give names without versions or brackets, separated by commas, or * for all projects"
REFUSED = [
    ("volatile", "maybe", "Unknown boolean value 'maybe'."),
    ("volatile", 1, "Unknown boolean value 1."),
    ("volatile", "0", "Unknown boolean value '0'."),
    ("volatile", "", "Unknown boolean value ''."),
    ("volatile", None, "Unknown boolean value None."),
    ("bases", "root/nope", "base index 'root/nope' does not exist"),
    ("bases", ["root/nope", "no/body"], "base index 'root/nope' does not exist, base index 'no/body' does not exist"),
    ("bases", "foo,a/b/c", "invalid base index spec: 'foo', invalid base index spec: 'a/b/c'"),
    ("bases", 5, "Unknown list value 5."),
    ("bases", ["root/pypi", 5], "Unknown list value ['root/pypi', 5]."),
    ("bases", None, "Unknown list value None."),
    ("acl_upload", None, "Unknown list value None."),
    ("acl_upload", {"root": True}, "Unknown list value {'root': True}."),
    (
        "acl_upload",
        "root,nobody",
        "'acl_upload' names the user 'nobody', who does not exist; create the user first",
    ),
    (
        "acl_toxresult_upload",
        ["nobody"],
        "'acl_toxresult_upload' names the user 'nobody', who does not exist; create the user first",
    ),
    ("mirror_whitelist", None, "Unknown list value None."),
    ("mirror_whitelist", "[a,b]", NO_NAME.format("'[a'")),
    ("mirror_whitelist", "-", NO_NAME.format("'-'")),
    ("mirror_whitelist", "a,foo==1.0", NO_NAME.format("'foo==1.0'")),
    ("mirror_whitelist", "foo[extra]", NO_NAME.format("'foo[extra]'")),
    ("mirror_whitelist", "a;b", NO_NAME.format("'a;b'")),
    ("mirror_whitelist", ["a b"], NO_NAME.format("'a b'")),
    ("mirror_whitelist", ["a*"], NO_NAME.format("'a*'")),
    (
        "mirror_whitelist_inheritance",
        "foo",
        "Unknown value 'foo' for mirror_whitelist_inheritance, must be 'intersection' or 'union'.",
    ),
    (
        "mirror_whitelist_inheritance",
        None,
        "Unknown value None for mirror_whitelist_inheritance, must be 'intersection' or 'union'.",
    ),
    ("title", None, "'title' must be text, not None"),
    ("description", 5, "'description' must be text, not 5"),
    ("custom_data", None, "'custom_data' must not be null; to delete it, remove the key"),
    (
        "mirror_url",
        "https://packages.example/simple/",
        (
            "indexconfig got unexpected keyword arguments: mirror_url=https://packages.example/simple/; only an index"
            " of type=mirror has 'mirror_url'"
        ),
    ),
]


def labels(rows: Sequence[tuple[str, object, object]]) -> list[str]:
    """Return the ids of the rows."""
    return [f"{key}={value!a}" for key, value, _ in rows]


@pytest.fixture
def index(shared: Site, fresh: str) -> str:
    """Return the path of a new index, on a server with another user and another index."""
    if shared.request("GET", "/alice").status == 404:
        shared.add_user("alice")
        shared.request("PUT", "/root/stage", {}, auth=ROOT)
    assert shared.request("PUT", f"/root/{fresh}", {}, auth=ROOT).status == 200
    return f"/root/{fresh}"


@pytest.mark.parametrize(("key", "value", "stored"), ACCEPTED, ids=labels(ACCEPTED))
def test_accepted_values(shared: Site, index: str, key: str, value: object, stored: object) -> None:
    """Creation and modification store a value in the same form."""
    created = shared.request("PUT", f"{index}-new", {key: value}, auth=ROOT)
    modified = shared.request("PATCH", index, {key: value}, auth=ROOT)

    assert (created.status, created.result[key]) == (200, stored)
    assert (modified.status, modified.result[key]) == (200, stored)
    assert shared.request("GET", index).result[key] == stored


@pytest.mark.parametrize(("key", "value", "sentence"), REFUSED, ids=labels(REFUSED))
def test_refused_values(shared: Site, index: str, key: str, value: object, sentence: str) -> None:
    """Creation and modification refuse the same values, with a message that names the key, and change nothing."""
    before = shared.request("GET", index).content

    created = shared.request("PUT", f"{index}-new", {"title": "New", key: value}, auth=ROOT)
    modified = shared.request("PATCH", index, {"title": "New", key: value}, auth=ROOT)

    assert (created.status, created.message) == (400, sentence)
    assert (modified.status, modified.message) == (400, sentence)
    assert shared.request("GET", index).content == before
    assert shared.request("GET", f"{index}-new").status == 404


START = {"bases": "root/pypi", "acl_upload": "root,alice", "title": "T", "mirror_whitelist": "a,b"}
OPERATIONS = [
    (["title=New"], {"title": "New"}),
    (["title=a=b+=c"], {"title": "a=b+=c"}),
    (["title="], {"title": ""}),
    (["title-="], {"title": None}),
    (["description-="], {}),
    (["nope-="], {}),
    (["volatile=no"], {"volatile": False}),
    (["bases="], {"bases": []}),
    (["bases"], {"bases": []}),
    (["bases+=root/stage"], {"bases": ["root/pypi", "root/stage"]}),
    (["bases+=/root/pypi/"], {}),
    (["bases-=root/pypi"], {"bases": []}),
    (["bases-=root/pypi", "bases+=root/stage"], {"bases": ["root/stage"]}),
    (["bases=root/stage", "bases+=root/pypi", "title=x"], {"bases": ["root/stage", "root/pypi"], "title": "x"}),
    (["acl_upload+=:anonymous:"], {"acl_upload": ["root", "alice", ":ANONYMOUS:"]}),
    (["acl_upload-=alice"], {"acl_upload": ["root"]}),
    (["mirror_whitelist+=My_Pkg"], {"mirror_whitelist": ["a", "b", "my-pkg"]}),
    (["mirror_whitelist-=A"], {"mirror_whitelist": ["b"]}),
    (["custom_data=x"], {"custom_data": "x"}),
    (["projects=x", "projects+=x"], {}),
    ([], {}),
]
REFUSED_OPERATIONS = [
    (["bases+=root/none"], "base index 'root/none' does not exist"),
    (["bases+=foo"], "invalid base index spec: 'foo'"),
    (["bases-=root/none"], "The 'bases' setting doesn't have value 'root/none'"),
    (["acl_upload-=nobody"], "The 'acl_upload' setting doesn't have value 'nobody'"),
    (["acl_upload+=nobody"], "'acl_upload' names the user 'nobody', who does not exist; create the user first"),
    (["bases-="], "Default values can't be removed."),
    (["volatile-="], "Default values can't be removed."),
    (["volatile=maybe"], "Unknown boolean value 'maybe'."),
    (["title+=x"], "'title' holds one value: use title=VALUE instead of title+=VALUE"),
    (["volatile-=x"], "'volatile' holds one value: use volatile=VALUE instead of volatile-=VALUE"),
    (
        ["min_age=7d"],
        "indexconfig got unexpected keyword arguments: min_age=7d; only an index of type=mirror has 'min_age'",
    ),
    (["nope=x"], "indexconfig got unexpected keyword arguments: nope=x"),
    (["nope+=x"], "indexconfig got unexpected keyword arguments: nope=x"),
    (["nope-=x"], "indexconfig got unexpected keyword arguments: nope=x"),
    ([""], "indexconfig got unexpected keyword arguments: ="),
    ([5], "an operation must be text such as 'key=value', not 5"),
    ([["title=x"]], "an operation must be text such as 'key=value', not ['title=x']"),
    (["title=x", "volatile=maybe"], "Unknown boolean value 'maybe'."),
]


@pytest.mark.parametrize(("operations", "changes"), OPERATIONS, ids=[str(row[0]) for row in OPERATIONS])
def test_operations(shared: Site, index: str, operations: list[str], changes: dict[str, object]) -> None:
    """A list of operations is applied in order; None stands for a removed key."""
    before = shared.request("PATCH", index, START, auth=ROOT).result

    changed = shared.request("PATCH", index, operations, auth=ROOT)

    assert changed.status == 200
    expected = {key: value for key, value in {**before, **changes}.items() if value is not None}
    assert changed.result == expected
    assert shared.request("GET", f"{index}?no_projects=").result == expected


@pytest.mark.parametrize(
    ("operations", "sentence"), REFUSED_OPERATIONS, ids=[str(row[0]) for row in REFUSED_OPERATIONS]
)
def test_refused_operations(shared: Site, index: str, operations: list[object], sentence: str) -> None:
    """If one operation cannot be applied, none of the list is."""
    before = shared.request("PATCH", index, START, auth=ROOT).result

    refused = shared.request("PATCH", index, operations, auth=ROOT)

    assert (refused.status, refused.message) == (400, sentence)
    assert shared.request("GET", f"{index}?no_projects=").result == before


def test_cycles_are_refused(shared: Site, index: str) -> None:
    """No index may be its own base, even through other bases; the answer names the circle."""
    path = index[1:]

    itself = shared.request("PATCH", index, {"bases": path}, auth=ROOT)
    shared.request("PUT", f"{index}-two", {"bases": path}, auth=ROOT)
    circle = shared.request("PATCH", index, [f"bases+={path}-two"], auth=ROOT)

    assert (itself.status, circle.status) == (400, 400)
    assert f"{path} -> {path}" in itself.message
    assert f"{path}-two" in circle.message
    assert shared.request("GET", index).result["bases"] == []


def test_a_group_with_the_name_of_a_user(shared: Site, index: str) -> None:
    """The access list keeps the group ``:carol`` when the user ``carol`` is deleted."""
    shared.request("PUT", "/carol", {"password": "correct horse"})
    shared.request("PATCH", index, {"acl_upload": ":carol,carol"}, auth=ROOT)

    shared.request("DELETE", "/carol", auth=ROOT)

    assert shared.request("GET", index).result["acl_upload"] == [":carol"]


def test_an_entry_of_an_earlier_version_can_be_removed(serve: Serve, tmp_path: Path) -> None:
    """An entry that would be refused now stays, hinders no other change, and can be removed."""
    serve().request("PUT", "/root/old", {"mirror_whitelist": "a,b"}, auth=ROOT)
    with closing(sqlite3.connect(tmp_path / "server" / "wheelgate.db")) as database, database:
        database.execute("UPDATE sql_store_index SET config = replace(config, '\"b\"', '\"foo==1.0\"')")
    site = serve()

    changed = [
        site.request("PATCH", "/root/old", body, auth=ROOT).result["mirror_whitelist"]
        for body in ({"title": "T", "mirror_whitelist": ["a", "foo==1.0"]}, ["mirror_whitelist+=c"])
    ]
    removed = site.request("PATCH", "/root/old", ["mirror_whitelist-=foo==1.0"], auth=ROOT)

    assert changed == [["a", "foo==1.0"], ["a", "foo==1.0", "c"]]
    assert removed.result["mirror_whitelist"] == ["a", "c"]
