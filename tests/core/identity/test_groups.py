"""Groups come from their sources, and a source that fails never makes a request fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest
from tests.helpers.sites import Serve

from wheelgate import Credentials, Ok, Outcome, RequestInfo, User, hookimpl
from wheelgate.providers import Authenticator, GroupSource
from wheelgate.testing.site import Site

ROOT = ("root", "")


@dataclass
class Source(GroupSource):
    """A group source with answers set by the test; it counts how often it is asked."""

    answer: Callable[[str], Iterable[str]]
    name: str = "groups"
    asked: list[str] = field(default_factory=list)

    def groups(self, username: str) -> frozenset[str]:
        """Answer."""
        self.asked.append(username)
        return self.answer(username)  # type: ignore[return-value]

    @hookimpl
    def wheelgate_group_sources(self) -> Iterable[GroupSource]:
        """Provide itself."""
        return [self]


def fail(username: str) -> Iterable[str]:
    """Fail as a library does that cannot reach its server."""
    raise ConnectionError("no route to the directory")


def groups_of(site: Site, auth: tuple[str, str]) -> list[str]:
    """Return the groups that ``+api`` shows."""
    groups: list[str] = site.request("GET", "/+api", auth=auth).result["authstatus"][2]
    return groups


def test_all_sources_together(serve: Serve) -> None:
    """A user is in every group that any source names, by token and by password alike."""
    one, two = Source(lambda name: {"staff", name}, "one"), Source(lambda name: ["staff", "admins"], "two")
    site = serve(extra={"a": one, "b": two})
    token = site.add_user("alice", "correct horse")

    assert groups_of(site, token) == ["admins", "alice", "staff"]
    assert groups_of(site, ("alice", "correct horse")) == ["admins", "alice", "staff"]


def test_a_source_is_asked_once_a_minute(serve: Serve) -> None:
    """One answer about a user counts for a minute, however many requests there are."""
    source = Source(lambda name: {"staff"})
    site = serve(extra={"a": source})
    token = site.add_user("alice")
    source.asked.clear()

    assert [groups_of(site, token) for _ in range(5)] == [["staff"]] * 5
    assert source.asked.count("alice") <= 1


class Live(Source):
    """A source whose groups are in the server's database."""

    live = True


BY = [
    pytest.param(lambda site: ("alice", "correct horse"), id="password"),
    pytest.param(lambda site: site.login("alice", "correct horse"), id="token"),
]
"""How alice shows who she is."""


@pytest.mark.parametrize("by", BY)
def test_a_live_source_is_asked_once_until_something_changes(
    serve: Serve, by: Callable[[Site], tuple[str, str]]
) -> None:
    """Groups in the database are remembered until something changes there, and no longer."""
    groups = ["old"]
    source = Live(lambda name: list(groups))
    site = serve(extra={"a": source})
    site.request("PUT", "/alice", {"password": "correct horse"})
    auth = by(site)
    source.asked.clear()
    seen = [groups_of(site, auth) for _ in range(3)]
    groups[:] = ["new"]
    seen += [groups_of(site, auth)]
    site.request("PUT", "/root/dev", {}, auth=ROOT)
    seen += [groups_of(site, auth) for _ in range(3)]

    assert seen == [["old"]] * 4 + [["new"]] * 3
    assert source.asked.count("alice") <= 2


@pytest.mark.parametrize("by", BY)
def test_a_live_source_that_fails_is_asked_again(serve: Serve, by: Callable[[Site], tuple[str, str]]) -> None:
    """A failure is not an answer, so it is not remembered."""
    answer: list[Callable[[str], Iterable[str]]] = [fail]
    site = serve(extra={"a": Live(lambda name: answer[0](name))})
    site.request("PUT", "/alice", {"password": "correct horse"})
    auth = by(site)
    seen = [groups_of(site, auth)]
    answer[0] = lambda name: ["staff"]
    seen += [groups_of(site, auth) for _ in range(2)]

    assert seen == [[], ["staff"], ["staff"]]


