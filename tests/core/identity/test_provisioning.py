"""Which people become users at their first login, and what they get."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.helpers.sites import Serve

from wheelgate import Credentials, Ok, Outcome, Principal, RequestInfo, Server, Unknown, User, UserDefaults, hookimpl
from wheelgate import Event as Happened
from wheelgate.errors import Forbidden, StartupError
from wheelgate.providers import Authenticator
from wheelgate.testing.site import Site

ROOT = ("root", "")


@dataclass
class Company(Authenticator):
    """A directory that knows some people, with a title."""

    name: str = "company"
    people: frozenset[str] | None = None
    """Whom it knows; everybody if None."""
    accepts: frozenset[str] = frozenset({"password"})
    local: bool = False

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Accept the people that it knows."""
        if self.people is not None and credentials.username not in self.people:
            return Unknown()
        return Ok(credentials.username, groups=frozenset({"staff"}), title="from the directory")

    @hookimpl
    def wheelgate_authenticators(self) -> Iterable[Authenticator]:
        """Provide itself."""
        return [self]


@dataclass
class Setup:
    """A plugin whose defaults for new users are set by the test; it records events."""

    answer: Callable[[Principal, Ok], object] = lambda principal, ok: None
    asked: list[tuple[Principal, Ok]] = field(default_factory=list)
    heard: list[tuple[str, str | None, str]] = field(default_factory=list)

    @hookimpl
    def wheelgate_provision_user(self, server: Server, principal: Principal, ok: Ok) -> UserDefaults | None:
        """Answer."""
        self.asked.append((principal, ok))
        return self.answer(principal, ok)  # type: ignore[return-value]

    @hookimpl
    def wheelgate_on_event(self, event: Happened) -> None:
        """Record the event."""
        self.heard.append((event.name, event.actor, event.subject))


BY_LOGIN = "login"
BY_HEADER = "header"


def enter(site: Site, name: str, way: str) -> int:
    """Log in for the first time, and return the status."""
    if way == BY_LOGIN:
        return site.request("POST", "/+login", {"user": name, "password": "x"}).status
    return site.request("PUT", f"/{name}/first", {}, auth=(name, "x")).status


WAYS = pytest.mark.parametrize("way", [BY_LOGIN, BY_HEADER])


@WAYS
def test_a_first_login_makes_the_user(serve: Serve, way: str) -> None:
    """A login, or credentials in a request, create the user; from then on the name belongs to the directory."""
    setup = Setup()
    site = serve(extra={"company": Company(), "setup": setup})

    assert enter(site, "emilie", way) == 200
    assert enter(site, "emilie", BY_LOGIN) == 200

    assert site.request("GET", "/emilie").result["title"] == "from the directory"
    assert site.request("PUT", "/emilie", {"password": "mine"}, auth=ROOT).status == 409
    principal, ok = setup.asked[0]
    assert principal == Principal("emilie", frozenset({"staff"}), "company")
    assert (ok.username, ok.title, len(setup.asked)) == ("emilie", "from the directory", 1)
    site.application.close()
    assert setup.heard.count(("UserCreated", "emilie", "emilie")) == 1


def test_reading_by_header_makes_the_user_too(serve: Serve) -> None:
    """An installer that only reads creates its user, too."""
    site = serve(extra={"company": Company()})

    assert site.request("GET", "/+api", auth=("emilie", "x")).result["authstatus"][:2] == ["ok", "emilie"]

    assert site.request("GET", "/emilie").status == 200


@WAYS
@pytest.mark.parametrize(
    ("chosen", "made"),
    [
        (["all"], {"one", "two"}),
        (["none"], set()),
        (["company"], {"one"}),
        (["other"], {"two"}),
        (["company", "other"], {"one", "two"}),
    ],
    ids=["all", "none", "the first", "the second", "both by name"],
)
def test_the_settings_say_whose_users_are_created(serve: Serve, way: str, chosen: list[str], made: set[str]) -> None:
    """A person whose user is not created gets 403, because the password was right."""
    both = {
        "company": Company("company", frozenset({"one", "known"})),
        "other": Company("other", frozenset({"two"})),
    }
    serve(extra=both).login("known", "x")
    site = serve(extra=both, autocreate_users=chosen)

    assert enter(site, "known", way) == 200
    for name in ("one", "two"):
        refused = 403 if way == BY_LOGIN else 404  # there is nobody to make an index for
        assert enter(site, name, way) == (200 if name in made else refused)
    assert site.request("GET", "/").result.keys() == {"root", "known", *made}


