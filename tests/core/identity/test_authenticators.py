"""Third-party authenticators: which one is asked about which user, in which order, and what happens when one fails."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from tests.helpers.sites import Serve

from wheelgate import (
    Credentials,
    Ok,
    Outcome,
    Reject,
    RequestInfo,
    SecretCheck,
    Server,
    Unavailable,
    Unknown,
    User,
    hookimpl,
)
from wheelgate.providers import Authenticator
from wheelgate.testing.site import Response, Site

ROOT = ("root", "")


@dataclass
class Directory(Authenticator):
    """An authenticator with answers set by the test; it records the names that it is asked about."""

    answer: Callable[[Credentials], object]
    name: str = "directory"
    accepts: frozenset[str] = frozenset({"password"})
    local: bool = False
    asked: list[str] = field(default_factory=list)

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Answer."""
        self.asked.append(credentials.username)
        return self.answer(credentials)  # type: ignore[return-value]

    @hookimpl
    def wheelgate_authenticators(self, server: Server) -> Iterable[Authenticator]:
        """Provide itself."""
        self.server = server
        return [self]


def company(credentials: Credentials) -> Outcome:
    """Know one employee and one who has left."""
    if credentials.username == "leaver":
        return Reject("left in spring")
    if (credentials.username, credentials.secret) == ("emilie", "company password"):
        return Ok("emilie", email="emilie@mail.example", title="CTO")
    return Unknown()


def fail(credentials: Credentials) -> Outcome:
    """Fail as a library does that cannot reach its server."""
    raise ConnectionError("no route to the directory, password was swordfish")


def log_in(site: Site, user: str, password: str) -> int:
    """Try to log in and return the status."""
    return site.request("POST", "/+login", {"user": user, "password": password}).status


def test_a_first_login_makes_the_user(serve: Serve) -> None:
    """A person whom the directory knows becomes a user at the first login, with the directory's email and title."""
    site = serve(extra={"company": Directory(company)})
    assert site.request("GET", "/emilie").status == 404

    emilie = site.login("emilie", "company password")

    shown = site.request("GET", "/emilie").result
    assert (shown["email"], shown["title"]) == ("emilie@mail.example", "CTO")
    assert site.request("PUT", "/emilie/dev", {}, auth=emilie).status == 200
    assert site.login("emilie", "company password")
    assert site.request("GET", "/+api", auth=("emilie", "company password")).result["authstatus"][1] == "emilie"


def test_a_name_belongs_to_who_brought_it(serve: Serve) -> None:
    """A user of a directory cannot have a password here, and the directory is not asked about local users and root."""
    directory = Directory(lambda credentials: Ok(credentials.username))
    site = serve(extra={"company": directory})
    site.add_user("local", "correct horse")
    assert log_in(site, "emilie", "anything") == 200
    directory.asked.clear()

    assert log_in(site, "root", "wrong") == 401
    assert log_in(site, "local", "wrong") == 401
    assert directory.asked == []
    refused = site.request("PATCH", "/emilie", {"password": "mine"}, auth=ROOT)
    assert (refused.status, refused.message) == (
        409,
        "user 'emilie' logs in through 'directory'; change the password there",
    )
    assert log_in(serve(), "emilie", "anything") == 401


@pytest.mark.parametrize(("provider", "status"), [("directory", 200), ("", 409), ("other", 409)])
def test_of_two_first_logins_at_once_both_succeed(serve: Serve, provider: str, status: int) -> None:
    """If another login by the same directory has just created the user, both logins succeed."""

    def quicker(credentials: Credentials) -> Outcome:
        user = User(credentials.username, "stamp", datetime.now(UTC), provider=provider)
        with directory.server.database.transaction():
            directory.server.users.create(user, None)
        return Ok(credentials.username)

    directory = Directory(quicker)
    site = serve(extra={"company": directory})

    assert log_in(site, "emilie", "x") == status


