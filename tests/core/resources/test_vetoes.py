"""Plugins that veto new passwords, and uploads to an index."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import falcon.testing
import pytest
from tests.helpers.concurrent_requests import conduct
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import encode, file_fields, submit, upload

from wheelgate import Index, Principal, hookimpl
from wheelgate.errors import BadInput
from wheelgate.hookspecs import instant
from wheelgate.testing.site import Site

WEAK = "it has less than eight characters"
LARGE = "none but small numbers"


def plugin(**hooks: Callable[..., Any]) -> SimpleNamespace:
    """Return a plugin that implements hooks, given by their names without the prefix."""
    return SimpleNamespace(**{f"wheelgate_{name}": hookimpl(function) for name, function in hooks.items()})


def short(password: str) -> str | None:
    """Veto short passwords."""
    return WEAK if len(password) < 8 else None


def fail(**_: Any) -> str | None:
    """Raise an error with a secret in its text."""
    raise ValueError("the list of passwords is away, token=swordfish")


class Numbers:
    """Vetoes versions from 2 on, and records the questions."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, str, str, str]] = []

    @hookimpl
    def wheelgate_check_upload(self, principal: Principal, index: Index, project: str, version: str) -> str | None:
        """Answer."""
        self.asked.append((principal.name, index.path, project, version))
        return LARGE if version >= "2" and index.name == "prod" else None


def test_a_weak_password_is_refused_wherever_it_is_set(serve: Serve) -> None:
    """Creation and change answer 400 with the reason and change nothing; a good password is accepted."""
    site = serve(extra={"strict": plugin(check_password=short)})
    alice = site.add_user("alice", "correct horse")
    sentence = f"the password is refused: {WEAK}"

    for method, path, auth in (("PUT", "/bob", None), ("PATCH", "/alice", alice)):
        refused = site.request(method, path, {"password": "1234", "title": "x"}, auth=auth)
        assert (refused.status, refused.message) == (400, sentence)
    assert site.request("GET", "/bob").status == 404
    assert "title" not in site.request("GET", "/alice").result
    assert site.request("PATCH", "/alice", {"password": "battery staple"}, auth=alice).status == 200
    assert site.login("alice", "battery staple")


def test_a_password_set_by_a_plugin_is_checked_too(serve: Serve) -> None:
    """``Server.hash_password`` makes the same checks as a change of the password."""
    site = serve(extra={"strict": plugin(check_password=short)})

    for password in ("1234", "", "x" * 5000):
        with pytest.raises(BadInput):
            site.server.hash_password("alice", password)
    assert site.server.hash_password("alice", "battery staple").startswith("$argon2id$")
    with pytest.raises(BadInput):
        site.server.hash_password("root", "")


