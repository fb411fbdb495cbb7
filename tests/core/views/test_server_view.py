"""``request.view``: what plugins read of users, indices and packages."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from tests.helpers.distributions import sdist, wheel
from tests.helpers.memory_indices import ShelvesPlugin, file, project
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, submit, upload
from tests.helpers.view_reader import ViewReader, call_view

from wheelgate import hookimpl
from wheelgate.packages import latest_version
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate.testing.site import Site

ROOT = ("root", "")


@pytest.fixture
def reader(serve: Serve) -> Site:
    """Return a server with the reading route, and with indices that tests fill."""
    return serve(extra={"reader": ViewReader(), "shelves": ShelvesPlugin()})


def make_index(site: Site, path: str = "root/dev", **config: Any) -> None:
    """Create an index of root that root uploads to."""
    config = {"acl_upload": ["root"], **config} if config.get("type", "stage") == "stage" else config
    assert site.request("PUT", f"/{path}", config, auth=ROOT).status == 200


def view(site: Site, method: str, *args: Any, auth: tuple[str, str] | None = ROOT) -> Any:
    """Call a method of the view, and return its result."""
    answer = call_view(site, auth, method, *args)
    assert answer.status == 200, answer.content
    return answer.result


def walk(site: Site, method: str, *args: Any, limit: int, auth: tuple[str, str] | None = ROOT) -> list[Any]:
    """Follow a list to its end and back again; return its parts, which must be the same both ways."""
    parts, after = [view(site, method, *args, "", limit, auth=auth)], ""
    while (after := parts[-1]["next"]) is not None:
        parts.append(view(site, method, *args, after, limit, auth=auth))
    back = [parts[-1]]
    while (after := back[-1]["previous"]) is not None:
        back.append(view(site, method, *args, after, limit, auth=auth))
    assert back[::-1] == parts
    return parts


@pytest.mark.parametrize("hiding", [False, True], ids=["all visible", "some hidden"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_users_come_in_parts(serve: Serve, limit: int, hiding: bool) -> None:
    """Every user appears once, sorted, in parts that lead to each other, also where a plugin hides some."""

    class Hiding(ViewReader):
        @hookimpl
        def wheelgate_filter_visible(self, permission: str, resources: Any) -> list[bool] | None:
            return [each.name != "u3" for each in resources] if permission == "user_read" else None

    site = serve(extra={"reader": Hiding() if hiding else ViewReader()})
    for number in range(7):
        site.add_user(f"u{number}")
    names = [f"u{number}" for number in range(7) if number != 3 or not hiding]

    parts = walk(site, "users", "u", limit=limit)

    assert [each["user"]["name"] for part in parts for each in part["entries"]] == names
    assert [len(part["entries"]) for part in parts[:-1]] == [limit] * (len(parts) - 1)
    assert {part["total"] for part in parts} == {None if hiding else 7}
    assert view(site, "users", "u5", "", 5)["entries"][0]["user"]["name"] == "u5"
    assert view(site, "users", "none", "", 5)["entries"] == []


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_list_has_a_bound(reader: Site, limit: int) -> None:
    """A list without entries, or with too many, is an error of the plugin."""
    make_index(reader)

    for method, args in (("users", []), ("indices", ["root"]), ("projects", ["root/dev"])):
        assert call_view(reader, ROOT, method, *args, "", "", limit).status == 500


def test_a_project_in_the_list_of_its_index(reader: Site) -> None:
    """The list has the own projects with latest version, summary and last upload, and follows changes."""
    make_index(reader, "root/base")
    make_index(reader, bases=["root/base"])
    upload(reader, "root/base", wheel("inherited", "1.0"), ROOT)
    for version in ("1.0", "1.1", "2.0rc1"):
        upload(reader, "root/dev", wheel("demo", version), ROOT, summary=f"Is {version}")
    submit(reader, "root/dev", ROOT, **{":action": "submit", "name": "bare", "version": "3"})

    bare, demo = view(reader, "projects", "root/dev")["entries"]

    assert (bare["name"], bare["latest"], bare["summary"], bare["last_upload"]) == ("bare", "3", "", None)
    assert (demo["name"], demo["latest"], demo["summary"]) == ("demo", "1.1", "Is 1.1")
    assert demo["last_upload"].endswith("+00:00")
    reader.request("PATCH", "/root/dev/demo/1.1", {"yanked": True, "reason": "broken"}, auth=ROOT)
    assert view(reader, "projects", "root/dev", "d")["entries"][0]["latest"] == "1.0"
    assert view(reader, "project_counts", ["root/dev", "root/base", "root/pypi", "root/none"]) == {
        "root/dev": 2,
        "root/base": 1,
    }


@pytest.mark.parametrize(
    ("versions", "yanked", "latest"),
    [
        (["1.0", "1.10", "1.9"], [], "1.10"),
        (["1.0", "2.0rc1"], [], "1.0"),
        (["1.0", "1.1"], ["1.1"], "1.0"),
        (["1.0", "2.0rc1"], ["1.0"], "2.0rc1"),
        (["1.0", "2.0rc1"], ["1.0", "2.0rc1"], "2.0rc1"),
        (["1.0", "nonsense"], [], "1.0"),
        (["nonsense"], [], "nonsense"),
        ([], [], ""),
    ],
    ids=str,
)
def test_the_latest_version(versions: list[str], yanked: list[str], latest: str) -> None:
    """The highest stable version that is not yanked comes first, then the highest not yanked, then the highest."""
    assert latest_version(versions, yanked) == latest


def test_a_mirror_is_looked_at_without_asking_its_upstream(serve: Serve) -> None:
    """Neither the index, its list nor its number of projects ask an upstream, also for indices that inherit from it."""
    plugin = ShelvesPlugin()
    site = serve(extra={"reader": ViewReader(), "shelves": plugin})
    make_index(site, "root/mirror", type="far")
    make_index(site, bases=["root/mirror"])
    plugin.far.put("root/mirror", "demo", project("demo", "demo-1.0.tar.gz"))
    listed: list[str] = []
    plugin.far.projects = lambda index: listed.append(index.path)  # type: ignore[assignment,method-assign,return-value]

    index = view(site, "index", "root/mirror")
    projects = view(site, "projects", "root/mirror")
    counts = view(site, "project_counts", ["root/mirror", "root/dev"])
    serves = view(site, "serves", "root/dev", ["demo"])

    assert (index["mirror"], projects["entries"], projects["total"]) == (True, [], None)
    assert view(site, "index", "root/dev")["inherits"] == ["root/mirror"]
    assert (counts, serves, listed, plugin.far.asked) == ({"root/dev": 0}, [], [], [])


def test_secrets_of_an_upstream_are_not_shown(reader: Site) -> None:
    """The configuration of a mirror has no password."""
    url = "http://name:secret@127.0.0.1:9/simple/?key=hidden"
    make_index(reader, "root/mirror", type="mirror", mirror_url=url)

    shown = str(view(reader, "index", "root/mirror"))

    assert "secret" not in shown
    assert "hidden" not in shown


def test_the_files_of_a_project_name_their_index(reader: Site) -> None:
    """A file names the index that serves it; what comes later under the same name is in the versions alone."""
    make_index(reader, "root/base")
    make_index(reader, bases=["root/base"])
    upload(reader, "root/base", wheel("demo", "1.0"), ROOT)
    upload(reader, "root/base", sdist("demo", "0.9"), ROOT)
    upload(reader, "root/dev", wheel("demo", "1.0", seed=1), ROOT)

    files = view(reader, "files", "root/dev", "Demo")
    newest, oldest = view(reader, "releases", "root/dev", "demo")

    assert [(each["index"], each["file"]["version"]) for each in files["files"]] == [
        ("root/dev", "1.0"),
        ("root/base", "0.9"),
    ]
    assert (newest["version"], newest["index"], newest["shadowed"][0][0]) == ("1.0", "root/dev", "root/base")
    assert (oldest["version"], oldest["index"], oldest["shadowed"]) == ("0.9", "root/base", [])
    assert newest["release"]["files"][0]["log"][0]["who"] == "root"
    assert view(reader, "metadata", "root/dev", "demo", "1")["name"] == "demo"
    assert call_view(reader, ROOT, "metadata", "root/dev", "demo", "7").status == 404


def test_files_that_a_mirror_holds_back_are_told(serve: Serve) -> None:
    """A view passes on why an index leaves out files, and that an upstream does not answer."""
    plugin = ShelvesPlugin()
    site = serve(extra={"reader": ViewReader(), "shelves": plugin})
    make_index(site, "root/mirror", type="far")
    plugin.far.put("root/mirror", "demo", project("demo", file("demo-1.0.tar.gz"), left_out="2 are young", stale=True))

    files = view(site, "files", "root/mirror", "demo")

    assert (files["held_back"], files["stale"]) == ([["root/mirror", "2 are young"]], True)


def test_the_history_of_a_file_does_not_name_hidden_indices(reader: Site) -> None:
    """A caller who may not read an index does not learn from a view that a file was pushed from it."""
    make_index(reader, "root/secret", acl_read=["root"])
    make_index(reader)
    upload(reader, "root/secret", wheel("demo", "1.0"), ROOT)
    push = {"name": "demo", "version": "1.0", "targetindex": "root/dev"}
    assert reader.request("PUSH", "/root/secret", push, auth=ROOT).status == 200

    assert "root/secret" in str(view(reader, "releases", "root/dev", "demo"))
    assert "secret" not in str(view(reader, "releases", "root/dev", "demo", auth=None))


def test_a_stamp_changes_with_the_project(reader: Site) -> None:
    """The stamp of a project moves when the project changes, also on a base, and not when another one does."""
    make_index(reader, "root/base")
    make_index(reader, bases=["root/base"])
    stamps = [(view(reader, "stamp", "root/dev", "demo"), view(reader, "stamp", "root/dev"))]

    for index, name in (("root/base", "demo"), ("root/dev", "other"), ("root/dev", "demo")):
        upload(reader, index, wheel(name, "1.0"), ROOT)
        stamps.append((view(reader, "stamp", "root/dev", "demo"), view(reader, "stamp", "root/dev")))

    projects, lists = zip(*stamps, strict=True)
    assert [a != b for a, b in pairwise(projects)] == [True, False, True]
    assert [a != b for a, b in pairwise(lists)] == [True, True, True]


def test_permissions_of_the_caller(reader: Site) -> None:
    """A view says whether the caller has a permission, and why not."""
    alice = reader.add_user("alice")
    make_index(reader)
    make_index(reader, "root/secret", acl_read=["root"])

    def may(auth: tuple[str, str] | None, *question: str) -> tuple[bool, str]:
        verdict = view(reader, "may", *question, auth=auth)
        return verdict["allowed"], verdict["reason"]

    assert may(ROOT, "upload", "index", "dev", "root") == (True, "acl_upload lists you")
    assert may(alice, "upload", "index", "dev", "root") == (False, "acl_upload of index root/dev does not list you")
    assert may(alice, "index_read", "index", "dev", "root")[0]
    assert may(alice, "index_create", "index", "new", "alice")[0]
    assert not may(None, "status_read", "server")[0]
    assert may(alice, "user_modify", "user", "alice", "alice")[0]
    hidden = call_view(reader, alice, "may", "index_delete", "index", "secret", "root")
    absent = call_view(reader, alice, "may", "index_delete", "index", "absent", "root")
    assert (hidden.status, hidden.message.replace("secret", "absent")) == (absent.status, absent.message)
    assert call_view(reader, alice, "may", "nonsense", "server").status == 500


@pytest.mark.parametrize("name", ["a b", "", "-x", "demo\0", "\udc80", "x" * 300], ids=ascii)
def test_names_that_nothing_has(reader: Site, name: str) -> None:
    """No name is an error of the server: nothing has such a name."""
    make_index(reader)

    for method in ("releases", "files", "why"):
        assert call_view(reader, ROOT, method, "root/dev", name).status == 404
    assert call_view(reader, ROOT, "index", f"root/{name}").status == 404
    assert call_view(reader, ROOT, "index", f"root/dev/{name}").status == 404
    assert call_view(reader, ROOT, "user", name).status == 404
    assert view(reader, "serves", "root/dev", [name]) == []


def test_a_view_is_for_threads(serve: Serve) -> None:
    """A plugin that calls a view on an event loop of its own gets an error, not a deadlock."""

    async def on_a_loop(request: RouteRequest) -> str:
        try:
            request.view.users()
        except RuntimeError as error:
            return str(error)
        return ""

    def handle(request: RouteRequest) -> RouteResponse:
        return RouteResponse(asyncio.run(on_a_loop(request)), "text")

    class Plugin:
        @hookimpl
        def wheelgate_routes(self) -> list[Route]:
            return [Route("GET", "/", handle, public=True)]

    site = serve(extra={"reader": Plugin()})

    assert "in threads only" in site.request("GET", "/+x/reader").result


def test_the_address_of_a_file(reader: Site) -> None:
    """A served file has an address from which it can be fetched."""
    make_index(reader)
    dist = wheel("demo", "1.0+local.1")
    upload(reader, "root/dev", dist, ROOT)

    (found,) = view(reader, "files", "root/dev", "demo")["files"]

    assert found["file"]["path"] == address(dist)
