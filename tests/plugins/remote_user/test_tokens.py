"""API tokens in requests from a proxy: a token allows what it says, and the header adds nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.helpers.sites import Serve
from tests.plugins.remote_user.conftest import PROXY, ask, basic, login_state

HEADERS = [
    pytest.param(lambda token: {"Authorization": f"Bearer {token}"}, id="Bearer"),
    pytest.param(lambda token: {"Authorization": basic("__token__", token)}, id="Basic, as __token__"),
    pytest.param(lambda token: {"Authorization": basic("alice", token)}, id="Basic, as its owner"),
    pytest.param(lambda token: {"X-Devpi-Auth": basic("alice", token).removeprefix("Basic ")}, id="X-Devpi-Auth"),
]


@pytest.mark.parametrize("order", [[], ["remote_user", "basic"]], ids=["usual order", "the proxy first"])
@pytest.mark.parametrize("sent", HEADERS)
def test_a_proxy_widens_no_token(serve: Serve, sent: Callable[[str], dict[str, str]], order: list[str]) -> None:
    """Beside an API token the header counts for nothing: neither for the owner, nor for others, nor for a login."""
    site = serve(remote_user_from=[PROXY], extractor_order=order)
    ask(site, "alice", "POST", "/+login", {"user": "alice", "password": ""})
    token = ask(site, "alice", "POST", "/+x/tokens", {"scopes": ["read"]}).result["token"]
    damaged = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    login = {"user": "alice", "password": ""}

    assert ask(site, "alice", "PUT", "/alice/dev", {}).status == 200
    for name in ("alice", "bob", "root", "a,b", ""):
        assert login_state(ask(site, name, **sent(token))) == ("ok", "alice")
        assert ask(site, name, "PUT", "/alice/more", {}, **sent(token)).status == 403
        assert ask(site, name, "PUT", "/alice/more", {}, **sent(damaged)).status == 401
    for secret in (token, damaged):
        assert ask(site, "alice", "POST", "/+login", login, **sent(secret)).status == 401
    assert ask(site, "alice", "POST", "/+login", login).status == 200
