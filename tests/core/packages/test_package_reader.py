"""What a plugin that indexes packages reads of this server: without a caller, and without an upstream."""

from __future__ import annotations

from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.memory_indices import ShelvesPlugin, project
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, upload

from wheelgate import Server, hookimpl
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate.testing.site import Site

OLD, NEW, OTHER = wheel("my-pkg", "1.0", summary="Reads the weather"), wheel("my-pkg", "2.0"), wheel("other", "1.0")
DEV = "/alice/dev"


class Indexer:
    """A plugin that shows all that it can read of an index."""

    @hookimpl
    def wheelgate_routes(self, server: Server) -> list[Route]:
        """Serve ``/+x/indexer/OWNER/INDEX``."""

        def read(request: RouteRequest) -> RouteResponse:
            path, packages = f"{request.params['owner']}/{request.params['index']}", server.packages
            found = {
                name: {
                    "stamp": packages.stamp(path, name),
                    "releases": [
                        (each.version, each.metadata.get("summary")) for each in packages.releases(path, name)
                    ],
                }
                for name in packages.projects(path)
            }
            return RouteResponse({"stamp": packages.stamp(path), "projects": found}, "packages")

        return [Route("GET", "/{owner}/{index}", read, public=True)]


def indexed(site: Site, path: str = "alice/dev") -> Any:
    """Return what the plugin reads of an index."""
    return site.request("GET", f"/+x/indexer/{path}").result


@pytest.fixture
def hosted(serve: Serve) -> Site:
    """Return a server with the plugin, and an index with two projects."""
    site = serve(extra={"indexer": Indexer()})
    alice = site.add_user("alice")
    site.request("PUT", DEV, {"acl_read": ["alice"]}, auth=alice)
    for dist in (OLD, NEW, OTHER):
        assert upload(site, "alice/dev", dist, alice).status == 200
    return site


def test_a_plugin_reads_the_packages_of_a_private_index(hosted: Site) -> None:
    """The reader returns projects in order and releases oldest first, also of an index that the caller may not read."""
    found = indexed(hosted)["projects"]

    assert {name: entry["releases"] for name, entry in found.items()} == {
        "my-pkg": [["1.0", "Reads the weather"], ["2.0", "made for a test"]],
        "other": [["1.0", "made for a test"]],
    }
    assert list(found) == ["my-pkg", "other"]


CHANGES = [
    pytest.param("PATCH", f"{DEV}/my-pkg/1.0", {"yanked": True, "reason": ""}, id="yank"),
    pytest.param("PATCH", f"{DEV}/my-pkg", {"status": "archived"}, id="status"),
    pytest.param("DELETE", f"{DEV}/my-pkg/1.0", None, id="delete a version"),
    pytest.param("DELETE", f"{DEV}/{address(NEW)}", None, id="delete a file"),
    pytest.param("DELETE", f"{DEV}/my-pkg", None, id="delete the project"),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_a_change_moves_the_stamps_of_project_and_index(hosted: Site, method: str, path: str, body: Any) -> None:
    """Every change gives the project and the index new stamps, and leaves those of other projects."""
    before = indexed(hosted)
    answer = hosted.request(method, path, body, auth=hosted.login("alice", "correct horse"))
    after = indexed(hosted)

    assert answer.status == 200, answer.content
    assert after["stamp"] != before["stamp"]
    assert after["projects"].get("my-pkg", {}).get("stamp") != before["projects"]["my-pkg"]["stamp"]
    assert after["projects"]["other"] == before["projects"]["other"]
    assert indexed(hosted) == after


@pytest.mark.parametrize("kind", ["stage", "mirror"])
def test_an_index_of_the_same_path_has_other_stamps(hosted: Site, kind: str) -> None:
    """Nothing is left of a deleted index, and a later index of its path never has the stamp of the first."""
    alice, before = hosted.login("alice", "correct horse"), indexed(hosted)
    assert hosted.request("DELETE", DEV, auth=alice).status == 201
    gone = indexed(hosted)
    assert hosted.request("PUT", DEV, {"type": kind}, auth=alice).status == 200

    assert gone == {"stamp": "", "projects": {}}
    assert indexed(hosted)["stamp"] not in ("", before["stamp"])


def test_other_index_types_need_no_further_methods(serve: Serve) -> None:
    """Packages of a hosted type are read by the methods that it has; a type with an upstream is not asked at all."""
    plugin = ShelvesPlugin()
    site = serve(extra={"indexer": Indexer(), "shelves": plugin})
    for kind in ("near", "far"):
        site.request("PUT", f"/root/{kind}", {"type": kind}, auth=("root", ""))
    for shelves, path in ((plugin.near, "root/near"), (plugin.far, "root/far")):
        shelves.put(path, "weather", project("weather", "weather-1.0.tar.gz"))
    before = indexed(site, "root/near")
    plugin.near.put("root/near", "weather", project("weather", "weather-1.1.tar.gz"))
    after = indexed(site, "root/near")

    assert after["projects"]["weather"]["releases"] == [["1.1", None]]
    assert after["stamp"] != before["stamp"]
    assert after["projects"]["weather"]["stamp"] != before["projects"]["weather"]["stamp"]
    assert indexed(site, "root/far") == {"stamp": "", "projects": {}}
    assert plugin.far.asked == []
