"""Third-party token handlers: what the core does with their answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.helpers.sites import Serve

from wheelgate import Reject, Restriction, Token, Unavailable, hookimpl
from wheelgate.errors import StartupError
from wheelgate.providers import TokenHandler
from wheelgate.testing.site import Site

READ = Restriction(frozenset({"index_read"}))


@dataclass
class Handler(TokenHandler):
    """A handler with answers set by the test."""

    answer: Callable[[Any], object] = lambda server: None
    name: str = "thirdparty"
    prefix: str = "abc_"
    local: bool = True

    @hookimpl
    def wheelgate_token_handlers(self, server: Any) -> list[Any]:
        """Provide itself."""
        self.server = server
        return [self]

    def verify(self, secret: str) -> Any:
        """Answer."""
        return self.answer(self.server)


def of(name: str, **changed: Any) -> Callable[[Any], object]:
    """Return what makes a good token of a user."""

    def answer(server: Any) -> Token:
        given = {"id": "1", "username": name, "stamp": server.users.get(name).stamp, "expires": 2**40}
        return Token(**{**given, "restriction": READ, **changed})

    return answer


def fail(server: Any) -> object:
    """Fail with a secret in the text."""
    raise RuntimeError("the key store is away, password=swordfish")


TOKEN = ("__token__", "abc_1")


@pytest.mark.parametrize(
    ("answer", "status", "sentence"),
    [
        pytest.param(of("root"), 403, "the token is not for that", id="good"),
        pytest.param(of("root", stamp="x"), 401, "this token has ended", id="other stamp"),
        pytest.param(of("root", expires=1), 401, "this token has expired", id="expired"),
        pytest.param(of("root", username="nobody"), 401, "this token has ended", id="nobody's"),
        pytest.param(lambda server: Reject("not on Sundays"), 401, "not on Sundays", id="rejected"),
        pytest.param(lambda server: Unavailable("x", 7), 503, "the tokens of 'thirdparty' cannot be", id="unavailable"),
        pytest.param(lambda server: None, 503, "the tokens of 'thirdparty' cannot be checked now", id="nothing"),
        pytest.param(lambda server: True, 503, "the tokens of 'thirdparty' cannot be checked now", id="no outcome"),
        pytest.param(fail, 503, "the tokens of 'thirdparty' cannot be checked now", id="raises"),
    ],
)
def test_what_a_handler_says_is_done(
    serve: Serve, caplog: pytest.LogCaptureFixture, answer: Callable[[Any], object], status: int, sentence: str
) -> None:
    """The answer decides wherever a permission is needed; public pages stay readable."""
    site = serve(extra={"thirdparty": Handler(answer)})

    refused = site.request("DELETE", "/root/pypi", auth=TOKEN)

    assert refused.status == status
    assert sentence in refused.message
    assert ("retry-after" in refused.headers) == (status == 503)
    assert site.request("GET", "/root/pypi", auth=TOKEN).status == 200
    assert "swordfish" not in caplog.text


def test_nobody_from_elsewhere_vouches_for_root(serve: Serve) -> None:
    """A handler that is not local cannot verify a token of root."""
    site = serve(extra={"thirdparty": Handler(of("root"), local=False)})
    other = serve("other", extra={"thirdparty": Handler(of("alice"), local=False)})
    other.add_user("alice")

    assert site.request("GET", "/+api", auth=TOKEN).result["authstatus"][0] == "noauth"
    assert other.request("GET", "/+api", auth=TOKEN).result["authstatus"] == ["ok", "alice", []]


def test_a_handler_that_is_gone_costs_nobody_else(serve: Serve) -> None:
    """Tokens of a failing handler get 503; passwords, logins and other tokens keep working."""
    site = serve(extra={"thirdparty": Handler(fail)})
    alice = site.add_user("alice")
    made = site.request("POST", "/+x/tokens", {"scopes": ["read"]}, auth=alice).result["token"]

    for _ in range(7):  # more than it takes to leave it out
        assert site.request("DELETE", "/root/pypi", auth=TOKEN).status == 503
    assert site.request("GET", "/+api", auth=alice).result["authstatus"][0] == "ok"
    assert site.request("GET", "/+api", auth=("alice", made)).result["authstatus"][0] == "ok"
    status = site.request("GET", "/+status", auth=("root", "")).result["providers"]
    assert (status["thirdparty"], status["token"]) == ("open", "ok")


@pytest.mark.parametrize("prefix", ["", "abc", "_", "a_", "ABC_", "abc_d_", "abcdefghijk_", "wgs_", "wgt_"])
def test_a_prefix_is_ones_own(serve: Serve, prefix: str) -> None:
    """A malformed prefix, that of login tokens, or that of another handler stops the start with a message."""
    with pytest.raises(StartupError, match=r"token handler '(thirdparty|token)': the prefix"):
        serve(extra={"thirdparty": Handler(prefix=prefix)})


def test_without_the_plugin_a_token_is_a_wrong_password(serve: Serve) -> None:
    """Without its plugin a token does not work; it works again once the plugin is back."""
    before = serve()
    alice = before.add_user("alice")
    made = ("alice", before.request("POST", "/+x/tokens", {"scopes": ["read"]}, auth=alice).result["token"])

    without = serve(no_plugin=["tokens"])
    refused = without.request("DELETE", "/root/pypi", auth=made)

    assert (refused.status, refused.message) == (401, "user 'alice' could not be authenticated")
    assert without.request("GET", "/+x/tokens", auth=alice).status == 404
    assert status_of(serve(), made) == "ok"


def status_of(site: Site, auth: tuple[str, str]) -> str:
    """Return what ``+api`` says of credentials."""
    return str(site.request("GET", "/+api", auth=auth).result["authstatus"][0])


def test_a_handler_is_asked_again_in_time(serve: Serve) -> None:
    """An answer is forgotten when it expires, so that a handler can end tokens that are stored elsewhere."""
    handler = Handler(of("root", expires=1))
    site = serve(extra={"thirdparty": handler})

    assert site.request("DELETE", "/root/pypi", auth=TOKEN).status == 401
    handler.answer = of("root")
    assert site.request("DELETE", "/root/pypi", auth=TOKEN).status == 403
    handler.answer = lambda server: Reject("not on Sundays")
    assert site.request("DELETE", "/root/pypi", auth=TOKEN).status == 403