@pytest.mark.parametrize(
    ("hook", "ask"),
    [
        ("check_password", lambda site: site.request("PUT", "/bob", {"password": "correct horse"})),
        ("check_upload", lambda site: upload(site, "root/dev", wheel("demo", "1.0"), ("root", ""))),
    ],
    ids=["password", "upload"],
)
def test_a_plugin_that_fails_refuses(
    serve: Serve, hook: str, ask: Callable[[Site], Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A failure counts as a veto; the answer names the plugin, and neither it nor the log shows a secret."""
    site = serve(extra={"broken": plugin(**{hook: lambda: fail()})})
    site.request("PUT", "/root/dev", {}, auth=("root", ""))

    refused = ask(site)

    assert refused.status == (400 if hook == "check_password" else 403)
    assert "plugin 'broken' failed to check it" in refused.message
    assert "swordfish" not in refused.message + caplog.text


def test_a_plugin_that_hangs_refuses(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that does not answer within its time budget counts as a veto, so no request waits for ever."""
    monkeypatch.setattr("wheelgate.plugin_host.budgets.VETO_SECONDS", 0.05)
    answer = threading.Event()
    site = serve(extra={"slow": plugin(check_password=lambda: "no" if answer.wait(30) else None)})

    refused = site.request("PUT", "/bob", {"password": "correct horse"})
    answer.set()

    assert (refused.status, refused.message) == (
        400,
        "the password is refused: plugin 'slow' failed to check it",
    )


class InstantNumbers(Numbers):
    """The same, but instant, so that small uploads are still committed together."""

    @hookimpl
    @instant
    def wheelgate_check_upload(self, principal: Principal, index: Index, project: str, version: str) -> str | None:
        """Answer."""
        return super().wheelgate_check_upload(principal, index, project, version)


@pytest.mark.parametrize("kind", [Numbers, InstantNumbers])
def test_an_upload_is_refused_with_the_reason(serve: Serve, kind: type[Numbers]) -> None:
    """Plugins are asked about files, registrations and pushes by normalised name; a veto leaves nothing behind."""
    numbers = kind()
    site = serve(extra={"numbers": numbers})
    alice = site.add_user("alice")
    for index in ("dev", "prod"):
        site.request("PUT", f"/alice/{index}", {}, auth=alice)
    push = {"name": "my-pkg", "version": "2.0", "targetindex": "alice/prod"}
    large = wheel("My.Pkg", "2.0")

    assert upload(site, "alice/dev", large, alice).status == 200
    refused = [
        upload(site, "alice/prod", large, alice),
        submit(site, "alice/prod", alice, **{":action": "submit", "name": "My.Pkg", "version": "2.0"}),
        site.request("PUSH", "/alice/dev", push, auth=alice),
    ]

    assert [answer.status for answer in refused] == [403] * 3
    assert all(f"2.0 is refused: {LARGE}" in answer.message for answer in refused)
    assert site.request("GET", "/alice/prod/my-pkg").status == 404
    assert upload(site, "alice/prod", wheel("My.Pkg", "1.0"), alice).status == 200
    asked = [("alice", f"alice/{index}", "my-pkg", version) for index, version in (("dev", "2.0"), ("prod", "2.0"))]
    assert numbers.asked == [asked[0], asked[1], asked[1], asked[1], ("alice", "alice/prod", "my-pkg", "1.0")]


def test_a_slow_plugin_delays_no_other_upload(serve: Serve) -> None:
    """While it checks one small upload, another one that arrived with it is answered."""
    decided = threading.Event()
    slow = plugin(check_upload=lambda project: None if project != "slow" or decided.wait(4) else "too late")
    site = serve(extra={"slow": slow})
    site.request("PUT", "/root/dev", {}, auth=("root", ""))
    root = base64.b64encode(b"root:").decode()

    async def send(client: falcon.testing.ASGIConductor) -> tuple[int, bool, int]:

        async def put(name: str) -> int:
            body, headers = encode(file_fields(wheel(name)))
            answer = await client.simulate_post("/root/dev/", body=body, headers={**headers, "X-Devpi-Auth": root})
            return answer.status_code

        waits = asyncio.create_task(put("slow"))
        other = await put("quick")
        answered = waits.done()
        decided.set()
        return other, answered, await waits

    assert conduct(site, send) == (200, False, 200)


def test_plugins_are_not_asked_without_the_right_to_upload(serve: Serve) -> None:
    """A caller who may not upload learns that, and nothing about the plugins' vetoes."""
    numbers = Numbers()
    site = serve(extra={"numbers": numbers})
    alice, bob = site.add_user("alice"), site.add_user("bob")
    site.request("PUT", "/alice/prod", {}, auth=alice)

    answer = upload(site, "alice/prod", wheel("demo", "2.0"), bob)

    assert answer.status == 403
    assert LARGE not in answer.message
    assert not numbers.asked
    body, headers = encode([(":action", "doc_upload"), ("name", "demo")])
    assert site.request("POST", "/alice/prod/", body, auth=bob, headers=headers).status == 403
