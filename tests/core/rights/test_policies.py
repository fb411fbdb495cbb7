"""Policies: one ``Deny`` refuses, one ``Allow`` grants, otherwise the default decides; a failure denies and hides."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import upload

from wheelgate import Allow, Deny, Principal, Resource, hookimpl
from wheelgate.hookspecs import about
from wheelgate.testing.site import Site

ROOT = ("root", "")


@dataclass
class Policy:
    """A policy with an answer for one permission set by the test; it records the questions."""

    answer: Callable[[Principal], object]
    permission: str = "index_create"
    asked: list[Resource] = field(default_factory=list)

    @hookimpl
    def wheelgate_check_permission(self, principal: Principal, permission: str, resource: Resource) -> Any:
        """Answer."""
        if permission != self.permission:
            return None
        self.asked.append(resource)
        return self.answer(principal)


def fail(principal: Principal) -> object:
    """Fail with a secret in the text."""
    raise RuntimeError("the policy server is away, password=swordfish")


def yes(principal: Principal) -> object:
    """Allow."""
    return Allow("it is Friday")


def no(principal: Principal) -> object:
    """Deny."""
    return Deny("it is Friday")


def nothing(principal: Principal) -> object:
    """Have no opinion."""
    return None


DECISIONS = [
    pytest.param([], "owner", 200, "", id="nobody says anything: the owner may by default"),
    pytest.param([], "other", 403, "only its owner 'owner' and root may", id="and nobody else"),
    pytest.param([nothing], "owner", 200, "", id="no opinion"),
    pytest.param([yes], "other", 200, "", id="one yes"),
    pytest.param([nothing, yes], "other", 200, "", id="one yes, one without opinion"),
    pytest.param([no], "owner", 403, "it is Friday", id="one no"),
    pytest.param([yes, no], "owner", 403, "it is Friday", id="one yes, one no"),
    pytest.param([no, yes], "root", 403, "it is Friday", id="one no, one yes, root"),
    pytest.param([fail], "owner", 403, "policy error", id="a failure denies"),
    pytest.param([yes, fail], "owner", 403, "policy error", id="a failure beside a yes denies"),
    pytest.param([lambda principal: True], "owner", 403, "policy error", id="True is no answer"),
    pytest.param([lambda principal: "yes"], "other", 403, "policy error", id="a text is no answer"),
]


@pytest.mark.parametrize(("answers", "actor", "status", "reason"), DECISIONS)
def test_the_decision(
    serve: Serve, answers: list[Callable[[Principal], object]], actor: str, status: int, reason: str
) -> None:
    """``Deny`` outweighs ``Allow``, which outweighs the default; a policy that fails denies everybody, even root."""
    site = serve(extra={f"policy{number}": Policy(answer) for number, answer in enumerate(answers)})
    actors = {"owner": site.add_user("owner"), "other": site.add_user("other"), "root": ROOT}

    answer = site.request("PUT", "/owner/dev", {}, auth=actors[actor])

    assert answer.status == status
    if status == 403:
        assert answer.message == f"user '{actor}' has no permission to create index owner/dev: {reason}"


def test_anonymous_is_asked_to_log_in(serve: Serve) -> None:
    """An anonymous caller who is denied gets 401 with the reason, because a login might help."""
    site = serve(extra={"policy": Policy(no, "user_list")})

    refused = site.request("GET", "/")

    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Basic realm="pypi"')
    assert refused.message == "not logged in: no permission to list the users of this server: it is Friday"


def test_one_failing_policy_does_not_stop_what_it_is_not_asked_about(serve: Serve) -> None:
    """A policy that fails on one permission denies that one only."""
    site = serve(extra={"policy": Policy(fail)})

    assert site.request("PUT", "/alice", {"password": "correct horse"}).status == 201


RESOURCES = [
    pytest.param("index_create", "PUT", "/root/dev", {"title": "x"}, {}, {"title": "x"}, id="create index"),
    pytest.param("index_create", "PUT", "/root/dev", {"title": 5}, {}, {}, id="create index, wrong body"),
    pytest.param("index_modify", "PATCH", "/root/pypi", {"title": "x"}, {"title": "PyPI"}, {"title": "x"}, id="modify"),
    pytest.param(
        "index_modify", "PATCH", "/root/pypi", ["title=x"], {"title": "PyPI"}, {"title": "x"}, id="operations"
    ),
    pytest.param("index_modify", "PATCH", "/root/pypi", 5, {"title": "PyPI"}, {}, id="modify, wrong body"),
    pytest.param("index_read", "GET", "/root/pypi", None, {"title": "PyPI"}, None, id="read"),
    pytest.param("user_create", "PUT", "/alice", {"password": "x"}, {}, {}, id="create user"),
    pytest.param("user_modify", "PATCH", "/root", {"title": "x"}, {}, {"title": "x"}, id="modify user"),
    pytest.param("user_password", "PATCH", "/root", {"password": "x"}, {}, {}, id="password"),
]


@pytest.mark.parametrize(("permission", "method", "path", "body", "config", "proposed"), RESOURCES)
def test_a_policy_sees_what_is_and_what_would_be(
    serve: Serve,
    permission: str,
    method: str,
    path: str,
    body: object,
    config: dict[str, object],
    proposed: dict[str, object] | None,
) -> None:
    """The resource has its configuration, and for a change the proposed one; never a password."""
    policy = Policy(nothing, permission)
    site = serve(extra={"policy": policy})

    site.request(method, path, body, auth=ROOT)

    asked = policy.asked[0]
    assert {key: asked.config.get(key) for key in config} == config
    if proposed is None:
        assert asked.proposed is None
    else:
        assert asked.proposed is not None
        assert {key: asked.proposed.get(key) for key in proposed} == proposed
        assert "password" not in asked.proposed


@pytest.mark.parametrize(
    ("body", "permissions"),
    [
        ({"password": "new password"}, ["user_password"]),
        ({"password": "new password", "email": "a@mail.example"}, ["user_password"]),
        ({"password": "new password", "email": "b@mail.example"}, ["user_modify", "user_password"]),
        ({"email": "b@mail.example"}, ["user_modify"]),
        ({"password": None}, ["user_modify"]),
        ({}, ["user_modify"]),
    ],
    ids=["password", "password and the same email", "password and another email", "email", "null", "nothing"],
)
def test_what_a_change_of_a_user_asks_for(serve: Serve, body: dict[str, object], permissions: list[str]) -> None:
    """A body that changes only the password needs the permission for that, also if it repeats other fields."""
    asked: list[str] = []

    class Recorder:
        @hookimpl
        def wheelgate_check_permission(self, permission: str) -> None:
            asked.append(permission)

    site = serve(extra={"recorder": Recorder()})
    alice = site.add_user("alice")
    site.request("PATCH", "/alice", {"email": "a@mail.example"}, auth=alice)
    asked.clear()

    assert site.request("PATCH", "/alice", body, auth=alice).status == 200
    assert list(dict.fromkeys(asked)) == permissions


@pytest.mark.parametrize(
    ("promised", "asked"), [(("upload",), ["upload"]), (("user_create", "upload"), ["user_create", "upload"])]
)
def test_a_policy_is_asked_only_about_what_it_is_about(
    serve: Serve, promised: tuple[str, ...], asked: list[str]
) -> None:
    """With ``@about`` a policy is asked only about those permissions; without it, about all."""
    heard: list[str] = []
    everything: list[str] = []

    class Narrow:
        @hookimpl
        @about(*promised)
        def wheelgate_check_permission(self, permission: str) -> None:
            heard.append(permission)

    class Wide:
        @hookimpl
        def wheelgate_check_permission(self, permission: str) -> None:
            everything.append(permission)

    site = serve(extra={"narrow": Narrow(), "wide": Wide()})
    alice = site.add_user("alice")
    site.request("PUT", "/alice/dev", {}, auth=alice)
    site.request("GET", "/alice/dev/+simple/", auth=alice)
    upload(site, "alice/dev", wheel("abc"), alice)

    assert list(dict.fromkeys(heard)) == asked
    assert {"user_create", "index_create", "index_read", "upload"} <= set(everything)


def test_a_policy_about_reading_is_asked_for_every_page(serve: Serve) -> None:
    """If a policy has an opinion on reading, it is asked for every page, also of an index without an access list."""

    class Closing:
        @hookimpl
        @about("index_read")
        def wheelgate_check_permission(self, permission: str) -> Deny:
            return Deny("closed for today")

    site = serve(extra={"closing": Closing()})
    root = site.login(*ROOT)
    site.request("PUT", "/root/dev", {}, auth=root)

    assert site.request("GET", "/root/dev/+simple/", auth=root).status in {403, 404}


@pytest.fixture
def hanging() -> Iterator[Policy]:
    """Return a policy that does not answer before the test is over."""
    over = threading.Event()
    yield Policy(lambda principal: over.wait(60) and Allow("at last"))
    over.set()


@pytest.mark.slow
def test_a_policy_that_hangs_denies(serve: Serve, hanging: Policy) -> None:
    """A policy that takes longer than its budget counts as failed."""
    site = serve(extra={"policy": hanging})

    refused = site.request("PUT", "/root/dev", {}, auth=ROOT)

    assert (refused.status, refused.message) == (
        403,
        "user 'root' has no permission to create index root/dev: policy error",
    )


@dataclass
class Filter:
    """A plugin that hides resources of a name from everybody except root."""

    hidden: Callable[[Resource], bool]

    @hookimpl
    def wheelgate_filter_visible(
        self, principal: Principal, permission: str, resources: Sequence[Resource]
    ) -> Sequence[bool] | None:
        """Answer for each."""
        return None if principal.name == "root" else [not self.hidden(resource) for resource in resources]


def furnish(site: Site) -> Site:
    """Create two users with two indices each."""
    for user in ("alice", "secret"):
        site.add_user(user)
        for index in ("dev", "secret"):
            site.request("PUT", f"/{user}/{index}", {}, auth=ROOT)
    return site


def tree(site: Site, auth: tuple[str, str] | None = None) -> dict[str, set[str]]:
    """Return the users and indices that a caller sees."""
    return {name: set(user["indexes"]) for name, user in site.request("GET", "/", auth=auth).result.items()}


WHOLE = {"root": {"pypi"}, "alice": {"dev", "secret"}, "secret": {"dev", "secret"}}


def test_what_a_plugin_hides_is_hidden(serve: Serve) -> None:
    """Listings leave out what a plugin hides from the caller, and show it to others."""
    site = furnish(serve(extra={"filter": Filter(lambda resource: resource.name == "secret")}))

    assert tree(site) == {"root": {"pypi"}, "alice": {"dev"}}
    assert set(site.request("GET", "/alice").result["indexes"]) == {"dev"}
    assert tree(site, ROOT) == WHOLE
    assert set(site.request("GET", "/alice", auth=ROOT).result["indexes"]) == {"dev", "secret"}


def test_two_plugins_hide_together(serve: Serve) -> None:
    """One plugin can hide what another shows."""
    site = furnish(
        serve(
            extra={
                "one": Filter(lambda resource: resource.name == "pypi"),
                "two": Filter(lambda resource: resource.owner == "secret"),
            }
        )
    )

    assert tree(site) == {"root": set(), "alice": {"dev", "secret"}}


def broken(resource: Resource) -> bool:
    """Fail."""
    raise RuntimeError("the policy server is away, password=swordfish")


class Miscounting:
    """A plugin that answers for another number of resources."""

    @hookimpl
    def wheelgate_filter_visible(self) -> Sequence[bool]:
        """Answer for one."""
        return [True]


@pytest.mark.parametrize("plugin", [Filter(broken), Miscounting()], ids=["raises", "answers for another number"])
def test_a_filter_that_fails_hides_all(serve: Serve, plugin: object, caplog: pytest.LogCaptureFixture) -> None:
    """If a filter fails, nothing is shown; the log names the plugin, and shows no secret."""
    site = furnish(serve(extra={"broken-filter": plugin}))

    with caplog.at_level(logging.ERROR):
        assert tree(site) == {}

    assert "plugin 'broken-filter' failed to filter a listing" in caplog.text
    assert "swordfish" not in caplog.text