def test_who_is_not_created_is_told_why(serve: Serve) -> None:
    """The message says that the directory knows the name, and whom to ask."""
    site = serve(extra={"company": Company()}, autocreate_users=["none"])

    refused = site.request("POST", "/+login", {"user": "emilie", "password": "x"})

    assert refused.message == (
        "'company' knows user 'emilie', but a login here does not create its users; ask an administrator of this server"
    )
    assert site.request("PUT", "/root/new", {}, auth=("emilie", "x")).message == refused.message
    assert site.request("GET", "/root", auth=("emilie", "x")).status == 200


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (["compny"], "--autocreate-users: unknown authenticator 'compny'; did you mean 'company'?"),
        (["none", "company"], "--autocreate-users: 'none' cannot be combined with other names"),
    ],
    ids=str,
)
def test_names_that_cannot_be_meant_stop_the_start(serve: Serve, chosen: list[str], sentence: str) -> None:
    """The name of an unknown authenticator is refused, with a hint at the most similar one."""
    with pytest.raises(StartupError) as refused:
        serve(extra={"company": Company()}, autocreate_users=chosen)

    assert str(refused.value) == sentence


@WAYS
def test_a_plugin_says_what_new_users_get(serve: Serve, way: str) -> None:
    """A plugin sets email, title and indices; an event reports each creation."""
    given = UserDefaults(
        email="new@mail.example",
        title="from the plugin",
        indices={"dev": {"bases": ["root/pypi"]}, "prod": {"volatile": False}},
    )
    setup = Setup(lambda principal, ok: given)
    site = serve(extra={"company": Company(), "setup": setup})

    assert enter(site, "emilie", way) == 200

    shown = site.request("GET", "/emilie").result
    assert (shown["email"], shown["title"]) == ("new@mail.example", "from the plugin")
    assert shown["indexes"]["dev"]["bases"] == ["root/pypi"]
    assert shown["indexes"]["prod"]["volatile"] is False
    site.application.close()
    told = [(name, subject) for name, _, subject in setup.heard if name in ("UserCreated", "IndexCreated")]
    assert told[:3] == [("UserCreated", "emilie"), ("IndexCreated", "emilie/dev"), ("IndexCreated", "emilie/prod")]


def test_the_first_plugin_that_has_an_opinion_counts(serve: Serve) -> None:
    """Plugins are asked in the order of their names until one answers."""
    setups = {
        "a": Setup(),
        "b": Setup(lambda principal, ok: UserDefaults(title="b")),
        "c": Setup(lambda principal, ok: UserDefaults(title="c")),
    }
    site = serve(extra={"company": Company(), **setups})

    site.login("emilie", "x")

    assert site.request("GET", "/emilie").result["title"] == "b"
    assert setups["c"].asked == []


@pytest.mark.parametrize(
    "value",
    ["a\0b", "a\x1b[31m", "a\nb", "x" * 1001, ["a"], 5],
    ids=["NUL", "escape", "lines", "long", "list", "number"],
)
def test_what_cannot_be_shown_is_left_out(serve: Serve, value: Any) -> None:
    """Whatever a directory sends, the user is created; values that are not one line of text are dropped."""
    site = serve(
        extra={"company": Company(), "setup": Setup(lambda principal, ok: UserDefaults(email="a@b", title=value))}
    )

    site.login("emilie", "x")

    shown = site.request("GET", "/emilie").result
    assert (shown["email"], "title" in shown) == ("a@b", False)


def raising(error: Exception) -> Callable[[Principal, Ok], object]:
    """Return an answer that raises."""

    def answer(principal: Principal, ok: Ok) -> object:
        raise error

    return answer


def index(**config: Any) -> Callable[[Principal, Ok], object]:
    """Return an answer that creates an index."""
    return lambda principal, ok: UserDefaults(indices={"dev": config})


@WAYS
@pytest.mark.parametrize(
    ("answer", "status", "sentence"),
    [
        pytest.param(raising(Forbidden("only the fifth floor")), 403, "only the fifth floor", id="refuses"),
        pytest.param(
            raising(KeyError("swordfish")),
            503,
            "user 'emilie' cannot be set up now: 'setup' fails; try again later",
            id="raises",
        ),
        pytest.param(
            lambda principal, ok: {"title": "x"},
            503,
            "user 'emilie' cannot be set up now: 'setup' fails; try again later",
            id="answers something else",
        ),
        pytest.param(
            index(bases=["no/base"]),
            503,
            "user 'emilie' cannot be set up: base index 'no/base' does not exist; tell an administrator of this server",
            id="no base",
        ),
        pytest.param(
            index(type="nothing"),
            503,
            "user 'emilie' cannot be set up: unknown index type 'nothing'; the types are mirror, stage; tell an"
            " administrator of this server",
            id="no type",
        ),
    ],
)
def test_who_cannot_be_set_up_is_no_user(
    serve: Serve, way: str, answer: Callable[[Principal, Ok], object], status: int, sentence: str
) -> None:
    """If a plugin refuses or fails, there is no user, no index and no login."""
    site = serve(extra={"company": Company(), "setup": Setup(answer)})
    body, auth = {"user": "emilie", "password": "x"}, ("emilie", "x")

    if way == BY_LOGIN:
        refused = site.request("POST", "/+login", body)
    else:
        refused = site.request("PUT", "/root/new", {}, auth=auth)

    assert (refused.status, refused.message) == (status, sentence)
    assert site.request("GET", "/").result.keys() == {"root"}
    assert site.request("GET", "/root", auth=auth).status == 200
