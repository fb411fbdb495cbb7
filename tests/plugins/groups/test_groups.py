"""Local groups: members, names, permissions, and the rights that they give."""

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
class GroupsHome:
    """A server with three users, on which root creates groups."""

    site: Site
    logins: dict[str, tuple[str, str]]

    def request(self, method: str, name: str = "", body: Any = None, caller: str = "root") -> Response:
        """Send a request below ``/+x/groups``."""
        auth = ROOT if caller == "root" else self.logins.get(caller)
        return self.site.request(method, f"/+x/groups{'/' * bool(name)}{name}", body, auth=auth)

    def create(self, name: str, *members: str) -> None:
        """Create a group."""
        created = self.request("PUT", name, {"members": list(members)})
        assert created.status == 201, created.content

    def groups_of(self, user: str) -> list[str]:
        """Return the groups of a user's session."""
        groups: list[str] = self.site.request("GET", "/+api", auth=self.logins[user]).result["authstatus"][2]
        return groups


def with_users(site: Site) -> GroupsHome:
    """Create the users."""
    return GroupsHome(site, {name: site.add_user(name) for name in ("alice", "bob", "carol")})


@pytest.fixture
def home(site: Site) -> GroupsHome:
    """Return a server for this test, on each database."""
    return with_users(site)


@pytest.fixture(scope="module")
def nested(serve_shared: Serve) -> GroupsHome:
    """Return a server with three groups, one of them in another, for all tests whose requests are refused."""
    home = with_users(serve_shared())
    home.create("other")
    home.create("devs", "alice")
    home.create("outer", ":devs")
    return home


def test_the_life_of_a_group(home: GroupsHome) -> None:
    """Groups can be created, listed, shown, changed in both forms, and deleted."""
    assert home.request("PUT", "devs", {"members": ["bob", "alice", "bob"], "title": "Ours"}).status == 201
    assert home.request("PUT", "none").result == {"members": []}
    listed, shown = home.request("GET"), home.request("GET", "devs")

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
        assert home.request("PATCH", "devs", change).status == 200
        shown = home.request("GET", "devs")
        assert (shown.result["members"], shown.result.get("title")) == (members, title)
    deleted = home.request("DELETE", "devs")
    assert (deleted.status, deleted.message) == (200, "group 'devs' deleted")
    assert [home.request(method, "devs", {}).status for method in ("GET", "PATCH", "DELETE")] == [404, 404, 404]
    assert list(home.request("GET").result) == ["none"]


def test_a_change_counts_at_the_next_request(home: GroupsHome) -> None:
    """Sessions and passwords have the current groups, direct ones and those through a group in a group."""
    home.create("devs", "alice")
    home.create("staff", ":devs", "bob")
    assert [home.groups_of(user) for user in ("alice", "bob", "carol")] == [["devs", "staff"], ["staff"], []]

    home.request("PATCH", "devs", ["members=carol"])
    assert [home.groups_of(user) for user in ("alice", "bob", "carol")] == [[], ["staff"], ["devs", "staff"]]
    by_password = home.site.request("GET", "/+api", auth=("carol", "correct horse"))
    assert by_password.result["authstatus"] == ["ok", "carol", ["devs", "staff"]]

    home.request("DELETE", "staff")
    assert [home.groups_of(user) for user in ("alice", "bob", "carol")] == [[], [], ["devs"]]


CONFUSING_NAMES = [
    ("anonymous", "looks like :ANONYMOUS:, which has another meaning"),
    ("Authenticated", "looks like :AUTHENTICATED:, which has another meaning"),
    ("-x", "must not start with '.' or '-'"),
    ("a b", "contains characters that aren't allowed"),
    ("a:b", "contains characters that aren't allowed"),
    ("a,b", "contains characters that aren't allowed"),
    ("x" * 101, "must have 1 to 100 characters"),
    ("\ufb01n", "must be written in its normal form"),
]


@pytest.mark.parametrize(("name", "reason"), CONFUSING_NAMES, ids=[ascii(name)[:20] for name, _ in CONFUSING_NAMES])
def test_confusing_names_are_refused(nested: GroupsHome, name: str, reason: str) -> None:
    """A group cannot have a name that would look like something else in an access list."""
    refused = nested.request("PUT", name, {})

    assert (refused.status, reason in refused.message) == (400, True), refused.message


def test_no_name_looks_like_another(home: GroupsHome) -> None:
    """Creating a group that exists, or a look-alike of it, gets 409."""
    home.create("devs")

    assert home.request("PUT", "devs", {}).message == "group 'devs' exists"
    assert home.request("PUT", "DEVS", {}).message == "group 'DEVS' looks like the existing group 'devs'"
    assert home.request("PUT", "DEVS", {}).status == 409
    assert list(home.request("GET").result) == ["devs"]


REFUSED_BODIES: list[tuple[Any, str]] = [
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
    (["members"], "an operation must look like 'members+=bob' or 'title=Developers', not 'members'"),
    (["owner=bob"], "an operation must look like"),
    ([5], "an operation must look like"),
]


@pytest.mark.parametrize(("body", "reason"), REFUSED_BODIES, ids=lambda value: str(value)[:40])
def test_a_refused_body_changes_nothing(nested: GroupsHome, body: Any, reason: str) -> None:
    """Bad input gets 400 with a reason; members must exist, and a group cannot both contain groups and be a member."""
    refused = nested.request("PATCH", "devs", body)

    assert (refused.status, refused.message.startswith(reason)) == (400, True), refused.message
    assert nested.request("GET", "devs").result == {"members": ["alice"]}


