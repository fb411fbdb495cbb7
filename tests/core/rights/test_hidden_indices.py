"""Nothing reveals a private index: a server with it and a server without it look the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.helpers.distributions import wheel
from tests.helpers.memory_indices import ShelvesPlugin, project
from tests.helpers.upload_forms import address, encode, file_fields, upload

from wheelgate import hookimpl
from wheelgate.providers import GroupSource
from wheelgate.testing.site import Response, Site

ROOT = ("root", "")
OWNERS, NAMES = ("alice", "bob"), ("dev", "prod")
PATHS = [f"{owner}/{name}" for owner in OWNERS for name in NAMES] + ["root/mirror"]
GROUPS = {"alice": {"makers"}, "carol": {"makers", "auditors"}}
CALLERS = [None, "alice", "bob", "carol", "ended"]
LISTS = [":ANONYMOUS:", ":AUTHENTICATED:", "alice", "bob", "carol", ":makers", ":auditors"]
UNLIKE = ("x-devpi-serial", "x-request-id", "date")
"""Headers that differ between any two answers."""
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

    def ask(self, caller: str | None, method: str, path: str, body: Any = None, **headers: str) -> Response:
        """Send a request."""
        auth = ROOT if caller == "root" else self._logins[caller] if caller is not None else None
        return self.site.request(method, path, body, auth=auth, headers=headers)

    def seen(self, caller: str | None, closed: set[str]) -> dict[str, tuple[int, dict[str, str], bytes]]:
        """Return the responses to everything that a user might try; changes are tried on private indices only."""
        answers = {}
        for path in ("/", "/alice", "/bob", "/root", "/+api", "/alice/+api", "/+status", "/+openapi"):
            answers[path] = self.ask(caller, "GET", path)
        for path in [*PATHS, "alice/never", "root/always"]:
            for method, below, body, headers in READS:
                answers[f"{method} {path}{below} {headers}"] = self.ask(
                    caller, method, f"/{path}{below}", body, **headers
                )
            for below in ("", "/+simple/demo/", f"/{address(DIST)}"):
                answers[f"check {path}{below}"] = self.ask(
                    caller, "GET", "/+authcheck", **{"X-Original-URI": f"/{path}{below}"}
                )
        for path in closed:
            for method, below, body, headers in CHANGES:
                answers[f"{method} {path}{below} {body}"] = self.ask(caller, method, f"/{path}{below}", body, **headers)
            # An index that the user may not read can be neither a base nor a target.
            named = {"bases": [path, "alice/never"]}
            answers[f"base {path}"] = self.ask(caller, "PUT", f"/{caller}/new", named)
            push = {"name": "demo", "version": "1.0", "targetindex": path}
            answers[f"push to {path}"] = self.ask(caller, "PUSH", "/root/open", push)
        return {
            key: (each.status, {k: v for k, v in each.headers.items() if k.lower() not in UNLIKE}, each.content)
            for key, each in answers.items()
        }


FORM, FORM_HEADERS = encode(file_fields(DIST))
FILE = f"/{address(DIST)}"
READS: list[tuple[str, str, Any, dict[str, str]]] = [
    *(("GET", below, None, {}) for below in ("", "/", "/+api", "/+simple", "/+simple/", "/+simple/demo/")),
    *(("GET", below, None, {}) for below in ("/+simple/Demo", "/demo", "/Demo", "/demo/1.0", "/demo/2.0")),
    *(("GET", below, None, {}) for below in ("/+why/demo", "/+why/absent", "/+simple/absent/", "/+nothing")),
    *(("GET", below, None, {}) for below in (FILE, f"{FILE}.metadata", f"{FILE}.provenance", "/+e/x/demo-1.0.zip")),
    *(("HEAD", below, None, {}) for below in ("", "/+simple/demo/", FILE)),
    ("GET", "", None, {"User-Agent": "pip/26"}),
    ("GET", "/?no_projects=", None, {}),
    ("GET", "/demo?ignore_bases=", None, {}),
    ("GET", FILE, None, {"Accept": "application/json"}),
    ("GET", FILE, None, {"If-None-Match": f'"{DIST.sha256}"'}),
    ("GET", FILE, None, {"Range": "bytes=0-3"}),
    ("POST", "/+simple/demo/refresh", None, {}),
    ("PUT", "/demo", {}, {}),
]
CHANGES: list[tuple[str, str, Any, dict[str, str]]] = [
    ("PUT", "", {}, {}),
    ("PATCH", "", {"title": "mine"}, {}),
    ("PATCH", "", ["volatile=False"], {}),
    ("PATCH", "", {"nonsense": 1}, {}),
    ("DELETE", "", None, {}),
    ("POST", "/", FORM, FORM_HEADERS),
    ("POST", "/", b"no form", FORM_HEADERS),
    ("PUSH", "", {"name": "demo", "version": "1.0", "targetindex": "root/open"}, {}),
    ("PUSH", "", {"nonsense": 1}, {}),
    ("POST", FILE, {"outcome": "passed"}, {}),
    ("PATCH", "/demo", {"status": "archived"}, {}),
    ("PATCH", "/demo/1.0", {"yanked": True}, {}),
    ("PATCH", "/demo/1.0", {"yanked": "nonsense"}, {}),
    ("DELETE", "/demo", None, {}),
    ("DELETE", "/demo/1.0", None, {}),
    ("DELETE", FILE, None, {}),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a server for all examples."""
    plugin = ShelvesPlugin()
    with Site(tmp_path_factory.mktemp("worlds"), extra={"shelves": plugin, "fixed": Groups()}) as site:
        site.request("PUT", "/root/open", {"acl_upload": ["root"]}, auth=ROOT)
        yield World(site, plugin)


@pytest.mark.slow
@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
@given(plans=worlds(), caller=st.sampled_from(CALLERS))
def test_a_world_without_the_private_looks_the_same(world: World, plans: list[Plan], caller: str | None) -> None:
    """No listing, page, file, redirect or refusal differs between a server with private indices and without."""
    hidden = hidden_from(caller, plans)
    # Whose index stands on one that got closed is told so: it could never be mended otherwise.
    assume(hidden and not any(path.startswith(f"{caller}/") for path in hidden))
    world.build(plans)
    read = {plan.path for plan in plans if world.ask(caller, "GET", f"/{plan.path}").status == 200}
    assert read == {plan.path for plan in plans} - hidden

    before = world.seen(caller, hidden)
    world.tear_down(hidden)
    after = world.seen(caller, hidden)

    different = [key for key in before if before[key] != after[key]]
    assert different == [], (before[different[0]], after[different[0]])
