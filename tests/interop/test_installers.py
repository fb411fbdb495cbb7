"""Installing with released tools from a private index whose base is a mirror."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.distributions import sdist, wheel
from tests.helpers.index_host import IndexHost
from tests.helpers.installers import COMMANDS, INSTALLERS, installed
from tests.helpers.released_tools import ProxyTrap, ToolHome
from tests.helpers.upstream import Upstream

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

EARLY, LATE = "2020-02-02T02:02:02.000000Z", "2024-04-04T04:04:04.000000Z"
BETWEEN, TOMORROW = "2022-02-02T02:02:02Z", "2099-09-09T09:09:09Z"
NEXT_PYTHON = ">=3.98"

APP = wheel("private-app", "1.0", requires_dist=["alpha", "source-only"])
ALPHA_1 = wheel("alpha", "1.0")
ALPHA_2 = wheel("alpha", "2.0", requires_dist=["beta>=1"])
ALPHA_3 = wheel("alpha", "3.0")
ALPHA_4 = wheel("alpha", "4.0", requires_python=NEXT_PYTHON)
BETA = wheel("beta", "1.5")
SOURCE_ONLY = sdist("source-only", "0.5")
HOSTED = wheel("two", "1.0")
TAMPERED = wheel("tampered", "1.0")
HIDDEN = wheel("private-app", "9.0")
COMPILE = ("uv", "pip", "compile", "--quiet", "--no-cache", "--no-header", "--no-annotate")
EXPECTED = {"private_app": "1.0", "alpha": "2.0", "beta": "1.5", "source_only": "0.5"}


def add_projects(upstream: Upstream) -> None:
    """Add a project with a version of each kind to an index, and the other projects that the tests install."""
    upstream.add(ALPHA_1, upload_time=EARLY)
    upstream.add(ALPHA_2, upload_time=LATE)
    upstream.add(ALPHA_3, upload_time=LATE, yanked="it breaks everything")
    upstream.add(ALPHA_4, upload_time=LATE)
    upstream.add(BETA, upload_time=EARLY)
    upstream.add(SOURCE_ONLY, upload_time=EARLY)
    upstream.add(TAMPERED, sha256="0" * 64)
    upstream.add(HIDDEN)


def open_index(host: IndexHost, name: str, upstream: Upstream) -> None:
    """Create a private index with projects, and a mirror as its base whose pages expire at once."""
    host.make_index(f"{name}-mirror", type="mirror", mirror_url=upstream.url, mirror_cache_expiry=0)
    host.make_index(name, bases=[f"alice/{name}-mirror"])
    host.upload(name, APP, HOSTED)


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """Start an upstream index for all tests of this file."""
    with Upstream() as upstream:
        add_projects(upstream)
        yield upstream


@pytest.fixture(scope="module")
def host(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexHost]:
    """Start a server with a private index on a mirror."""
    with ServerProcess(tmp_path_factory.mktemp("host") / "server", *CHEAP_HASHING, workers=2) as server:
        host = IndexHost.create(server)
        open_index(host, "dev", upstream)
        yield host


@pytest.fixture
def home(host: IndexHost, tmp_path: Path, tools: str) -> Iterator[ToolHome]:
    """Return a new home; check at the end that the tools contacted only the server."""
    with ProxyTrap() as proxy:
        yield ToolHome(tmp_path, tools, proxy, host.index("dev"))
        assert not proxy.requests


@pytest.mark.parametrize("tool", INSTALLERS)
def test_a_tool_installs(tool: str, home: ToolHome) -> None:
    """A tool gets the private project, although the mirror has a newer one, and the newest allowed other versions."""
    INSTALLERS[tool](home, "private-app")

    assert installed(home, *EXPECTED) == EXPECTED


@pytest.mark.parametrize("tool", INSTALLERS)
def test_cached_files_install_without_the_upstream(tool: str, home: ToolHome, host: IndexHost) -> None:
    """A project that was installed once can be installed in another home while the upstream is unavailable."""
    name = f"dev-with-{tool.replace(' ', '-')}"
    with Upstream() as upstream:
        add_projects(upstream)
        open_index(host, name, upstream)
        INSTALLERS[tool](home.another("first", host.index(name)), "private-app")
    again = home.another("second", host.index(name))

    INSTALLERS[tool](again, "private-app")

    assert installed(again, *EXPECTED) == EXPECTED


@pytest.mark.parametrize("tool", COMMANDS)
def test_required_hashes_are_those_of_the_files(tool: str, home: ToolHome) -> None:
    """A tool that requires hashes accepts the files, from the private index and through the mirror."""
    files = (APP, ALPHA_2, BETA, SOURCE_ONLY)
    lines = [f"{made.name}=={made.version} --hash=sha256:{made.sha256}" for made in files]

    home.run(*COMMANDS[tool](home), "--require-hashes", "-r", home.write("requirements.txt", *lines))

    assert installed(home, *EXPECTED) == EXPECTED


@pytest.mark.parametrize(("tool", "code"), [("pip", 1), ("uv", 2)])
def test_a_file_with_a_wrong_hash_is_not_served(tool: str, code: int, home: ToolHome) -> None:
    """A file whose hash differs from the one on the upstream's page cannot be installed."""
    output = home.run(*COMMANDS[tool](home), "tampered", code=code, PIP_RETRIES="0", UV_HTTP_RETRIES="0")

    assert "502" in output


@pytest.mark.parametrize("tool", COMMANDS)
def test_a_yanked_version_installs_if_it_is_pinned(tool: str, home: ToolHome) -> None:
    """A pinned yanked version can be installed; the tool warns with the upstream's reason."""
    output = home.run(*COMMANDS[tool](home), "alpha==3.0")

    assert "it breaks everything" in output
    assert installed(home, "alpha") == {"alpha": "3.0"}


@pytest.mark.parametrize("tool", COMMANDS)
def test_a_version_for_another_python_is_refused(tool: str, home: ToolHome) -> None:
    """A tool sees which Python a version needs before it downloads anything."""
    output = home.run(*COMMANDS[tool](home), "alpha==4.0", code=1)

    assert NEXT_PYTHON in output


def test_a_resolution_downloads_metadata_only(home: ToolHome, upstream: Upstream) -> None:
    """To resolve, uv downloads only the metadata file of each wheel, which the mirror passes on, and no wheel."""
    wheels = [wheel("lean", "1.0", requires_dist=["leaner"]), wheel("leaner", "1.0")]
    for made in wheels:
        upstream.add(made)

    output = home.run(*COMPILE, home.write("requirements.in", "lean"))

    assert output.split() == ["lean==1.0", "leaner==1.0"]
    for made in wheels:
        assert upstream.count(upstream.file_path(made)) == 0
        assert upstream.count(f"{upstream.file_path(made)}.metadata") == 1


@pytest.mark.parametrize(
    ("project", "moment", "expected"),
    [
        ("alpha", BETWEEN, ["alpha==1.0"]),
        ("alpha", TOMORROW, ["alpha==2.0", "beta==1.5"]),
        ("two", BETWEEN, None),
        ("two", TOMORROW, ["two==1.0"]),
    ],
    ids=["mirrored, before the second", "mirrored, after it", "hosted, before it came", "hosted, after it came"],
)
def test_later_files_can_be_excluded(project: str, moment: str, expected: list[str] | None, home: ToolHome) -> None:
    """``uv pip compile --exclude-newer`` uses the upload times of the upstream and of this server."""
    command = (*COMPILE, "--exclude-newer", moment, home.write("requirements.in", project))

    output = home.run(*command, code=0 if expected else 1)

    assert expected is None or output.split() == expected
