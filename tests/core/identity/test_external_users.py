"""External users are logged out when they have left their directory, and no other users are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from threading import Event
from types import SimpleNamespace

import pytest
from tests.helpers.sites import Serve

from wheelgate import Credentials, Ok, Outcome, RequestInfo, User, hookimpl
from wheelgate.providers import Authenticator, UserDirectory
from wheelgate.testing.site import Response, Site

SENTENCE = "the login service 'company' cannot be reached; try again later"


@dataclass
class Company(Authenticator, UserDirectory):
    """A directory that accepts every password; the test sets which users still exist."""

    answer: Callable[[str], object] = lambda username: True
    name: str = "company"
    accepts: frozenset[str] = frozenset({"password"})
    local: bool = False
    asked: list[str] = field(default_factory=list)

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Accept the credentials."""
        return Ok(credentials.username)

    def exists(self, username: str) -> bool:
        """Answer."""
        self.asked.append(username)
        return self.answer(username)  # type: ignore[return-value]

    @hookimpl
    def wheelgate_authenticators(self) -> Iterable[Authenticator]:
        """Provide itself."""
        return [self]


@pytest.fixture
def company() -> Company:
    """Return the directory."""
    return Company()


@pytest.fixture
def site(serve: Serve, company: Company) -> Site:
    """Return a server with the directory."""
    return serve(extra={"company": company})


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every cached answer expire at once."""
    monkeypatch.setattr("wheelgate.identity.external_users.DIRECTORY_CACHE_SECONDS", 0.0)


def make_index(site: Site, auth: tuple[str, str], name: str = "dev") -> Response:
    """Send a request that needs a permission."""
    return site.request("PUT", f"/{auth[0]}/{name}", {}, auth=auth)


def test_a_session_ends_with_its_user(site: Site, company: Company, no_cache: None) -> None:
    """A user who has left has no session: 401 where a permission is needed, and public pages are still served."""
    emilie = site.login("emilie", "x")
    assert make_index(site, emilie).status == 200
    company.answer = lambda username: username != "emilie"

    refused = make_index(site, emilie, "prod")

    assert (refused.status, refused.message) == (401, "user 'emilie' is no longer known to 'company'")
    assert refused.headers["www-authenticate"]
    assert site.request("GET", "/emilie", auth=emilie).status == 200
    assert site.request("GET", "/+api", auth=emilie).result["authstatus"][0] == "noauth"
    assert make_index(site, site.login("carl", "x")).status == 200


def test_it_is_asked_once_a_minute(site: Site, company: Company) -> None:
    """One answer counts for all requests of a minute, also if it is no."""
    emilie, carl = site.login("emilie", "x"), site.login("carl", "x")
    company.answer = lambda username: username != "carl"

    assert [make_index(site, emilie, name).status for name in "abc"] == [200] * 3
    # The session of a second that is not over yet could be one of somebody who has just come back.
    later = company.asked.count("carl")
    assert [make_index(site, carl, name).status for name in "abc"] == [401] * 3
    assert company.asked.count("emilie") == 1
    assert company.asked.count("carl") - later <= 3


def test_who_is_back_is_let_in_at_once(site: Site, company: Company) -> None:
    """A new login outweighs an earlier answer."""
    company.answer = lambda username: False
    assert make_index(site, site.login("emilie", "x")).status == 401
    company.answer = lambda username: True

    assert make_index(site, site.login("emilie", "x")).status == 200


def test_only_the_users_of_the_directory_are_asked_about(site: Site, company: Company) -> None:
    """The directory is not asked about local users and root."""
    company.answer = lambda username: False

    assert make_index(site, site.add_user("local")).status == 200
    assert make_index(site, site.login("root", "")).status == 200
    assert company.asked == []


def fail(username: str) -> object:
    """Fail as a library does that cannot reach its server."""
    raise ConnectionError("no route to the directory")


@pytest.mark.parametrize(
    "answer", [fail, lambda username: None, lambda username: "yes"], ids=["raises", "None", "text"]
)
def test_a_directory_that_cannot_tell(
    site: Site, company: Company, answer: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last answer counts for its minute; after that, this user alone gets 503."""
    emilie, local = site.login("emilie", "x"), site.add_user("local")
    assert make_index(site, emilie).status == 200
    company.answer = answer
    assert make_index(site, emilie, "kept").status == 200

    later = time.monotonic() + 61
    monkeypatch.setattr("wheelgate.caches.time", SimpleNamespace(monotonic=lambda: later))
    refused = make_index(site, emilie, "late")

    assert (refused.status, refused.message, refused.headers["retry-after"]) == (503, SENTENCE, "5")
    assert site.request("GET", "/emilie", auth=emilie).status == 200
    assert make_index(site, local).status == 200


@pytest.fixture
def over() -> Iterator[Event]:
    """Return an event that releases the hanging calls."""
    event = Event()
    yield event
    event.set()


@pytest.mark.slow
def test_one_that_hangs_is_left_out_at_once(site: Site, company: Company, over: Event) -> None:
    """One request waits for the whole budget; later requests and other users do not wait."""
    users = [site.login(name, "x") for name in ("emilie", "carl", "dora")]
    local = site.add_user("local")
    company.answer = lambda username: over.wait(60)

    answers = [make_index(site, user) for user in users]

    assert [(each.status, each.headers["retry-after"]) for each in answers] == [(503, "5"), (503, "30"), (503, "30")]
    assert company.asked == ["emilie"]
    assert make_index(site, local).status == 200


def test_a_directory_that_is_gone(serve: Serve, company: Company) -> None:
    """Without its plugin the users of a directory are logged out until the plugin is back."""
    emilie = serve(extra={"company": company}).login("emilie", "x")

    refused = make_index(serve(), emilie)

    assert (refused.status, refused.message) == (
        401,
        "the login service 'company' is no longer installed on this server",
    )
    assert make_index(serve(extra={"company": company}), emilie).status == 200
