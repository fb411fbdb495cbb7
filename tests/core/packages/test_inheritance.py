"""Inheritance: the order of indices, names that hide mirrors, whitelists and circles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.core.packages.conftest import ROOT, Shelved
from tests.helpers.memory_indices import project

from wheelgate import Deny, Principal, Resource, hookimpl
from wheelgate.errors import BackendUnavailable, BadUpstream, Forbidden, UpstreamTimeout

Build = Callable[..., Shelved]

SAME = "abc-1.0.tar.gz"


@pytest.mark.parametrize(
    ("indices", "files"),
    [
        ({"top": ()}, ["top-1.tar.gz top", "same-1.tar.gz top"]),
        ({"base": (), "top": ("base",)}, ["top-1.tar.gz top", "same-1.tar.gz top", "base-1.tar.gz base"]),
        (
            {"d": (), "c": (), "b": ("d",), "top": ("b", "c")},
            ["top-1.tar.gz top", "same-1.tar.gz top", "b-1.tar.gz b", "d-1.tar.gz d", "c-1.tar.gz c"],
        ),
        (
            {"d": (), "c": ("d",), "b": ("d",), "top": ("c", "b")},
            ["top-1.tar.gz top", "same-1.tar.gz top", "c-1.tar.gz c", "d-1.tar.gz d", "b-1.tar.gz b"],
        ),
    ],
    ids=["alone", "base", "depth first", "diamond"],
)
def test_order(shelved: Shelved, indices: dict[str, tuple[str, ...]], files: list[str]) -> None:
    """An index comes first, then its bases depth-first, each once; of files with the same name the first wins."""
    for name, bases in indices.items():
        path = shelved.index(name, bases=bases)
        shelved.near.put(path, "abc", project("abc", f"{name}-1.tar.gz", "same-1.tar.gz"))

    assert shelved.files("top") == files


def test_mirrors_come_last(shelved: Shelved) -> None:
    """A mirror is asked after all hosted indices, even those that follow it in the bases."""
    for name in ("mirror", "other"):
        shelved.far.put(shelved.index(name, "far"), "abc", project("abc", f"{name}-1.tar.gz", SAME))
    shelved.near.put(shelved.index("base"), "abc", project("abc", SAME))
    shelved.index("top", bases=["mirror", "base", "other"], mirror_whitelist="*")

    assert shelved.files("top") == [f"{SAME} base", "mirror-1.tar.gz mirror", "other-1.tar.gz other"]


def test_addresses_lead_to_the_index_that_has_the_file(shelved: Shelved) -> None:
    """A file of another user's index links to that index, whatever both are called."""
    shelved.site.add_user("alice")
    shelved.site.request("PUT", "/alice/dev", {"type": "near"}, auth=ROOT)
    shelved.near.put("alice/dev", "abc", project("abc", SAME))
    made = shelved.site.request("PUT", "/root/top", {"type": "near", "bases": "alice/dev"}, auth=ROOT)

    page = shelved.get("/root/top/+simple/abc/").json

    assert made.status == 200
    assert page["files"][0]["url"].startswith("../../../../alice/dev/+f/")


def test_a_deleted_base_leaves_the_page(shelved: Shelved) -> None:
    """A deleted base is left out from the next request on."""
    shelved.near.put(shelved.index("base"), "abc", project("abc", SAME))
    shelved.index("top", bases=["base"])
    before = shelved.files("top")
    shelved.site.request("DELETE", "/root/base", auth=ROOT)

    after = shelved.get("/root/top/+simple/abc/")

    assert before == [f"{SAME} base"]
    assert (after.status, after.json["message"]) == (404, "The project abc does not exist.")


INTERSECTION, UNION = "intersection", "union"


