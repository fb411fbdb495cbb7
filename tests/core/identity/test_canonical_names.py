"""An authenticator may spell a name otherwise than the person who types it: all spellings are one user."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from tests.helpers.sites import Serve

from wheelgate import Credentials, Ok, Outcome, RequestInfo, Unknown, User, hookimpl
from wheelgate.providers import Authenticator, CredentialExtractor, UserDirectory
from wheelgate.testing.site import Response, Site

PASSWORD = "cobol"
SPELLINGS = ["GRACE", "Grace", "\uff47\uff52\uff41\uff43\uff45"]
"""Upper case, a capital, and full-width letters."""
WIDE = SPELLINGS[-1]


@dataclass
class Company(Authenticator, UserDirectory, CredentialExtractor):
    """A directory with one entry that answers with a set name; it also vouches for the name in a header."""

    answer: object = "grace"
    people: set[str] = field(default_factory=lambda: {"grace"})
    name: str = "company"
    accepts: frozenset[str] = frozenset({"password", "company-header"})
    local: bool = False
    header: str = "x-company-user"
    scheme: str = ""
    ambient: bool = True
    asked: list[str] = field(default_factory=list)

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Accept the password, and the header without one."""
        if not credentials.trusted and credentials.secret != PASSWORD:
            return Unknown()
        return Ok(self.answer)  # type: ignore[arg-type]

    def exists(self, username: str) -> bool:
        """Say whether a person is still there, and record the name."""
        self.asked.append(username)
        return username in self.people

    def extract(self, request: RequestInfo) -> Credentials | None:
        """Read the header."""
        return Credentials("company-header", request.headers[self.header], "", self.name, trusted=True)

    @hookimpl
    def wheelgate_authenticators(self) -> Iterable[Authenticator]:
        """Provide itself."""
        return [self]

    @hookimpl
    def wheelgate_credential_extractors(self) -> Iterable[CredentialExtractor]:
        """Provide itself."""
        return [self]


def log_in(site: Site, name: str, password: str = PASSWORD) -> Response:
    """Log in."""
    return site.request("POST", "/+login", {"user": name, "password": password})


def caller(site: Site, name: str, secret: str) -> list[object]:
    """Return whom the server sees in a request with credentials."""
    authstatus: list[object] = site.request("GET", "/+api", auth=(name, secret)).result["authstatus"]
    return authstatus[:2]


@pytest.mark.parametrize("typed", SPELLINGS, ids=ascii)
def test_every_spelling_is_one_user(serve: Serve, typed: str) -> None:
    """The user, the login token and each request have the directory's name, and the answer of the login tells it."""
    site = serve(extra={"company": Company()})

    login = log_in(site, typed)

    assert (login.status, login.result["user"]) == (200, "grace")
    assert site.request("GET", "/").result.keys() == {"root", "grace"}
    for name in (typed, "grace"):
        assert caller(site, name, login.result["password"]) == ["ok", "grace"]
        assert caller(site, name, PASSWORD) == ["ok", "grace"]
    assert "user" not in log_in(site, "grace").result
    assert site.request("PUT", "/grace/dev", {}, auth=(typed, login.result["password"])).status == 200


def test_a_token_is_for_the_names_of_its_own_login(serve: Serve) -> None:
    """A login token is valid with the name that was typed and with the user's, and with no other spelling."""
    site = serve(extra={"company": Company()})
    login = log_in(site, "GRACE").result["password"]
    assert log_in(site, "Grace").status == 200

    assert caller(site, "Grace", login)[0] != "ok"
    assert caller(site, "root", login)[0] != "ok"
    assert site.request("POST", "/+logout", auth=("GRACE", login)).status == 200
    assert caller(site, "GRACE", login)[0] != "ok"


