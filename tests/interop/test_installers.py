"""Installing from a private index whose base is a mirror, with the tools that people have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.distributions import sdist, wheel
from tests.helpers.hosted_index import Shop
from tests.helpers.installers import COMMANDS, INSTALLERS, installed
from tests.helpers.released_tools import Desk, Outside
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


def offer(upstream: Upstream) -> None:
    """Put a project on an index that has a version of each kind, and what else the tests install."""
    upstream.add(ALPHA_1, upload_time=EARLY)
    upstream.add(ALPHA_2, upload_time=LATE)
    upstream.add(ALPHA_3, upload_time=LATE, yanked="it breaks everything")
    upstream.add(ALPHA_4, upload_time=LATE)
    upstream.add(BETA, upload_time=EARLY)
    upstream.add(SOURCE_ONLY, upload_time=EARLY)
    upstream.add(TAMPERED, sha256="0" * 64)
    upstream.add(HIDDEN)


def open_index(shop: Shop, name: str, upstream: Upstream) -> None:
    """Make a private index on a mirror, whose pages are stale at once, with private projects there."""
    shop.make_index(f"{name}-mirror", type="mirror", mirror_url=upstream.url, mirror_cache_expiry=0)
    shop.make_index(name, bases=[f"alice/{name}-mirror"])
    shop.upload(name, APP, HOSTED)


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """Start an index that stays."""
    with Upstream() as upstream:
        offer(upstream)
        yield upstream


@pytest.fixture(scope="module")
def shop(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Start a server with a private index on a mirror."""
    with ServerProcess(tmp_path_factory.mktemp("shop") / "server", *CHEAP_HASHING, workers=2) as server:
        shop = Shop.opened(server)
        open_index(shop, "dev", upstream)
        yield shop


@pytest.fixture
def desk(shop: Shop, tmp_path: Path, tools: str) -> Iterator[Desk]:
    """Sit down in a new home; at the end, no tool has asked anything but the server."""
    with Outside() as outside:
        yield Desk(tmp_path, tools, outside, shop.index("dev"))
        assert not outside.visits


@pytest.mark.parametrize("tool", INSTALLERS)
def test_a_tool_installs(tool: str, desk: Desk) -> None:
    """A tool gets the private project, though the mirror has a newer one, and the newest of the others that it may."""
    INSTALLERS[tool](desk, "private-app")

    assert installed(desk, *EXPECTED) == EXPECTED


@pytest.mark.parametrize("tool", INSTALLERS)
def test_what_was_seen_installs_without_the_upstream(tool: str, desk: Desk, shop: Shop) -> None:
    """What was installed once installs again, in another home, while the upstream is away."""
    name = f"dev-with-{tool.replace(' ', '-')}"
    with Upstream() as upstream:
        offer(upstream)
        open_index(shop, name, upstream)
        INSTALLERS[tool](desk.beside("first", shop.index(name)), "private-app")
    again = desk.beside("second", shop.index(name))

    INSTALLERS[tool](again, "private-app")

    assert installed(again, *EXPECTED) == EXPECTED


@pytest.mark.parametrize("tool", COMMANDS)
def test_required_hashes_are_those_of_the_files(tool: str, desk: Desk) -> None:
    """A tool that requires hashes finds the files that were made, from the private index and through the mirror."""
    files = (APP, ALPHA_2, BETA, SOURCE_ONLY)
    lines = [f"{made.name}=={made.version} --hash=sha256:{made.sha256}" for made in files]

    desk.run(*COMMANDS[tool](desk), "--require-hashes", "-r", desk.write("requirements.txt", *lines))

    assert installed(desk, *EXPECTED) == EXPECTED


@pytest.mark.parametrize(("tool", "code"), [("pip", 1), ("uv", 2)])
def test_a_file_that_is_not_what_the_upstream_promised_is_not_served(tool: str, code: int, desk: Desk) -> None:
    """A file whose hash is another than the upstream's page said cannot be installed."""
    said = desk.run(*COMMANDS[tool](desk), "tampered", code=code, PIP_RETRIES="0", UV_HTTP_RETRIES="0")

    assert "502" in said


@pytest.mark.parametrize("tool", COMMANDS)
def test_a_yanked_file_installs_if_it_is_asked_for_exactly(tool: str, desk: Desk) -> None:
    """A yanked version is there for those who pin it; the tool warns with the reason that the upstream gave."""
    said = desk.run(*COMMANDS[tool](desk), "alpha==3.0")

    assert "it breaks everything" in said
    assert installed(desk, "alpha") == {"alpha": "3.0"}


@pytest.mark.parametrize("tool", COMMANDS)
def test_a_version_for_another_python_is_refused(tool: str, desk: Desk) -> None:
    """A tool sees which Python a version is for before it downloads anything."""
    said = desk.run(*COMMANDS[tool](desk), "alpha==4.0", code=1)

    assert NEXT_PYTHON in said


def test_a_resolution_downloads_metadata_only(desk: Desk, upstream: Upstream) -> None:
    """To resolve, uv asks for the metadata sibling of each wheel, which the mirror passes on, and for no wheel."""
    wheels = [wheel("lean", "1.0", requires_dist=["leaner"]), wheel("leaner", "1.0")]
    for made in wheels:
        upstream.add(made)

    said = desk.run(*COMPILE, desk.write("requirements.in", "lean"))

    assert said.split() == ["lean==1.0", "leaner==1.0"]
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
def test_later_files_can_be_left_out(project: str, moment: str, expected: list[str] | None, desk: Desk) -> None:
    """``uv pip compile --exclude-newer`` goes by the times of uploads, of the upstream's and of ours."""
    command = (*COMPILE, "--exclude-newer", moment, desk.write("requirements.in", project))

    said = desk.run(*command, code=0 if expected else 1)

    assert expected is None or said.split() == expected