@pytest.mark.parametrize(
    "has", [pytest.param("top", marks=pytest.mark.slow), pytest.param("middle", marks=pytest.mark.slow), "low"]
)
@pytest.mark.parametrize(
    ("mode", "top", "middle", "low", "opened"),
    [
        # Measured on the incumbent's server: only the requested index decides how whitelists are inherited.
        (INTERSECTION, "", "", "", False),
        (INTERSECTION, "", "abc", "", False),
        (INTERSECTION, "", "abc", "abc", False),
        (INTERSECTION, "", "*", "*", False),
        (INTERSECTION, "other", "abc", "abc", False),
        (INTERSECTION, "abc", "", "", True),
        (INTERSECTION, "abc", "other", "other", True),
        (INTERSECTION, "A_B.C,abc", "", "", True),
        (INTERSECTION, "*", "", "", True),
        (INTERSECTION, "*", "other", "", True),
        (UNION, "", "", "", False),
        (UNION, "other", "other", "other", False),
        (UNION, "", "abc", "", True),
        (UNION, "", "", "abc", True),
        (UNION, "", "", "*", True),
        (UNION, "abc", "", "", True),
        (UNION, "*", "other", "", True),
    ],
)
def test_whitelists(
    lasting: Shelved, fresh: str, has: str, mode: str, top: str, middle: str, low: str, opened: bool
) -> None:
    """A project on a hosted index hides the mirrors' project of that name, unless an applicable whitelist names it."""
    lasting.far.put(lasting.index(f"{fresh}mirror", "far"), "abc", project("abc", "abc-9.tar.gz"))
    modes = {"top": mode} | dict.fromkeys(("middle", "low"), {INTERSECTION: UNION, UNION: INTERSECTION}[mode])
    for name, base, whitelist in (("low", "mirror", low), ("middle", "low", middle), ("top", "middle", top)):
        more = {"mirror_whitelist": whitelist, "mirror_whitelist_inheritance": modes[name]}
        lasting.index(f"{fresh}{name}", bases=[f"{fresh}{base}"], **more)
    lasting.near.put(f"root/{fresh}{has}", "abc", project("abc", SAME))

    mirrored = [f"abc-9.tar.gz {fresh}mirror"] if opened else []
    assert lasting.files(f"{fresh}top") == [f"{SAME} {fresh}{has}", *mirrored]


def test_a_hidden_mirror_is_not_even_asked(shelved: Shelved) -> None:
    """The upstream does not learn the names of hosted projects."""
    shelved.index("mirror", "far")
    shelved.near.put(shelved.index("top", bases=["mirror"]), "abc", project("abc", SAME))

    shelved.files("top")
    shelved.get("/root/top/abc", "application/json")

    assert shelved.far.asked == []


@pytest.mark.parametrize("files", [(), None], ids=["registered only", "everything deleted"])
def test_a_name_stays_taken_without_files(shelved: Shelved, files: tuple[str, ...] | None) -> None:
    """A project without files, or without files any more, still hides the mirrors' project of that name."""
    shelved.far.put(shelved.index("mirror", "far"), "abc", project("abc", "abc-9.tar.gz"))
    shelved.index("top", bases=["mirror"])
    if files is None:
        shelved.near.taken.add("abc")
    else:
        shelved.near.put("root/top", "abc", project("abc", *files))

    page = shelved.get("/root/top/+simple/abc/")

    if files is None:
        assert page.status == 404
        assert "Its name belongs to root/top, so the server does not ask root/mirror" in page.json["message"]
    else:
        assert page.json["files"] == []


class Closed:
    """A policy: only root may read the index ``secret``."""

    @hookimpl
    def wheelgate_check_permission(self, principal: Principal, permission: str, resource: Resource) -> Deny | None:
        """Deny other callers."""
        closed = permission == "index_read" and resource.name == "secret" and principal.name != "root"
        return Deny("it is secret") if closed else None

    @hookimpl
    def wheelgate_filter_visible(self, principal: Principal, resources: Sequence[Resource]) -> list[bool]:
        """Hide it from other callers."""
        return [resource.name != "secret" or principal.name == "root" for resource in resources]


