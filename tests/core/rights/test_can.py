"""``/+can``: it answers as the request itself does, and shows how the answer came about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, upload

from wheelgate import Allow, Deny, Principal, Resource, hookimpl
from wheelgate.hookspecs import about
from wheelgate.testing.site import Response, Site

ROOT = ("root", "")
FILE = wheel("demo", "1.0")
OTHER = wheel("other", "1.0")
RESTRICTIONS = [
    pytest.param({}, id="unrestricted"),
    pytest.param({"restrict_modify": "alice"}, id="modify alice", marks=pytest.mark.slow),
    pytest.param({"restrict_modify": "root,:team"}, id="modify root and team", marks=pytest.mark.slow),
    pytest.param({"restrict_users": "alice"}, id="users alice", marks=pytest.mark.slow),
]


@dataclass(frozen=True)
class World:
    """A server with indices of alice: one that everybody reads, and one that only the listed callers read."""

    site: Site
    callers: Mapping[str, tuple[str, str] | None]
    numbers: Iterator[int]

    def can(self, caller: str, permission: str, resource: str = "", **more: str) -> Response:
        """Ask."""
        query = urlencode({"permission": permission, "resource": resource, **more})
        address = "127.0.0.1" if caller == "root" else self.address
        return self.site.request("GET", f"/+can?{query}", auth=self.callers[caller], address=address)

    def ask(self, caller: str, method: str, path: str, body: Any = None) -> Response:
        """Send any other request."""
        return self.site.request(method, path, body, auth=self.callers[caller])

    def made(self, method: str, path: str, body: Any = None) -> None:
        """Send a request of root or, if root may not, of alice."""
        answers = [self.ask(caller, method, path, body).status for caller in ("root", "alice")]
        assert {200, 201, 409} & set(answers), answers

    @property
    def address(self) -> str:
        """An address that has not asked yet, since questions are limited."""
        return f"198.51.100.{next(self.numbers) % 250}"

    @property
    def new_name(self) -> str:
        """A name that is free."""
        return f"new{next(self.numbers)}"


@pytest.fixture(scope="module", params=RESTRICTIONS)
def world(request: pytest.FixtureRequest, serve_shared: Serve) -> World:
    """Return a server with twelve callers."""
    with serve_shared(f"world {request.param}") as site:
        people = {name: site.add_user(name) for name in ("alice", "bob", "carol", "dave", "erin")}
        site.request("PUT", "/+x/groups/team", {"members": ["carol"]}, auth=ROOT)
        lists = {
            "acl_upload": ["bob", ":team"],
            "acl_toxresult_upload": ["bob"],
            "acl_read": ["bob", ":team"],
            "acl_modify": ["erin"],
        }
        assert site.request("PUT", "/alice/open", {**lists, "acl_read": [":ANONYMOUS:"]}, auth=ROOT).status == 200
        assert site.request("PUT", "/alice/closed", lists, auth=ROOT).status == 200
        for dist in (FILE, OTHER):
            assert upload(site, "alice/open", dist, ROOT).status == 403  # root is not listed
            assert upload(site, "alice/open", dist, people["bob"]).status == 200
            assert upload(site, "alice/closed", dist, people["bob"]).status == 200
        tokens = {
            "any": token(site, people["alice"]),
            "reader": token(site, people["bob"], scopes=["read"]),
            "open": token(site, people["bob"], indices=["alice/open"]),
            "project": token(site, people["bob"], indices=["alice/closed"], projects=["demo"]),
        }
    site = serve_shared(f"world {request.param}", **request.param)
    callers = {"anonymous": None, "root": ROOT, **people, **{f"token {name}": each for name, each in tokens.items()}}
    return World(site, {**callers, "password": ("bob", "correct horse")}, count())


def token(site: Site, owner: tuple[str, str], **body: Any) -> tuple[str, str]:
    """Return an API token."""
    answer = site.request("POST", "/+x/tokens/", {"scopes": ["read", "upload", "yank", "delete"], **body}, auth=owner)
    assert answer.status == 200, answer.content
    return "__token__", answer.result["token"]


Try = Callable[[World, str], tuple[Mapping[str, str], Callable[[], Response]]]
"""Prepares a request; returns the question to ask before it, and what sends it."""


def on_index(permission: str, index: str, method: str, path: str, body: Any = None, project: str = "demo") -> Try:
    """Try a request that leaves the index as it is, or as the next case may find it."""

    def attempt(world: World, caller: str) -> tuple[Mapping[str, str], Callable[[], Response]]:
        question = {"permission": permission, "resource": index} | ({"project": project} if project else {})
        return question, lambda: world.ask(caller, method, f"/{index}{path}", body)

    return attempt


def on_new_index(permission: str, method: str, *, exists: bool) -> Try:
    """Try to create or delete an index of alice."""

    def attempt(world: World, caller: str) -> tuple[Mapping[str, str], Callable[[], Response]]:
        index = f"alice/{world.new_name}"
        if exists:
            world.made("PUT", f"/{index}", {"acl_read": [":ANONYMOUS:"]})
        question = {"permission": permission, "resource": index}
        return question, lambda: world.ask(caller, method, f"/{index}", {})

    return attempt


def on_user(permission: str, method: str, body: Any, *, exists: bool = True) -> Try:
    """Try to create, change or delete a user."""

    def attempt(world: World, caller: str) -> tuple[Mapping[str, str], Callable[[], Response]]:
        user = world.new_name
        if exists:
            world.made("PUT", f"/{user}", {"password": "correct horse"})
        question = {"permission": permission, "resource": user}
        return question, lambda: world.ask(caller, method, f"/{user}", body)

    return attempt


def upload_to(index: str) -> Try:
    """Try an upload of the file that is there."""

    def attempt(world: World, caller: str) -> tuple[Mapping[str, str], Callable[[], Response]]:
        question = {"permission": "upload", "resource": index, "project": "demo"}
        return question, lambda: upload(world.site, index, FILE, world.callers[caller])

    return attempt


TRIES: dict[str, Try] = {
    "list the users": lambda world, caller: ({"permission": "user_list"}, lambda: world.ask(caller, "GET", "/")),
    "look at a user": on_user("user_read", "GET", None),
    "create a user": on_user("user_create", "PUT", {"password": "correct horse"}, exists=False),
    "change a user": on_user("user_modify", "PATCH", {"title": "x"}),
    "change a password": on_user("user_password", "PATCH", {"password": "battery staple"}),
    "delete a user": on_user("user_delete", "DELETE", None),
    "create an index": on_new_index("index_create", "PUT", exists=False),
    "delete an index": on_new_index("index_delete", "DELETE", exists=True),
    **{
        f"{what} {index}": on_index(permission, f"alice/{index}", method, path, body, project)
        for index in ("open", "closed")
        for what, permission, method, path, body, project in [
            ("list projects of", "index_read", "GET", "/+simple/", None, ""),
            ("read a project of", "index_read", "GET", "/+simple/demo/", None, "demo"),
            ("change", "index_modify", "PATCH", "", {"title": "x"}, ""),
            ("yank from", "release_modify", "PATCH", "/demo/1.0", {"yanked": False}, "demo"),
            ("delete from", "release_delete", "DELETE", "/other/9.9", None, "other"),
            ("test", "toxresult_upload", "POST", f"/{address(FILE)}", {"result": "x"}, "demo"),
        ]
    },
    "upload to open": upload_to("alice/open"),
    "upload to closed": upload_to("alice/closed"),
}


@pytest.mark.parametrize("attempt", TRIES.values(), ids=TRIES)
def test_it_answers_as_the_request_does(world: World, attempt: Try) -> None:
    """Whoever is told yes is not refused, whoever is told no is, and a hidden index is absent for both."""
    answers = {}
    for caller in world.callers:
        question, send = attempt(world, caller)
        told = world.can(caller, **question)
        answers[caller] = told.status if told.status != 200 else told.result["allowed"], send()
    permitted = {caller: answer.status not in (401, 403) for caller, (_, answer) in answers.items()}
    absent = {caller for caller, (told, _) in answers.items() if told in (401, 404)}

    assert {caller: told for caller, (told, _) in answers.items()} == {
        caller: answers[caller][1].status if caller in absent else yes for caller, yes in permitted.items()
    }


class Policy:
    """A policy with the same answer to every question about creating an index."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    @hookimpl
    @about("index_create")
    def wheelgate_check_permission(self, principal: Principal, permission: str, resource: Resource) -> Any:
        """Answer."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


NOT_ASKED = ("not asked", "")
POLICIES = [
    pytest.param([], True, "its owner may", "core", [], id="none"),
    pytest.param([None], True, "its owner may", "core", [("no opinion", "")], id="no opinion"),
    pytest.param([Allow("it is Friday")], True, "it is Friday", "p0", [("allow", "it is Friday")], id="allow"),
    pytest.param(
        [Allow("yes"), Deny("it is Friday"), Allow("yes")],
        False,
        "it is Friday",
        "p1",
        [("allow", "yes"), ("deny", "it is Friday"), NOT_ASKED],
        id="deny ends it",
    ),
    pytest.param(
        [ValueError("secret"), None],
        False,
        "policy error",
        "p0",
        [("failure", "policy error"), NOT_ASKED],
        id="failure",
    ),
]


@pytest.mark.parametrize(("answers", "allowed", "reason", "plugin", "verdicts"), POLICIES)
def test_the_answer_names_every_policy(
    serve: Serve, answers: list[object], allowed: bool, reason: str, plugin: str, verdicts: list[tuple[str, str]]
) -> None:
    """It shows each policy in its order with its answer, the default, and who decided."""
    site = serve(extra={f"p{number}": Policy(each) for number, each in enumerate(answers)})
    alice = site.add_user("alice")

    told = site.request("GET", "/+can?permission=index_create&resource=alice/dev", auth=alice).result

    assert (told["allowed"], told["reason"], told["plugin"], told["default"]) == (allowed, reason, plugin, "allow")
    mine = [each for each in told["verdicts"] if each["plugin"].startswith("p")]
    assert [(each["answer"], each["reason"]) for each in mine] == verdicts
    assert [each["plugin"] for each in mine] == [f"p{number}" for number in range(len(answers))]
    assert all((each["milliseconds"] is None) == (each["answer"] == "not asked") for each in mine)


@pytest.fixture(scope="module")
def small(serve_shared: Serve) -> World:
    """Return a server with a public and a hidden index of alice."""
    site = serve_shared("small")
    people = {name: site.add_user(name) for name in ("alice", "bob", "dave")}
    for name, config in {"open": {"acl_upload": ["bob"]}, "closed": {"acl_read": ["alice"]}}.items():
        assert site.request("PUT", f"/alice/{name}", config, auth=people["alice"]).status == 200
    limited = token(site, people["bob"], scopes=["read"])
    return World(site, {"anonymous": None, "root": ROOT, **people, "token": limited}, count())


ABOUT_OTHERS = [
    ("root", "alice/closed", "bob", False),
    ("root", "alice/open", "bob", True),
    ("alice", "alice/open", "bob", True),
    ("alice", "alice/open", ":ANONYMOUS:", False),
    ("alice", "alice/open", "dave", False),
    ("alice", "alice/open", "nobody", 404),
    ("alice", "root/pypi", "bob", 403),
    ("bob", "alice/open", "bob", True),
    ("bob", "alice/open", "dave", 403),
    ("token", "alice/open", "dave", 403),
    ("token", "alice/open", "bob", False),
    ("anonymous", "alice/open", "bob", 403),
    ("dave", "alice/closed", "dave", 404),
    ("dave", "alice/absent", "dave", 404),
    ("anonymous", "alice/closed", ":ANONYMOUS:", 401),
    ("anonymous", "alice/absent", ":ANONYMOUS:", 401),
]


@pytest.mark.parametrize(("caller", "index", "user", "expected"), ABOUT_OTHERS)
def test_questions_about_others(small: World, caller: str, index: str, user: str, expected: bool | int) -> None:
    """Root asks about everybody, an owner about the own indices, and a hidden index is absent."""
    told = small.can(caller, "upload", index, user=user)

    assert (told.result["allowed"] if told.status == 200 else told.status) == expected


WRONG = {
    "": "there is no permission ''",
    "permission=fly": "there is no permission 'fly'",
    "permission=upload": "'upload' needs an index",
    "permission=upload&resource=alice": "'upload' needs an index",
    "permission=user_read&resource=alice/open": "'user_read' needs the name of a user",
    "permission=status_read&resource=alice": "'status_read' needs no resource",
    "permission=status_read&project=x": "'status_read' is not about a project",
    "permission=upload&resource=alice/open&resource=alice/dev": "the parameter 'resource' is there more than once",
    "permission=upload&index=alice/open": "unknown parameter 'index'",
}


@pytest.mark.parametrize(("query", "message"), WRONG.items(), ids=[query or "nothing" for query in WRONG])
def test_wrong_questions(small: World, query: str, message: str) -> None:
    """A question that is no question is a 400 that says why."""
    told = small.site.request("GET", f"/+can?{query}", auth=small.callers["dave"], address=small.address)

    assert told.status == 400
    assert told.message.startswith(message)


def test_questions_are_limited(small: World) -> None:
    """After sixty questions in a minute from one address the next one waits; others do not."""
    statuses = [
        small.site.request("GET", "/+can?permission=status_read", address="192.0.2.9").status for _ in range(130)
    ]

    assert statuses[:60] == [200] * 60
    assert 429 in statuses
    assert small.can("dave", "status_read").status == 200
