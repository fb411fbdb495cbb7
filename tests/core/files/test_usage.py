"""``devpi-server usage`` shows which package files take how much space."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import Run
from tests.helpers.distributions import wheel
from tests.helpers.postgres import PostgresServer
from tests.helpers.s3 import CREDENTIALS, ObjectStore
from tests.helpers.simple_pages import SIMPLE_JSON
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, upload
from tests.helpers.upstream import Upstream

from wheelgate.testing.site import Site

BIG, SMALL, MIRRORED = wheel("big", size=400_000), wheel("small", size=20_000), wheel("mirrored", size=1_000_000)
PLACES = ["folder", *(pytest.param(name, marks=pytest.mark.slow) for name in ("bucket", "postgresql"))]


@pytest.fixture(params=PLACES)
def options(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the settings of a server, by where it has its files and its database."""
    if request.param == "bucket":
        store: ObjectStore = request.getfixturevalue("object_store")
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        return {"files": f"s3://{store.bucket()}/some/prefix", "files_endpoint": store.url}
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return {"database": server.new_database()}
    return {}


def flags(folder: Path, options: dict[str, str]) -> list[str]:
    """Return the options of a command for the same server."""
    given = {"serverdir": str(folder), **options}
    return [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]


def fill(site: Site, upstream: Upstream) -> None:
    """Upload a file to two indices and another to one, and install a third through a mirror."""
    alice = site.add_user("alice")
    for index, dists in (("alice/dev", (BIG, SMALL)), ("alice/prod", (BIG,))):
        assert site.request("PUT", f"/{index}", {"bases": []}, auth=alice).status == 200
        for dist in dists:
            assert upload(site, index, dist, alice).status == 200
    upstream.add(MIRRORED)
    config = {"type": "mirror", "mirror_url": upstream.url}
    assert site.request("PUT", "/root/company", config, auth=("root", "")).status == 200
    assert site.request("GET", "/root/company/+simple/mirrored/", headers={"Accept": SIMPLE_JSON}).status == 200
    assert site.request("GET", f"/root/company/{address(MIRRORED)}").status == 200


def test_usage_shows_indices_projects_and_shared_files(
    run: Run,
    serve: Serve,
    tmp_path: Path,
    options: dict[str, str],
    upstream: Upstream,
) -> None:
    """Beside a running server, the table has each index; the total counts a file of two indices once, and names it."""
    fill(serve(**options), upstream)
    sizes = {dist.name: f"{len(dist.content) / 1000:.1f} kB" for dist in (BIG, SMALL)}
    both = f"{(len(BIG.content) + len(SMALL.content)) / 1000:.1f} kB"
    mirrored, big = f"{len(MIRRORED.content) / 1e6:.1f} MB", sizes["big"]
    total = f"{sum(len(dist.content) for dist in (BIG, SMALL, MIRRORED)) / 1e6:.1f} MB"

    indices = run("usage", *flags(tmp_path / "server", options))
    projects = run("usage", "alice/dev", *flags(tmp_path / "server", options))

    assert [line.split() for line in indices.out.splitlines()] == [
        ["INDEX", "TYPE", "FILES", "SIZE", "SHARED"],
        ["root/company", "mirror", "1", *mirrored.split()],
        ["alice/dev", "stage", "2", *both.split(), *big.split()],
        ["alice/prod", "stage", "1", *big.split(), *big.split()],
        ["total", "3", *total.split(), *big.split()],
        [],
        ["in", "several", "indices,", "and", "once", "in", "the", "store", "and", "in", "the", "total:"],
        [*big.split(), f"alice/dev/{address(BIG)}", f"alice/prod/{address(BIG)}"],
    ]
    assert [line.split() for line in projects.out.splitlines()] == [
        ["PROJECT", "FILES", "SIZE", "SHARED"],
        ["big", "1", *big.split(), *big.split()],
        ["small", "1", *sizes["small"].split()],
    ]
    assert (indices.code, indices.err, projects.code, projects.err) == (0, "", 0, "")


@pytest.mark.parametrize(
    ("index", "indices"),
    [("", {"root/company": 1, "alice/dev": 2, "alice/prod": 1}), ("alice/dev", {"alice/dev": 2}), ("no/such", {})],
    ids=["all", "one", "none"],
)
def test_usage_as_json(
    run: Run,
    serve: Serve,
    tmp_path: Path,
    upstream: Upstream,
    index: str,
    indices: dict[str, int],
) -> None:
    """``--json`` has every index with its projects, and every shared file with its hash, in bytes."""
    fill(serve(), upstream)

    printed = run("usage", "--json", *([index] if index else []), *flags(tmp_path / "server", {}))

    found: dict[str, Any] = json.loads(printed.out)
    assert {each["index"]: each["files"] for each in found["indices"]} == indices
    assert (found["files"], found["bytes"]) == (3, sum(len(dist.content) for dist in (BIG, SMALL, MIRRORED)))
    shared = {each["sha256"]: (each["bytes"], each["paths"]) for each in found["shared"]}
    paths = [f"alice/{name}/{address(BIG)}" for name in ("dev", "prod")]
    assert shared == ({} if index == "no/such" else {BIG.sha256: (len(BIG.content), paths)})
    for each in found["indices"]:
        assert sum(project["bytes"] for project in each["projects"]) == each["bytes"]


def test_usage_refuses_an_index_without_files(run: Run, serve: Serve, tmp_path: Path) -> None:
    """An index that has no files, or does not exist, is named in one line."""
    serve()

    printed = run("usage", "no/such\n", *flags(tmp_path / "server", {}))

    printed.fails(1, "there is no index 'no/such\\n' with files on this server")


def test_usage_of_an_empty_server(run: Run, serve: Serve, tmp_path: Path) -> None:
    """A server without files has a total of nothing."""
    serve()

    printed = run("usage", *flags(tmp_path / "server", {}))

    assert printed.out.split() == ["INDEX", "TYPE", "FILES", "SIZE", "SHARED", "total", "0", "0", "bytes"]
