"""Local groups: members, names, rights, and what they open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.helpers.sites import Serve

from wheelgate import Event, hookimpl
from wheelgate.providers import GroupSource
from wheelgate.testing.site import Response, Site

ROOT = ("root", "")


@dataclass(frozen=True)
class Club:
    """A server with users, and root who makes groups."""

    site: Site
    logins: dict[str, tuple[str, str]]

    def ask(self, method: str, name: str = "", body: Any = None, caller: str = "root") -> Response:
        """Send a request about groups."""
        auth = ROOT if caller == "root" else self.logins.get(caller)
        return self.site.request(method, f"/+x/groups{'/' * bool(name)}{name}", body, auth=auth)

    def make(self, name: str, *members: str) -> None:
        """Make a group."""
        created = self.ask("PUT", name, {"members": list(members)})
        assert created.status == 201, created.content

    def groups_of(self, user: str) -> list[str]:
        """Return the groups that a user's login has."""
        groups: list[str] = self.site.request("GET", "/+api", auth=self.logins[user]).result["authstatus"][2]
        return groups


def opened(site: Site) -> Club:
    """Make the users."""
    return Club(site, {name: site.add_user(name) for name in ("alice", "bob", "carol")})


@pytest.fixture
def club(site: Site) -> Club:
    """Return a server for this test, on each database."""
    return opened(site)


@pytest.fixture
def quick(serve: Serve) -> Club:
    """Return a server for tests of which the database makes no difference."""
    return opened(serve())


def test_the_life_of_a_group(club: Club) -> None:
    """Groups are created, listed, shown, changed in both forms, and deleted."""
    assert club.ask("PUT", "devs", {"members": ["bob", "alice", "bob"], "title": "Ours"}).status == 201
    assert club.ask("PUT", "none").result == {"members": []}
    listed, shown = club.ask("GET"), club.ask("GET", "devs")

    assert (listed.json["type"], shown.json["type"]) == ("list:groupconfig", "groupconfig")
    assert listed.result == {"devs": {"members": ["alice", "bob"], "title": "Ours"}, "none": {"members": []}}
    assert shown.result == listed.result["devs"]
    for change, members, title in (
        (["members+=carol"], ["alice", "bob", "carol"], "Ours"),
        (["members-=alice,bob", "members+=bob"], ["bob", "carol"], "Ours"),
        (["title=Theirs"], ["bob", "carol"], "Theirs"),
        ({"members": "alice, carol"}, ["alice", "carol"], "Theirs"),
        (["members-=", "title-="], [], None),
    ):
        assert club.ask("PATCH", "devs", change).status == 200
        shown = club.ask("GET", "devs")
        assert (shown.result["members"], shown.result.get("title")) == (members, title)
    deleted = club.ask("DELETE", "devs")
    assert (deleted.status, deleted.message) == (200, "group 'devs' deleted")
    assert [club.ask(method, "devs", {}).status for method in ("GET", "PATCH", "DELETE")] == [404, 404, 404]
    assert list(club.ask("GET").result) == ["none"]


def test_a_change_counts_at_the_next_request(club: Club) -> None:
    """Sessions and passwords have the groups of now, by themselves and by a group in a group."""
    club.make("devs", "alice")
    club.make("staff", ":devs", "bob")
    assert [club.groups_of(user) for user in ("alice", "bob", "carol")] == [["devs", "staff"], ["staff"], []]

    club.ask("PATCH", "devs", ["members=carol"])
    assert [club.groups_of(user) for user in ("alice", "bob", "carol")] == [[], ["staff"], ["devs", "staff"]]
    by_password = club.site.request("GET", "/+api", auth=("carol", "correct horse"))
    assert by_password.result["authstatus"] == ["ok", "carol", ["devs", "staff"]]

    club.ask("DELETE", "staff")
    assert [club.groups_of(user) for user in ("alice", "bob", "carol")] == [[], [], ["devs"]]


NAMES = [
    ("anonymous", "would be taken for :ANONYMOUS:, which means others"),
    ("Authenticated", "would be taken for :AUTHENTICATED:, which means others"),
    ("-x", "must not start with '.' or '-'"),
    ("a b", "contains characters that aren't allowed"),
    ("a:b", "contains characters that aren't allowed"),
    ("a,b", "contains characters that aren't allowed"),
    ("x" * 101, "must have 1 to 100 characters"),
    ("\ufb01n", "must be written in its normal form"),
]


