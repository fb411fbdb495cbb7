"""Uploads with released tools, each of which sends its own form and shows its own part of a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.index_host import PASSWORD, USER, IndexHost
from tests.helpers.released_tools import ProxyTrap, ToolHome
from tests.helpers.uploaders import UPLOADERS, Login, prepare

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

REFUSED = {
    # The output and the exit code of a conflict; hatch checks before it uploads, pdm shows only the status.
    "twine": ("{file} already exists in non-volatile index", 1),
    "uv": ("{file} already exists in non-volatile index", 2),
    "flit": ("{file} already exists in non-volatile index", 1),
    "poetry": ("already exists in non-volatile index", 1),
    "hatch": ("already exists", 0),
    "pdm": ("409", 1),
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexHost]:
    """Start a server where alice has a volatile index and a non-volatile one."""
    with ServerProcess(tmp_path_factory.mktemp("host") / "server", *CHEAP_HASHING, workers=2) as server:
        host = IndexHost.create(server)
        host.make_index("dev", volatile=True)
        host.make_index("stable", volatile=False)
        yield host


@pytest.fixture
def home(host: IndexHost, tmp_path: Path, tools: str) -> Iterator[ToolHome]:
    """Return a new home; check at the end that the tools contacted only the server."""
    with ProxyTrap() as proxy:
        yield ToolHome(tmp_path, tools, proxy, host.index("stable"))
        assert not proxy.requests


@pytest.mark.parametrize("secret", ["token", "password"])
@pytest.mark.parametrize("tool", UPLOADERS)
def test_a_tool_uploads(tool: str, secret: str, host: IndexHost, home: ToolHome) -> None:
    """The wheel and the sdist that a tool uploads, with a token or the password, are listed with their digests."""
    project = f"with-{tool}-and-{secret}"
    prepare(home, project)

    UPLOADERS[tool].upload(home, Login(home.index, USER, {"token": host.token, "password": PASSWORD}[secret]))

    listed = {file["filename"]: file["hashes"]["sha256"] for file in host.files("stable", project)}
    assert listed == host.digests(home.folder / "dist")
    assert len(listed) == 2


@pytest.mark.parametrize("tool", UPLOADERS)
def test_a_tool_shows_why_an_upload_is_refused(tool: str, host: IndexHost, home: ToolHome) -> None:
    """Another file of the same name is refused on a non-volatile index; most tools show the reason."""
    project = f"twice-with-{tool}"
    login = Login(home.index, USER, host.token)
    prepare(home, project)
    UPLOADERS[tool].upload(home, login)
    before = host.files("stable", project)
    shown, code = REFUSED[tool]
    prepare(home, project, seed=1)

    output = UPLOADERS[tool].upload(home, login, code)

    assert any(shown.format(file=name) in output for name in host.digests(home.folder / "dist")), output
    assert host.files("stable", project) == before


@pytest.mark.parametrize("tool", UPLOADERS)
def test_a_tool_shows_that_a_login_is_wrong(tool: str, host: IndexHost, home: ToolHome) -> None:
    """An unknown user gets 401, which each tool shows, and stores nothing."""
    project = f"anonymous-with-{tool}"
    prepare(home, project)

    output = UPLOADERS[tool].upload(
        home, Login(home.index, f"not-{USER}-{tool}", "wrong"), code=2 if tool == "uv" else 1
    )

    assert "401" in output
    assert host.files("stable", project) == []


@pytest.mark.parametrize("tool", sorted(UPLOADERS.keys() - {"hatch"}))  # hatch does not upload files that exist
def test_a_tool_uploads_again_to_a_volatile_index(tool: str, host: IndexHost, home: ToolHome) -> None:
    """A volatile index replaces a file with another one of the same name."""
    project = f"again-with-{tool}"
    login = Login(host.index("dev"), USER, host.token)
    for seed in (0, 1):
        prepare(home, project, seed=seed)
        UPLOADERS[tool].upload(home, login)

    listed = {file["filename"]: file["hashes"]["sha256"] for file in host.files("dev", project)}
    assert listed == host.digests(home.folder / "dist")