def test_another_directory_cannot_take_a_name(serve: Serve) -> None:
    """If two directories know a name, it belongs to the one that logged it in first."""
    first, second = Directory(company, "first"), Directory(lambda credentials: Ok(credentials.username), "second")
    site = serve(extra={"one": first, "two": second}, auth_order=["first", "second"])
    assert log_in(site, "emilie", "company password") == 200

    assert log_in(site, "emilie", "what the second would take") == 401


@pytest.mark.parametrize(
    ("order", "asked"), [((), ["a", "b", "c"]), (("c",), ["c", "a", "b"]), (("b", "a"), ["b", "a", "c"])], ids=str
)
def test_the_settings_give_the_order(serve: Serve, order: tuple[str, ...], asked: list[str]) -> None:
    """``--auth-order`` names the authenticators to ask first; the others follow by name."""
    called: list[str] = []

    def answering(name: str) -> Directory:
        return Directory(lambda credentials: called.append(name) or Unknown(), name)  # type: ignore[func-returns-value]

    site = serve(extra={f"plugin{name}": answering(name) for name in "cab"}, auth_order=list(order))

    assert log_in(site, "emilie", "x") == 401
    assert called == asked


def test_a_rejection_ends_the_question(serve: Serve) -> None:
    """After a ``Reject`` no other authenticator is asked, and the response does not give the reason."""
    later = Directory(lambda credentials: Ok(credentials.username), "later")
    site = serve(extra={"one": Directory(company, "earlier"), "two": later})

    refused = site.request("POST", "/+login", {"user": "leaver", "password": "x"})

    assert (refused.status, refused.message) == (401, "user 'leaver' could not be authenticated")
    assert later.asked == []


@pytest.mark.parametrize(
    ("secret", "reason", "status", "logged"),
    [
        pytest.param(SecretCheck.WRONG, "", 429, "unknown:[0-9a-f]{8}", id="wrong"),
        pytest.param(SecretCheck.RIGHT, ": left in spring", 401, "leaver", id="right"),
        pytest.param(SecretCheck.UNVERIFIED, "", 401, "unknown:[0-9a-f]{8}", id="unverified"),
    ],
)
@pytest.mark.parametrize("by", ["login", "header"])
def test_only_a_right_password_gets_the_reason(
    serve: Serve, caplog: pytest.LogCaptureFixture, secret: SecretCheck, reason: str, status: int, logged: str, by: str
) -> None:
    """Only a right password tells the client the reason, and the log the name; only a wrong one counts as a guess."""
    site = serve(extra={"company": Directory(lambda credentials: Reject("left in spring", secret))})
    caplog.set_level("INFO")

    def attempt() -> Response:
        if by == "header":
            return site.request("PUT", "/root/dev", {}, auth=("leaver", "x"))
        return site.request("POST", "/+login", {"user": "leaver", "password": "x"})

    answers = [attempt() for _ in range(6)]

    assert (answers[0].status, answers[0].message) == (401, f"user 'leaver' could not be authenticated{reason}")
    assert answers[-1].status == status
    assert re.search(f"rejects user '{logged}': left in spring", caplog.text)
    assert re.search(f"failed login of user '{logged}' from", caplog.text)


def test_credentials_of_another_kind_are_not_its(serve: Serve) -> None:
    """An authenticator is asked only about the kinds of credentials that it accepts."""
    directory = Directory(lambda credentials: Ok(credentials.username), accepts=frozenset({"bearer"}))
    site = serve(extra={"company": directory})

    assert log_in(site, "emilie", "x") == 401
    assert directory.asked == []


def test_an_answer_about_somebody_else_counts_for_nothing(serve: Serve) -> None:
    """``Ok`` for another name than the one in the credentials logs nobody in."""
    site = serve(extra={"company": Directory(lambda credentials: Ok("root"))})

    assert log_in(site, "emilie", "x") == 401


UNAVAILABLE = {
    "raises": (fail, "5"),
    "says so": (lambda credentials: Unavailable("maintenance", retry_after=60), "60"),
    "answers None": (lambda credentials: None, "5"),
    "answers True": (lambda credentials: True, "5"),
}