def test_a_header_login_has_the_name_of_the_directory(serve: Serve) -> None:
    """A name that a proxy vouches for is spelled by the authenticator too, in a request and in a login."""
    site = serve(extra={"company": Company()})

    seen = site.request("GET", "/+api", headers={"X-Company-User": "GRACE"}).result["authstatus"]
    login = site.request("POST", "/+login", {"user": "GRACE", "password": ""}, headers={"X-Company-User": "GRACE"})

    assert seen[:2] == ["ok", "grace"]
    assert login.result["user"] == "grace"


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        pytest.param("grace", "root", id="root"),
        pytest.param("ROOT", "root", id="root in upper case"),
        pytest.param("LOCAL", "local", id="a local user"),
        pytest.param("THEIRS", "theirs", id="a user of another directory"),
        pytest.param("GRACE", "ada", id="somebody else"),
        pytest.param("grace.", "grace", id="a similar name"),
        pytest.param("GRACE", None, id="no name"),
        pytest.param("GRACE", b"grace", id="bytes"),
        pytest.param("GRACE", "", id="empty"),
    ],
)
@pytest.mark.parametrize("by", ["login", "request", "header"])
def test_no_answer_reaches_another_user(serve: Serve, typed: str, answer: object, by: str) -> None:
    """An answer counts only for the same name, and for a user who belongs to the authenticator or to nobody yet."""
    company, other = Company(answer), Company("theirs", name="other", header="x-other-user")
    site = serve(extra={"company": company, "other": other}, root_passwd="correct horse", auth_order=["company"])
    for name, provider in (("local", ""), ("theirs", "other"), ("ada", "company")):
        add_user(site, name, provider)
    other.answer = "nobody"

    if by == "login":
        assert log_in(site, typed).status == 401
    elif by == "request":
        assert caller(site, typed, PASSWORD)[0] != "ok"
    else:
        seen = site.request("GET", "/+api", headers={"X-Company-User": typed}).result["authstatus"]
        assert seen[0] != "ok"
    assert site.request("GET", "/").result.keys() == {"root", "local", "theirs", "ada"}


def add_user(site: Site, name: str, provider: str) -> None:
    """Add a user who belongs to an authenticator, as the first login does; to this server if it is empty."""
    with site.server.database.transaction():
        site.server.users.create(User(name, "stamp", datetime.now(UTC), provider=provider), None)


@pytest.mark.parametrize(("typed", "answer", "status"), [(".GRACE", ".grace", 400), ("GRACE", "grac\u200be", 401)])
def test_the_rules_for_names_apply_to_the_answer(serve: Serve, typed: str, answer: str, status: int) -> None:
    """No user gets a name that the server refuses, whatever the directory calls the person."""
    site = serve(extra={"company": Company(answer)})

    assert log_in(site, typed).status == status
    assert site.request("GET", "/").result.keys() == {"root"}


def test_an_older_user_of_another_spelling_is_a_conflict(serve: Serve) -> None:
    """If the server has a user GRACE from before, GRACE and grace get 409 until an administrator deletes that user."""
    company = Company("GRACE", {"GRACE", "grace"})
    site = serve(extra={"company": company})
    assert log_in(site, "GRACE").status == 200
    company.answer = "grace"

    assert [log_in(site, name).status for name in ("GRACE", "grace")] == [409, 409]
    assert site.request("DELETE", "/GRACE", auth=("root", "")).status == 200
    assert [log_in(site, name).status for name in ("GRACE", "grace")] == [200, 200]


def test_the_directory_is_asked_about_the_name_that_it_knows(serve: Serve) -> None:
    """Whether the user still exists is asked with the directory's name; afterwards no spelling has a login."""
    company = Company()
    site = serve(extra={"company": company})
    login = log_in(site, "GRACE").result["password"]
    company.people.clear()

    assert site.request("PUT", "/grace/dev", {}, auth=("GRACE", login)).status == 401
    assert set(company.asked) == {"grace"}


def recreate(site: Site) -> None:
    """Delete the user, and let an administrator take the name."""
    root = site.login("root", "")
    assert site.request("DELETE", "/grace", auth=root).status == 200
    assert site.request("PUT", "/grace", {"password": "correct horse"}, auth=root).status == 201


def delete(site: Site) -> None:
    """Delete the user."""
    assert site.request("DELETE", "/grace", auth=site.login("root", "")).status == 200


@pytest.mark.parametrize(("change", "valid"), [(recreate, False), (delete, True)])
def test_cached_credentials_follow_the_user(serve: Serve, change: Callable[[Site], None], valid: bool) -> None:
    """Cached credentials end with the user of the directory's name, under every spelling."""
    site = serve(extra={"company": Company()})
    assert [caller(site, "GRACE", PASSWORD) for _ in range(3)] == [["ok", "grace"]] * 3

    change(site)

    assert (caller(site, "GRACE", PASSWORD)[0] == "ok") is valid


def test_all_spellings_share_one_count_of_guesses(serve: Serve) -> None:
    """Wrong passwords for one spelling slow down all of them."""
    site = serve(extra={"company": Company()})

    statuses = [log_in(site, name, "wrong").status for name in ("grace", *SPELLINGS, "gRACE", "grACE")]

    assert statuses == [401] * 5 + [429]


def test_a_wide_name_in_a_header_needs_no_encoding(serve: Serve) -> None:
    """Basic credentials in UTF-8 have their user in every spelling."""
    site = serve(extra={"company": Company()})
    header = b64encode(f"{WIDE}:{PASSWORD}".encode()).decode()

    seen = site.request("GET", "/+api", headers={"Authorization": f"Basic {header}"}).result["authstatus"]

    assert seen[:2] == ["ok", "grace"]