@pytest.mark.parametrize(("name", "reason"), NAMES, ids=[ascii(name)[:20] for name, _ in NAMES])
def test_confusing_names_are_refused(quick: Club, name: str, reason: str) -> None:
    """A name that could be taken for something else in an access list is no group's."""
    refused = quick.ask("PUT", name, {})

    assert (refused.status, reason in refused.message) == (400, True), refused.message


def test_no_name_looks_like_another(club: Club) -> None:
    """A group that exists, or one that looks like it, is 409."""
    club.make("devs")

    assert club.ask("PUT", "devs", {}).message == "group 'devs' exists"
    assert club.ask("PUT", "DEVS", {}).message == "group 'DEVS' looks like the existing group 'devs'"
    assert club.ask("PUT", "DEVS", {}).status == 409
    assert list(club.ask("GET").result) == ["devs"]


BODIES: list[tuple[Any, str]] = [
    (5, "the body must be a JSON object or a list of operations, not 5"),
    ({"owner": "bob"}, "a group has no 'owner', only members and title"),
    ({"members": 5}, "Unknown list value 5."),
    ({"members": None}, "Unknown list value None."),
    ({"members": [["bob"]]}, "Unknown list value [['bob']]."),
    ({"title": 5}, "'title' must be text, not 5"),
    ({"members": ["nobody"]}, "'members' names the user 'nobody', who does not exist; create the user first"),
    (
        {"members": [":ANONYMOUS:"]},
        "'members' names the group 'ANONYMOUS:', which this server does not have; create it",
    ),
    (
        {"members": [":nothing"]},
        "'members' names the group 'nothing', which this server does not have; create it first",
    ),
    ({"members": [":"]}, "'members' names the group '', which this server does not have; create it first"),
    ({"members": [":devs"]}, "the group 'devs' cannot be a member of itself"),
    ({"members": [":outer"]}, "the group 'outer' has groups as members, so it cannot be a member itself"),
    ({"members": [":other"]}, "the group 'devs' is a member of 'outer', so groups cannot be its members"),
    (["members+=:other"], "the group 'devs' is a member of 'outer', so groups cannot be its members"),
    (["members-=bob"], "the group has no member 'bob'"),
    (["title+=x"], "'title' holds one value: use title=VALUE instead of title+=VALUE"),
    (["members"], "an operation must be one such as 'members+=bob' or 'title=Developers', not 'members'"),
    (["owner=bob"], "an operation must be one such as"),
    ([5], "an operation must be one such as"),
]


@pytest.mark.parametrize(("body", "reason"), BODIES, ids=lambda value: str(value)[:40])
def test_what_cannot_be_meant_changes_nothing(quick: Club, body: Any, reason: str) -> None:
    """Bad input is 400 with a sentence; a group has members that exist, and is in groups or has some, not both."""
    quick.make("other")
    quick.make("devs", "alice")
    quick.make("outer", ":devs")

    refused = quick.ask("PATCH", "devs", body)

    assert (refused.status, refused.message.startswith(reason)) == (400, True), refused.message
    assert quick.ask("GET", "devs").result == {"members": ["alice"]}


def test_a_refused_group_is_not_created(club: Club) -> None:
    """What names a member that cannot be one leaves no group behind."""
    assert club.ask("PUT", "devs", {"members": ["alice", "nobody"]}).status == 400
    assert club.ask("GET").result == {}


@pytest.mark.parametrize(
    ("options", "caller", "reads", "changes"),
    [
        ({}, "root", 200, 201),
        ({}, "alice", 200, 403),
        ({}, "nobody", 401, 401),
        ({"restrict_modify": "alice"}, "alice", 200, 201),
        ({"restrict_modify": "alice"}, "root", 200, 403),
        ({"restrict_modify": "alice"}, "bob", 200, 403),
        ({"restrict_modify": ":chiefs"}, "carol", 200, 201),
    ],
)
def test_who_may(serve: Serve, options: dict[str, str], caller: str, reads: int, changes: int) -> None:
    """Users look; root changes, or under ``--restrict-modify`` those whom it lists, also by a group."""
    opened(serve()).make("chiefs", "carol")
    site = serve(**options)
    club = Club(site, {name: site.login(name, "correct horse") for name in ("alice", "bob", "carol")})

    assert [club.ask("GET", name, caller=caller).status for name in ("", "chiefs")] == [reads, reads]
    assert club.ask("PUT", "devs", {}, caller).status == changes
    allowed = changes == 201
    assert club.ask("PATCH", "chiefs", {"title": "x"}, caller).status == (200 if allowed else changes)
    assert club.ask("DELETE", "chiefs", None, caller).status == (200 if allowed else changes)


