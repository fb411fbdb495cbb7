"""Random servers with private indices, and who may read which of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from tests.helpers.distributions import wheel
from tests.helpers.memory_indices import ShelvesPlugin, project
from tests.helpers.upload_forms import upload

from wheelgate import hookimpl
from wheelgate.providers import GroupSource
from wheelgate.testing.site import Response, Site

ROOT = ("root", "")
OWNERS, NAMES = ("alice", "bob"), ("dev", "prod")
PATHS = [f"{owner}/{name}" for owner in OWNERS for name in NAMES] + ["root/mirror"]
GROUPS = {"alice": {"makers"}, "carol": {"makers", "auditors"}}
CALLERS = [None, "alice", "bob", "carol", "ended"]
LISTS = [":ANONYMOUS:", ":AUTHENTICATED:", "alice", "bob", "carol", ":makers", ":auditors"]
DIST = wheel("demo", "1.0")


class Groups(GroupSource):
    """Knows who is in which group."""

    name = "fixed"

    def groups(self, username: str) -> frozenset[str]:
        """Look it up."""
        return frozenset(GROUPS.get(username, ()))

    @hookimpl
    def wheelgate_group_sources(self) -> list[GroupSource]:
        """Provide itself."""
        return [self]


@dataclass(frozen=True)
class Plan:
    """One index of a world."""

    path: str
    bases: tuple[str, ...]
    readers: tuple[str, ...] | None
    """None for everybody."""
    kind: str = "stage"


@st.composite
def worlds(draw: st.DrawFn) -> list[Plan]:
    """Draw indices, each with bases among those before it."""
    paths = draw(st.lists(st.sampled_from(PATHS), min_size=1, unique=True))
    plans: list[Plan] = []
    for path in sorted(paths, key=lambda path: path != "root/mirror"):
        readers = draw(st.none() | st.lists(st.sampled_from(LISTS), max_size=2, unique=True).map(tuple))
        if path == "root/mirror":
            plans.append(Plan(path, (), readers, "far"))
            continue
        before = [plan.path for plan in plans]
        bases = draw(st.lists(st.sampled_from(before), max_size=2, unique=True)) if before else []
        plans.append(Plan(path, tuple(bases), readers))
    return plans


def hidden_from(caller: str | None, world: list[Plan]) -> set[str]:
    """Return what a user may not read: indices that do not list the user, and those that inherit from them."""
    known = caller not in (None, "ended")
    names = {":ANONYMOUS:"} | ({str(caller), ":AUTHENTICATED:"} if known else set())
    names |= {f":{group}" for group in GROUPS.get(str(caller), ())}
    hidden: set[str] = set()
    for plan in world:
        owner = plan.path.partition("/")[0] == caller
        listed = plan.readers is None or owner or names & set(plan.readers)
        if not listed or hidden & set(plan.bases):
            hidden.add(plan.path)
    return hidden


class World:
    """A server that holds one world after the other."""

    def __init__(self, site: Site, plugin: ShelvesPlugin) -> None:
        self.site = site
        self._plugin = plugin
        # One private index is always there: whether a server has any at all is no secret.
        site.request("PUT", "/root/always", {"acl_read": []}, auth=ROOT)
        self._logins = {name: site.add_user(name) for name in ("alice", "bob", "carol")}
        self._logins["ended"] = site.login("bob", "correct horse")
        site.request("POST", "/+logout", auth=self._logins["ended"])

    def build(self, world: list[Plan]) -> None:
        """Make the indices, each with a file; the mirror has a later one of the same name."""
        self.tear_down(PATHS)
        for plan in world:
            config: dict[str, Any] = {"type": plan.kind}
            config |= {"bases": plan.bases, "acl_upload": ["root"]} if plan.kind == "stage" else {}
            config |= {} if plan.readers is None else {"acl_read": plan.readers}
            assert self.ask("root", "PUT", f"/{plan.path}", config).status == 200
            if plan.kind == "far":
                self._plugin.far.put(plan.path, "demo", project("demo", "demo-9.0.tar.gz"))
            else:
                assert upload(self.site, plan.path, DIST, ROOT).status == 200

    def tear_down(self, paths: list[str] | set[str]) -> None:
        """Delete indices, if they are there."""
        for path in paths:
            self.ask("root", "DELETE", f"/{path}")

    def auth(self, caller: str | None) -> tuple[str, str] | None:
        """Return the login of a user; None for anonymous."""
        return ROOT if caller == "root" else self._logins[caller] if caller is not None else None

    def ask(self, caller: str | None, method: str, path: str, body: Any = None, **headers: str) -> Response:
        """Send a request."""
        return self.site.request(method, path, body, auth=self.auth(caller), headers=headers)