@pytest.fixture
def closed(build: Build) -> Shelved:
    """Return a server with an index that only root reads, between a public one and a mirror."""
    shelved = build({"closed": Closed()})
    shelved.far.put(shelved.index("mirror", "far"), "abc", project("abc", "abc-9.tar.gz"))
    shelved.near.put(shelved.index("secret", mirror_whitelist="*"), "abc", project("abc", SAME))
    shelved.index("top", bases=["secret", "mirror"])
    return shelved


PAGES = ["+simple/", "+simple/abc/", "+simple/other/", "abc", "abc/1.0", "+why/abc", "+api", ""]


@pytest.mark.parametrize("page", PAGES)
def test_an_index_with_a_closed_base_is_closed(closed: Shelved, page: str) -> None:
    """A caller who may not read a base may not read an inheriting index, in whichever order they ask."""
    for _ in range(2):
        refused = closed.get(f"/root/top/{page}", "application/json")
        seen = closed.get(f"/root/top/{page}", "application/json", auth=ROOT)

        assert refused.status == 401
        assert "secret" not in refused.message
        assert seen.status == (404 if "other" in page else 200)


@pytest.mark.parametrize("mode", [INTERSECTION, UNION])
def test_no_mirror_takes_over_a_closed_name(closed: Shelved, mode: str) -> None:
    """A caller is not served a mirror's project if its name belongs to an index that they may not read."""
    other = closed.site.add_user("other")
    closed.site.request("PATCH", "/root/top", [f"mirror_whitelist_inheritance={mode}"], auth=ROOT)

    for page in ("+simple/abc/", "abc"):
        assert closed.get(f"/root/top/{page}", "application/json", auth=other).status == 404
    assert closed.far.asked == []


@pytest.mark.parametrize(
    ("name", "patch", "way"),
    [
        ("top", {"bases": "root/top"}, "root/top -> root/top"),
        ("top", ["bases+=root/top"], "root/top -> root/top"),
        ("base", {"bases": "root/top"}, "root/base -> root/top -> root/base"),
        ("low", ["bases=root/other,root/top"], "root/low -> root/top -> root/base -> root/low"),
    ],
)
def test_circles_are_refused(shelved: Shelved, name: str, patch: object, way: str) -> None:
    """Bases through which an index would inherit from itself are refused; the message shows the circle."""
    shelved.index("other")
    shelved.index("low")
    shelved.index("base", bases=["low"])
    shelved.index("top", bases=["base"])

    answer = shelved.site.request("PATCH", f"/root/{name}", patch, auth=ROOT)

    assert (answer.status, answer.message) == (400, f"the bases would form a cycle: {way}")


def test_an_old_circle_does_no_harm(shelved: Shelved) -> None:
    """Indices in a circle that a database contains already are read once each, and can still be changed and mended."""
    shelved.index("one")
    shelved.index("two", bases=["one"])
    stores = shelved.near._server
    with stores.database.transaction():
        one = stores.indices.get("root", "one")
        assert one is not None
        stores.indices.modify(one, {**one.config, "bases": ["root/two"]})
    shelved.near.put("root/two", "abc", project("abc", SAME))

    assert shelved.files("one") == [f"{SAME} two"]
    assert shelved.files("two") == [f"{SAME} two"]
    change = {"mirror_whitelist": "abc"}
    assert shelved.site.request("PATCH", "/root/one", change, auth=ROOT).status == 200
    assert shelved.site.request("PATCH", "/root/one", ["bases="], auth=ROOT).status == 200


def test_a_new_index_closes_no_circle(shelved: Shelved) -> None:
    """A new index whose path is in other bases already cannot have bases that lead back to it."""
    shelved.index("one")
    stores = shelved.near._server
    with stores.database.transaction():
        one = stores.indices.get("root", "one")
        assert one is not None
        stores.indices.modify(one, {**one.config, "bases": ["root/two"]})

    answer = shelved.site.request("PUT", "/root/two", {"type": "near", "bases": "root/one"}, auth=ROOT)

    way = "root/two -> root/one -> root/two"
    assert (answer.status, answer.message) == (400, f"the bases would form a cycle: {way}")