def test_a_refused_group_is_not_created(home: GroupsHome) -> None:
    """A request that lists a missing member leaves no group behind."""
    assert home.request("PUT", "devs", {"members": ["alice", "nobody"]}).status == 400
    assert home.request("GET").result == {}


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
def test_permissions(serve: Serve, options: dict[str, str], caller: str, reads: int, changes: int) -> None:
    """Users read groups; root changes them, or under ``--restrict-modify`` the listed users and groups."""
    with_users(serve()).create("chiefs", "carol")
    site = serve(**options)
    home = GroupsHome(site, {name: site.login(name, "correct horse") for name in ("alice", "bob", "carol")})

    assert [home.request("GET", name, caller=caller).status for name in ("", "chiefs")] == [reads, reads]
    assert home.request("PUT", "devs", {}, caller).status == changes
    allowed = changes == 201
    assert home.request("PATCH", "chiefs", {"title": "x"}, caller).status == (200 if allowed else changes)
    assert home.request("DELETE", "chiefs", None, caller).status == (200 if allowed else changes)


def test_groups_in_access_lists(home: GroupsHome) -> None:
    """``acl_read`` and ``acl_upload`` may list a group; deleting the group removes it from them."""
    home.create("devs", "bob")
    config = {"acl_read": ":devs", "acl_upload": ":devs,alice"}
    home.site.request("PUT", "/alice/dev", config, auth=home.logins["alice"])

    def bob_sees() -> tuple[int, int]:
        read = home.site.request("GET", "/alice/dev", auth=home.logins["bob"]).status
        yank = home.site.request("PATCH", "/alice/dev/demo/1.0", {"yanked": True}, auth=home.logins["bob"])
        return read, yank.status

    assert bob_sees() == (200, 404)
    assert home.site.request("GET", "/alice/dev", auth=home.logins["carol"]).status == 404

    home.request("DELETE", "devs")
    home.create("devs", "bob")

    assert bob_sees() == (404, 404)
    shown = home.site.request("GET", "/alice/dev", auth=home.logins["alice"]).result
    assert (shown["acl_read"], shown["acl_upload"]) == ([], ["alice"])


def test_deleted_users_and_groups_leave_their_groups(home: GroupsHome) -> None:
    """A new user or group with the name of a deleted one is in none of its groups."""
    home.create("devs", "alice", "bob")
    home.create("staff", ":devs", "carol")

    assert home.site.request("DELETE", "/bob", auth=ROOT).status == 200
    again = home.site.add_user("bob")
    assert home.request("GET", "devs").result["members"] == ["alice"]
    assert home.site.request("GET", "/+api", auth=again).result["authstatus"][2] == []

    home.request("DELETE", "devs")
    home.create("devs", "alice")
    assert home.request("GET", "staff").result["members"] == ["carol"]
    assert home.groups_of("alice") == ["devs"]


class FailingPlugin:
    """A plugin that fails to forget a user."""

    @hookimpl
    def wheelgate_forget_principal(self, principal: str) -> None:
        """Fail."""
        raise RuntimeError(principal)


def test_a_failed_deletion_changes_nothing(serve: Serve) -> None:
    """If a plugin fails to forget a user, the user stays, with all groups."""
    home = with_users(serve(extra={"failing": FailingPlugin()}))
    home.create("devs", "bob")

    assert home.site.request("DELETE", "/bob", auth=ROOT).status == 500
    assert home.request("DELETE", "devs").status >= 500
    assert home.groups_of("bob") == ["devs"]


class GroupDirectory(GroupSource):
    """A group source that has a group of the same name."""

    name = "directory"

    def groups(self, username: str) -> frozenset[str]:
        """Return two groups for bob."""
        return frozenset({"devs", "far"} if username == "bob" else ())

    @hookimpl
    def wheelgate_group_sources(self) -> list[GroupSource]:
        """Provide this source."""
        return [self]


def test_local_groups_and_those_of_plugins(serve: Serve) -> None:
    """A user has the groups of both; groups of one name are one group."""
    home = with_users(serve(extra={"directory": GroupDirectory()}))
    home.create("devs", "alice")
    home.create("near", "bob")

    assert [home.groups_of(user) for user in ("alice", "bob")] == [["devs"], ["devs", "far", "near"]]


@dataclass
class EventRecorder:
    """Records events about groups."""

    events: list[tuple[str, str | None, str, dict[str, Any]]] = field(default_factory=list)

    @hookimpl
    def wheelgate_on_event(self, event: Event) -> None:
        """Record the event."""
        if event.name.startswith("Group"):
            self.events.append((event.name, event.actor, event.subject, dict(event.detail)))


def test_events(serve: Serve) -> None:
    """Events say who changed which group, and which members it gained and lost; without a change there is no event."""
    recorder = EventRecorder()
    home = with_users(serve(extra={"recorder": recorder}))
    home.create("devs", "alice")
    home.request("PATCH", "devs", ["members+=bob", "members-=alice", "title=Ours"])
    home.request("PATCH", "devs", ["members+=bob"])
    home.request("PATCH", "devs", ["members+=nobody"])
    home.request("DELETE", "devs")
    home.site.application.close()

    assert recorder.events == [
        ("GroupCreated", "root", "devs", {"members": ["alice"]}),
        ("GroupModified", "root", "devs", {"added": ["bob"], "removed": ["alice"], "title": "Ours"}),
        ("GroupDeleted", "root", "devs", {}),
    ]
