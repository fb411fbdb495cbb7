"""Old releases of the incumbent's client, and a tool that is built on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.index_host import PASSWORD, USER, IndexHost
from tests.helpers.old_tools import OldTool
from tests.helpers.released_tools import ProxyTrap, ToolHome

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

CLIENTS = {
    "4": OldTool("2.7", ("devpi-client==4.4.0",)),
    "6": OldTool("3.8", ("devpi-client==6.0.7", "setuptools<81", "virtualenv==20.26.6")),
}
CLEANER = OldTool("", ("devpi-cleaner==0.3.1", "devpi-client==7.3.0"))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexHost]:
    """Start a server with a user."""
    with ServerProcess(tmp_path_factory.mktemp("host") / "server", *CHEAP_HASHING, workers=2) as server:
        yield IndexHost.create(server)


@pytest.fixture
def home(host: IndexHost, tmp_path: Path, tools: str) -> Iterator[ToolHome]:
    """Return a new home; check at the end that the tools contacted only the server."""
    with ProxyTrap() as proxy:
        yield ToolHome(tmp_path, tools, proxy, host.index("none"))
        assert not proxy.requests


@pytest.mark.parametrize("version", CLIENTS)
def test_an_old_client_works(version: str, host: IndexHost, home: ToolHome) -> None:
    """A session with the client: a private index, uploads, a push, an installation and a removal."""
    old, index, project = home.with_tools(CLIENTS[version].programs()), f"with{version}", f"by-{version}"
    for number in ("1.0", "1.1"):
        made = wheel(project, number, tag="py2.py3-none-any")
        (home.folder / made.filename).write_bytes(made.content)

    def devpi(*arguments: str, code: int = 0) -> str:
        return old.run("devpi", *arguments, code=code)

    devpi("use", host.server.url)
    assert "credentials valid" in devpi("login", USER, f"--password={PASSWORD}")
    devpi("index", "-c", index, "volatile=False", f"acl_read={USER}")
    devpi("index", "-c", f"{index}-stable", "volatile=True")
    devpi("use", f"{USER}/{index}")
    devpi("upload", *(path.name for path in sorted(home.folder.glob("*.whl"))))
    refused = devpi("remove", "-y", f"{project}==1.0", code=1)
    listed = devpi("list", "--all", project)
    devpi("push", f"{project}==1.1", f"{USER}/{index}-stable")
    devpi("use", f"{USER}/{index}-stable")  # these clients send no login when they install
    old.run("virtualenv", "--quiet", "venv")
    devpi("install", "--venv", "venv", project)
    installed = home.run("venv/bin/python", "-c", f"import by_{version} as x; print(x.__version__)")
    devpi("use", f"{USER}/{index}")
    devpi("index", index, "volatile=True")
    devpi("remove", "-y", f"{project}==1.0")
    devpi("index", "--delete", "-y", f"{USER}/{index}-stable")
    devpi("logoff")

    assert "non-volatile" in refused
    assert "1.0-py2" in listed
    assert "1.1-py2" in listed
    assert installed.split() == ["1.1"]
    assert [file["filename"] for file in host.files(index, project)] == [f"by_{version}-1.1-py2.py3-none-any.whl"]
    assert "401" in devpi("list", project, code=1)


def test_the_cleaner_removes_old_versions(host: IndexHost, home: ToolHome) -> None:
    """The cleaner makes an index volatile, removes the versions below a limit, and restores the index."""
    host.make_index("cleaned", volatile=False)
    host.upload("cleaned", *(wheel(name, version) for name in ("kept", "old") for version in ("1.0", "1.5", "2.0")))
    cleaner = home.with_tools(CLEANER.programs())
    login = (host.server.url, f"{USER}/cleaned", "old<2", "--batch", "--password", PASSWORD)

    cleaner.run("devpi-cleaner", *login, code=1)
    output = cleaner.run("devpi-cleaner", *login, "--force")

    assert "old 1.5" in output
    assert [file["filename"] for file in host.files("cleaned", "old")] == ["old-2.0-py3-none-any.whl"]
    assert len(host.files("cleaned", "kept")) == 3
    assert host.request("GET", f"{USER}/cleaned")["result"]["volatile"] is False