PROBLEMS = [
    (BadUpstream("'upstream.example' answers 500"), 502),
    (UpstreamTimeout("'upstream.example' does not answer"), 504),
    (BackendUnavailable("too many requests wait"), 503),
    (Forbidden("the address is not allowed"), 403),
]


@pytest.mark.parametrize(("problem", "status"), PROBLEMS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("page", ["+simple/abc/", "abc", "+simple/"])
def test_a_failing_upstream_is_not_taken_for_absence(shelved: Shelved, page: str, problem: Any, status: int) -> None:
    """If no index has a project and an upstream fails, the answer says so: it is neither 404 nor an empty list."""
    path = shelved.index("mirror", "far")
    shelved.far.put(path, "abc", problem)
    shelved.far.put_listing(path, problem)
    shelved.index("top", bases=["mirror"])

    answer = shelved.get(f"/root/top/{page}", "application/json")

    assert (answer.status, answer.message) == (status, problem.message)


@pytest.mark.parametrize(("problem", "status"), PROBLEMS, ids=lambda value: type(value).__name__)
def test_a_failing_mirror_takes_nothing_away(shelved: Shelved, problem: Any, status: int) -> None:
    """The files of other indices are served if a mirror fails, and the page is marked as stale."""
    path = shelved.index("mirror", "far")
    shelved.far.put(path, "abc", problem)
    shelved.far.put_listing(path, problem)
    shelved.near.put(shelved.index("top", bases=["mirror"], mirror_whitelist="abc"), "abc", project("abc", SAME))

    for page in ("+simple/abc/", "+simple/"):
        answer = shelved.get(f"/root/top/{page}")
        assert (answer.status, answer.headers.get("x-wheelgate-stale")) == (200, "true")
    assert shelved.get("/root/top/abc", "application/json").status == 200


@pytest.mark.parametrize("page", ["+simple/abc/", "abc", "+why/abc"])
def test_no_mirror_replaces_a_failing_hosted_index(shelved: Shelved, page: str) -> None:
    """If a hosted index fails, mirrors do not answer in its place."""
    shelved.far.put(shelved.index("mirror", "far"), "abc", project("abc", "abc-9.tar.gz"))
    shelved.index("top", bases=["mirror"])
    shelved.near.put("root/top", "abc", BackendUnavailable("the database does not answer"))

    assert shelved.get(f"/root/top/{page}", "application/json").status == 503


def test_the_projects_of_an_index_are_its_own(shelved: Shelved) -> None:
    """An index's configuration lists its own projects, sorted; a failing mirror lists none."""
    shelved.far.put_listing(shelved.index("mirror", "far"), BadUpstream("gone"))
    shelved.near.put(shelved.index("base"), "inherited", project("inherited"))
    shelved.index("top", bases=["base", "mirror"])
    for name in ("b", "a"):
        shelved.near.put("root/top", name, project(name))

    assert shelved.get("/root/top", "application/json").result["projects"] == ["a", "b"]
    assert shelved.get("/root/mirror", "application/json").result["projects"] == []
    assert "projects" not in shelved.get("/root/top?no_projects=", "application/json").result


def test_a_type_without_its_plugin(shelved: Shelved, build: Build) -> None:
    """A base without its plugin is left out; an index without its plugin has no projects."""
    shelved.near.put(shelved.index("top"), "abc", project("abc", SAME))
    shelved.site.request("PUT", "/root/stage", {"bases": "root/top"}, auth=ROOT)
    again = build(no_plugin=["stage"])
    again.near.put("root/top", "abc", project("abc", SAME))

    assert again.get("/root/stage/+simple/abc/").status == 200
    assert again.get("/root/stage/+simple/").json["projects"] == [{"name": "abc"}]
