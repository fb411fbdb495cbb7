"""Installing with old versions of pip from a private index whose base is a private mirror."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.helpers.distributions import Distribution, old_sdist, sdist, wheel
from tests.helpers.index_host import PASSWORD, USER, IndexHost
from tests.helpers.old_tools import OldTool
from tests.helpers.released_tools import ProxyTrap, ToolHome
from tests.helpers.upstream import Upstream

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

ANY_PYTHON = "py2.py3-none-any"
APP = wheel("private-app", "1.0", tag=ANY_PYTHON, requires_dist=["alpha"])
HIDDEN = wheel("private-app", "9.0", tag=ANY_PYTHON)
ALPHA_1 = wheel("alpha", "1.0", tag=ANY_PYTHON)
ALPHA_2 = wheel("alpha", "2.0", tag=ANY_PYTHON, requires_dist=["beta>=1"])
ALPHA_3 = wheel("alpha", "3.0", tag=ANY_PYTHON, requires_python=">=3.98")
BETA = wheel("beta", "1.5", tag=ANY_PYTHON)
SETUP_ONLY = old_sdist("setup-only", "0.4")
SOURCE_ONLY = sdist("source-only", "0.5")
TAMPERED = wheel("tampered", "1.0", tag=ANY_PYTHON)
EXPECTED = {"private_app": "1.0", "alpha": "2.0", "beta": "1.5"}


@dataclass(frozen=True, slots=True)
class OldPip:
    """A version of pip in an environment, and an sdist that it can build without another index."""

    tool: OldTool
    sdist: Distribution


PIPS = {
    "9": OldPip(OldTool("2.7", ("pip==9.0.3",)), SETUP_ONLY),
    "18": OldPip(OldTool("3.6", ("pip==18.1",)), SETUP_ONLY),
    "20": OldPip(OldTool("3.8", ("pip==20.3.4",)), SOURCE_ONLY),
    "23": OldPip(OldTool("3.9", ("pip==23.3.2",)), SOURCE_ONLY),
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexHost]:
    """Start a server where only alice may read the index and the mirror that it inherits from."""
    with (
        Upstream() as upstream,
        ServerProcess(tmp_path_factory.mktemp("host") / "server", *CHEAP_HASHING, workers=2) as server,
    ):
        for made in (ALPHA_1, ALPHA_2, ALPHA_3, BETA, HIDDEN, SETUP_ONLY, SOURCE_ONLY):
            upstream.add(made)
        upstream.add(TAMPERED, sha256="0" * 64)
        host = IndexHost.create(server)
        host.make_index("mirror", type="mirror", mirror_url=upstream.url, acl_read=[])
        host.make_index("dev", bases=[f"{USER}/mirror"], acl_read=[])
        host.upload("dev", APP)
        yield host


@pytest.fixture
def home(host: IndexHost, tmp_path: Path, tools: str) -> Iterator[ToolHome]:
    """Return a new home without a login; check at the end that the tools contacted only the server."""
    with ProxyTrap() as proxy:
        yield ToolHome(tmp_path, tools, proxy, host.index("dev"))
        assert not proxy.requests


@pytest.fixture(params=PIPS)
def pip(request: pytest.FixtureRequest) -> OldPip:
    """Return each version of pip."""
    return PIPS[request.param]


def install(home: ToolHome, pip: OldPip, *arguments: str | Path, login: str = "", code: int = 0) -> str:
    """Install into ``lib`` of the home."""
    address = home.simple.replace("://", f"://{login}@", 1) if login else home.simple
    return home.with_tools(pip.tool.programs()).run(
        *("pip", "install", "--no-cache-dir", "--retries=0", "--target", "lib", *arguments),
        code=code,
        PIP_INDEX_URL=address,
    )


def imported(home: ToolHome, pip: OldPip, *packages: str) -> dict[str, str]:
    """Import packages from ``lib`` and return their ``__version__``."""
    script = "import importlib, sys; [print(importlib.import_module(name).__version__) for name in sys.argv[1:]]"
    python = home.with_tools(pip.tool.programs())
    versions = python.run(
        "python", "-c", f"from __future__ import print_function\n{script}", *packages, PYTHONPATH="lib"
    )
    return dict(zip(packages, versions.split(), strict=True))


def test_pip_installs_a_tree(home: ToolHome, host: IndexHost, pip: OldPip) -> None:
    """Each pip gets the private project, although the mirror has a newer one, and builds an sdist."""
    install(home, pip, "private-app", pip.sdist.name, login=f"{USER}:{host.token}")

    built = {pip.sdist.name.replace("-", "_"): pip.sdist.version}
    assert imported(home, pip, *EXPECTED, *built) == {**EXPECTED, **built}


def test_pip_checks_the_hashes_of_the_files(home: ToolHome, host: IndexHost, pip: OldPip) -> None:
    """Each pip that requires hashes accepts the files, with a login that it takes from netrc."""
    home.write(".netrc", f"machine 127.0.0.1 login {USER} password {host.token}").chmod(0o600)
    files = (APP, ALPHA_2, BETA)
    lines = [f"{made.name}=={made.version} --hash=sha256:{made.sha256}" for made in files]

    install(home, pip, "--require-hashes", "-r", home.write("requirements.txt", *lines))

    assert imported(home, pip, *EXPECTED) == EXPECTED


@pytest.mark.parametrize("version", ["9", "23"])
def test_pip_needs_the_login(version: str, home: ToolHome) -> None:
    """Without a login, no pip finds a project of a private index."""
    output = install(home, PIPS[version], "private-app", code=1)

    assert "private-app" in output


@pytest.mark.parametrize("version", ["9", "23"])
def test_pip_does_not_install_a_file_with_a_wrong_hash(version: str, home: ToolHome, host: IndexHost) -> None:
    """Each pip reports that the mirror does not serve a file whose hash differs from the upstream's."""
    output = install(home, PIPS[version], "tampered", login=f"{USER}:{host.token}", code=1)

    assert "502" in output


@pytest.mark.parametrize("version", ["18", "23"])  # pip 9 does not decode it
def test_pip_decodes_a_password_in_the_address(version: str, home: ToolHome) -> None:
    """A password with reserved characters works in the index's address."""
    install(home, PIPS[version], "beta", login=f"{USER}:{quote(PASSWORD, safe='')}")

    assert imported(home, PIPS[version], "beta") == {"beta": "1.5"}