def test_a_live_source_beside_one_that_is_not(serve: Serve) -> None:
    """A change of groups in the database counts at once; a change in another source counts within a minute."""
    groups = ["old"]
    site = serve(extra={"a": Live(lambda name: list(groups), "live"), "b": Source(lambda name: list(groups), "slow")})
    token = site.add_user("alice")
    before = groups_of(site, token)
    groups[:] = ["new"]
    site.request("PUT", "/root/dev", {}, auth=ROOT)

    assert (before, groups_of(site, token)) == (["old"], ["new", "old"])


@pytest.mark.parametrize("by", BY)
def test_a_minute_ends_although_nothing_changes(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, by: Callable[[Site], tuple[str, str]]
) -> None:
    """The answer of another source expires after a minute, even if nothing changes in the database."""
    monkeypatch.setattr("wheelgate.identity.groups.GROUPS_CACHE_SECONDS", 0.0)
    groups = ["old"]
    site = serve(extra={"a": Live(lambda name: ["here"], "live"), "b": Source(lambda name: list(groups), "slow")})
    site.request("PUT", "/alice", {"password": "correct horse"})
    auth = by(site)
    before = groups_of(site, auth)
    groups[:] = ["new"]

    assert (before, groups_of(site, auth)) == (["here", "old"], ["here", "new"])


@pytest.mark.parametrize(
    ("answer", "groups"),
    [
        pytest.param(lambda name: {"a:b", "a,b", "", ":ANONYMOUS:", "good"}, ["good"], id="names that could deceive"),
        pytest.param(lambda name: None, [], id="nothing at all"),
        pytest.param(lambda name: [5, "good"], [], id="no names"),
        pytest.param(lambda name: "staff", [], id="a text"),
        pytest.param(fail, [], id="a failure"),
    ],
)
def test_a_source_that_cannot_be_meant(serve: Serve, answer: Callable[[str], Iterable[str]], groups: list[str]) -> None:
    """Names with ``:`` or ``,`` are dropped; a source that fails adds no groups, and the request succeeds."""
    site = serve(extra={"bad": Source(answer), "good": Source(lambda name: (), "other")})

    assert groups_of(site, site.add_user("alice")) == groups


def test_a_dropped_name_is_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the groups that give no rights because of their names, and the user."""
    site = serve(extra={"odd": Source(lambda name: {"Sales, EMEA", "x:y", "staff"})})

    site.request("GET", "/+api", auth=site.add_user("alice"))

    sentence = "user 'alice' gets no rights from groups with ':' or ',' in their names: 'Sales, EMEA', 'x:y'"
    assert sentence in caplog.text


def test_a_group_grants_what_a_list_says(serve: Serve) -> None:
    """Members of a listed group have the permission of the access list; a user with the name of the group does not."""
    site = serve(extra={"a": Source(lambda name: {"staff"} if name == "gina" else ())}, restrict_modify="root,:staff")
    gina, staff = site.add_user("gina"), site.add_user("staff")

    assert site.request("PUT", "/gina/dev", {}, auth=gina).status == 200
    assert site.request("PUT", "/staff/dev", {}, auth=staff).status == 403


def test_groups_that_came_with_a_password(serve: Serve) -> None:
    """Groups in an authenticator's ``Ok`` count for that request, not for a login token; odd names do not count."""

    class Company(Authenticator):
        name = "company"
        accepts = frozenset({"password"})
        local = False

        def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
            return Ok(credentials.username, groups=frozenset({"staff", "a,b"}))

        @hookimpl
        def wheelgate_authenticators(self) -> Iterable[Authenticator]:
            return [self]

    site = serve(extra={"company": Company()})
    token = site.login("emilie", "x")

    assert groups_of(site, ("emilie", "x")) == ["staff"]
    assert groups_of(site, token) == []