def test_groups_open_what_lists_them(club: Club) -> None:
    """A group stands in ``acl_read``, ``acl_upload`` and elsewhere as a user does, until it is deleted."""
    club.make("devs", "bob")
    config = {"acl_read": ":devs", "acl_upload": ":devs,alice"}
    club.site.request("PUT", "/alice/dev", config, auth=club.logins["alice"])

    def bob_sees() -> tuple[int, int]:
        read = club.site.request("GET", "/alice/dev", auth=club.logins["bob"]).status
        yank = club.site.request("PATCH", "/alice/dev/demo/1.0", {"yanked": True}, auth=club.logins["bob"])
        return read, yank.status

    assert bob_sees() == (200, 404)
    assert club.site.request("GET", "/alice/dev", auth=club.logins["carol"]).status == 404

    club.ask("DELETE", "devs")
    club.make("devs", "bob")

    assert bob_sees() == (404, 404)
    shown = club.site.request("GET", "/alice/dev", auth=club.logins["alice"]).result
    assert (shown["acl_read"], shown["acl_upload"]) == ([], ["alice"])


def test_who_is_deleted_leaves_the_groups(club: Club) -> None:
    """Whoever is given the name of a deleted user or group later is in none of its groups."""
    club.make("devs", "alice", "bob")
    club.make("staff", ":devs", "carol")

    assert club.site.request("DELETE", "/bob", auth=ROOT).status == 200
    again = club.site.add_user("bob")
    assert club.ask("GET", "devs").result["members"] == ["alice"]
    assert club.site.request("GET", "/+api", auth=again).result["authstatus"][2] == []

    club.ask("DELETE", "devs")
    club.make("devs", "alice")
    assert club.ask("GET", "staff").result["members"] == ["carol"]
    assert club.groups_of("alice") == ["devs"]


class Refusing:
    """Keeps something about users that it does not let go of."""

    @hookimpl
    def wheelgate_forget_principal(self, principal: str) -> None:
        """Fail."""
        raise RuntimeError(principal)


def test_a_deletion_is_whole_or_not_at_all(serve: Serve) -> None:
    """If a plugin fails to forget a user, the user stays with all its groups."""
    club = opened(serve(extra={"refusing": Refusing()}))
    club.make("devs", "bob")

    assert club.site.request("DELETE", "/bob", auth=ROOT).status == 500
    assert club.ask("DELETE", "devs").status >= 500
    assert club.groups_of("bob") == ["devs"]


class Directory(GroupSource):
    """Knows a group too."""

    name = "directory"

    def groups(self, username: str) -> frozenset[str]:
        """Put bob into it."""
        return frozenset({"devs", "far"} if username == "bob" else ())

    @hookimpl
    def wheelgate_group_sources(self) -> list[GroupSource]:
        """Bring itself."""
        return [self]


def test_local_groups_and_those_of_plugins(serve: Serve) -> None:
    """A user is in the groups of both; one name is one group, wherever it comes from."""
    club = opened(serve(extra={"directory": Directory()}))
    club.make("devs", "alice")
    club.make("near", "bob")

    assert [club.groups_of(user) for user in ("alice", "bob")] == [["devs"], ["devs", "far", "near"]]


@dataclass
class Listener:
    """Notes events about groups."""

    heard: list[tuple[str, str | None, str, dict[str, Any]]] = field(default_factory=list)

    @hookimpl
    def wheelgate_on_event(self, event: Event) -> None:
        """Note it."""
        if event.name.startswith("Group"):
            self.heard.append((event.name, event.actor, event.subject, dict(event.detail)))


def test_events(serve: Serve) -> None:
    """Listeners learn who changed which group, and who came and went; a change of nothing is none."""
    listener = Listener()
    club = opened(serve(extra={"listener": listener}))
    club.make("devs", "alice")
    club.ask("PATCH", "devs", ["members+=bob", "members-=alice", "title=Ours"])
    club.ask("PATCH", "devs", ["members+=bob"])
    club.ask("PATCH", "devs", ["members+=nobody"])
    club.ask("DELETE", "devs")
    club.site.application.close()

    assert listener.heard == [
        ("GroupCreated", "root", "devs", {"members": ["alice"]}),
        ("GroupModified", "root", "devs", {"added": ["bob"], "removed": ["alice"], "title": "Ours"}),
        ("GroupDeleted", "root", "devs", {}),
    ]
