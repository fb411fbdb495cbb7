"""Installing from a private index with the logins that released tools send."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.index_host import PASSWORD, USER, IndexHost
from tests.helpers.installers import COMMANDS, installed
from tests.helpers.released_tools import ProxyTrap, ToolHome

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

APP = wheel("private-app", "1.0")
LOGIN = f"{USER}:{quote(PASSWORD, safe='')}@"


@pytest.fixture(scope="module", params=[(), ("--require-login",)], ids=["private index", "closed server"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexHost]:
    """Start a server with an index that only its owner may read."""
    folder = tmp_path_factory.mktemp("private") / "server"
    with ServerProcess(folder, *CHEAP_HASHING) as server:
        host = IndexHost.create(server)
        host.make_index("secret", acl_read=[])
        host.make_index("top", bases=[f"{USER}/secret"])
        host.upload("secret", APP)
    with ServerProcess(folder, *CHEAP_HASHING, *request.param) as server:
        yield IndexHost(server, host.token)


@pytest.fixture(params=["secret", "top"])
def home(request: pytest.FixtureRequest, host: IndexHost, tmp_path: Path, tools: str) -> Iterator[ToolHome]:
    """Return a new home, for the private index or for one that inherits from it."""
    with ProxyTrap() as proxy:
        yield ToolHome(tmp_path, tools, proxy, host.index(request.param))


@pytest.mark.parametrize("tool", COMMANDS)
def test_a_login_in_netrc(tool: str, home: ToolHome) -> None:
    """A tool asks without a login, gets 401, and asks again with the login in netrc."""
    host = urlsplit(home.index).hostname
    home.write(".netrc", f'machine {host} login {USER} password "{PASSWORD}"').chmod(0o600)

    home.run(*COMMANDS[tool](home), "private-app")

    assert installed(home, "private_app") == {"private_app": "1.0"}


@pytest.mark.parametrize("tool", COMMANDS)
def test_a_login_in_the_address(tool: str, home: ToolHome) -> None:
    """A name and a password in the index's address work for the page and for the files."""
    simple = home.simple.replace("://", f"://{LOGIN}", 1)

    home.run(*COMMANDS[tool](home), "--index-url", simple, "private-app")

    assert installed(home, "private_app") == {"private_app": "1.0"}


@pytest.mark.parametrize(("tool", "code"), [("pip", 1), ("uv", 1)])
def test_no_login(tool: str, code: int, home: ToolHome) -> None:
    """Without a login a tool cannot install from the index."""
    output = home.run(*COMMANDS[tool](home), "private-app", code=code)

    assert "private-app" in output
