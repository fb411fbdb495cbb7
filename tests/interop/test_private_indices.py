"""Installing from an index that only some may read: tools send the login that they have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.hosted_index import PASSWORD, USER, Shop
from tests.helpers.installers import COMMANDS, installed
from tests.helpers.released_tools import Desk, Outside

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

APP = wheel("private-app", "1.0")
LOGIN = f"{USER}:{quote(PASSWORD, safe='')}@"


@pytest.fixture(scope="module", params=[(), ("--require-login",)], ids=["private index", "closed server"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Start a server with an index that only its owner may read."""
    folder = tmp_path_factory.mktemp("private") / "server"
    with ServerProcess(folder, *CHEAP_HASHING) as server:
        shop = Shop.opened(server)
        shop.make_index("secret", acl_read=[])
        shop.make_index("top", bases=[f"{USER}/secret"])
        shop.upload("secret", APP)
    with ServerProcess(folder, *CHEAP_HASHING, *request.param) as server:
        yield Shop(server, shop.token)


@pytest.fixture(params=["secret", "top"])
def desk(request: pytest.FixtureRequest, shop: Shop, tmp_path: Path, tools: str) -> Iterator[Desk]:
    """Sit down in a new home, with the index or one that inherits from it."""
    with Outside() as outside:
        yield Desk(tmp_path, tools, outside, shop.index(request.param))


@pytest.mark.parametrize("tool", COMMANDS)
def test_a_login_in_netrc(tool: str, desk: Desk) -> None:
    """A tool asks without a login, is told 401, and asks again with what netrc holds."""
    host = urlsplit(desk.index).hostname
    desk.write(".netrc", f'machine {host} login {USER} password "{PASSWORD}"').chmod(0o600)

    desk.run(*COMMANDS[tool](desk), "private-app")

    assert installed(desk, "private_app") == {"private_app": "1.0"}


@pytest.mark.parametrize("tool", COMMANDS)
def test_a_login_in_the_address(tool: str, desk: Desk) -> None:
    """A name and a password in the index's address work for the page and for the files."""
    simple = desk.simple.replace("://", f"://{LOGIN}", 1)

    desk.run(*COMMANDS[tool](desk), "--index-url", simple, "private-app")

    assert installed(desk, "private_app") == {"private_app": "1.0"}


@pytest.mark.parametrize(("tool", "code"), [("pip", 1), ("uv", 1)])
def test_no_login(tool: str, code: int, desk: Desk) -> None:
    """Without a login there is nothing to install."""
    said = desk.run(*COMMANDS[tool](desk), "private-app", code=code)

    assert "private-app" in said