@pytest.mark.parametrize(("answer", "retry_after"), UNAVAILABLE.values(), ids=UNAVAILABLE)
def test_a_failing_authenticator_is_503(
    serve: Serve, answer: Callable[[Credentials], object], retry_after: str
) -> None:
    """A user whom only the failing authenticator could know gets 503 with ``Retry-After``; all others log in."""
    site = serve(extra={"company": Directory(answer)})
    site.add_user("local", "correct horse")

    refused = site.request("POST", "/+login", {"user": "emilie", "password": "x"})

    assert (refused.status, refused.headers["retry-after"]) == (503, retry_after)
    assert refused.message == "the login service 'directory' cannot be reached; try again later"
    assert log_in(site, "local", "correct horse") == 200
    assert log_in(site, "root", "") == 200
    in_header = site.request("PUT", "/new/dev", {}, auth=("emilie", "x"))
    assert in_header.status in (404, 503)
    assert site.request("GET", "/root", auth=("emilie", "x")).status == 200


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        pytest.param(fail, company, 200, id="one fails, one knows"),
        pytest.param(company, fail, 200, id="one knows, one would fail"),
        pytest.param(fail, lambda credentials: Unknown(), 503, id="one fails, one does not know"),
        pytest.param(fail, lambda credentials: Reject("no"), 401, id="one fails, one rejects"),
    ],
)
def test_a_failure_beside_others(
    serve: Serve, first: Callable[[Credentials], object], second: Callable[[Credentials], object], status: int
) -> None:
    """If one authenticator says yes or no, the failure of another does not matter."""
    site = serve(extra={"one": Directory(first, "a"), "two": Directory(second, "b")})

    assert log_in(site, "emilie", "company password") == status


def test_failures_are_no_wrong_passwords(serve: Serve) -> None:
    """Failures of a directory do not count as wrong passwords: once it is back, users log in without a wait."""
    answers: list[Callable[[Credentials], object]] = [fail]
    site = serve(extra={"company": Directory(lambda credentials: answers[0](credentials))})
    assert [log_in(site, "emilie", "company password") for _ in range(4)] == [503] * 4

    answers[0] = company

    assert log_in(site, "emilie", "company password") == 200


def test_five_failures_open_the_circuit(serve: Serve) -> None:
    """After five failures in a row an authenticator is left out for half a minute; ``/+status`` shows that to root."""
    directory = Directory(fail)
    site = serve(extra={"company": directory})
    for _ in range(5):
        log_in(site, "emilie", "x")

    left_out = site.request("POST", "/+login", {"user": "emilie", "password": "x"})

    assert (left_out.status, left_out.headers["retry-after"]) == (503, "30")
    assert len(directory.asked) == 5
    assert site.request("GET", "/+status", auth=ROOT).result["providers"]["directory"] == "open"


@pytest.fixture
def hanging() -> Iterator[Directory]:
    """Return an authenticator that does not answer before the test is over."""
    over = threading.Event()
    yield Directory(lambda credentials: over.wait(60) and Unknown())
    over.set()


@pytest.mark.slow
def test_a_hanging_authenticator_is_503(serve: Serve, hanging: Directory) -> None:
    """An authenticator that takes longer than its budget counts as failed; other users can still log in."""
    site = serve(extra={"company": hanging})

    refused = site.request("POST", "/+login", {"user": "emilie", "password": "x"})

    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert log_in(site, "root", "") == 200


@pytest.mark.parametrize("name", ["Root", "a b", "x" * 100 + "y"], ids=["look-alike", "space", "long"])
def test_a_directory_cannot_bring_a_name_that_no_user_may_have(serve: Serve, name: str) -> None:
    """The rules for user names apply to users of directories, too."""
    site = serve(extra={"company": Directory(lambda credentials: Ok(credentials.username))})

    assert log_in(site, name, "x") in (400, 409)
    assert site.request("GET", "/").result.keys() == {"root"}
