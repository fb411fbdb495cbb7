"""Nothing reveals a private index: a server with it and a server without it look the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.helpers.memory_indices import ShelvesPlugin
from tests.helpers.private_worlds import CALLERS, DIST, PATHS, ROOT, Groups, Plan, World, hidden_from, worlds
from tests.helpers.upload_forms import address, encode, file_fields

from wheelgate.testing.site import Site

UNLIKE = ("x-devpi-serial", "x-request-id", "date")
"""Headers that differ between any two answers."""


def seen(world: World, caller: str | None, closed: set[str]) -> dict[str, tuple[int, dict[str, str], bytes]]:
    """Return the responses to everything that a user might try; changes are tried on private indices only."""
    answers = {}
    for path in ("/", "/alice", "/bob", "/root", "/+api", "/alice/+api", "/+status", "/+openapi"):
        answers[path] = world.ask(caller, "GET", path)
    for path in [*PATHS, "alice/never", "root/always"]:
        for method, below, body, headers in READS:
            answers[f"{method} {path}{below} {headers}"] = world.ask(caller, method, f"/{path}{below}", body, **headers)
        for below in ("", "/+simple/demo/", f"/{address(DIST)}"):
            answers[f"check {path}{below}"] = world.ask(
                caller, "GET", "/+authcheck", **{"X-Original-URI": f"/{path}{below}"}
            )
    for path in closed:
        for method, below, body, headers in CHANGES:
            answers[f"{method} {path}{below} {body}"] = world.ask(caller, method, f"/{path}{below}", body, **headers)
        # An index that the user may not read can be neither a base nor a target.
        named = {"bases": [path, "alice/never"]}
        answers[f"base {path}"] = world.ask(caller, "PUT", f"/{caller}/new", named)
        push = {"name": "demo", "version": "1.0", "targetindex": path}
        answers[f"push to {path}"] = world.ask(caller, "PUSH", "/root/open", push)
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

    before = seen(world, caller, hidden)
    world.tear_down(hidden)
    after = seen(world, caller, hidden)

    different = [key for key in before if before[key] != after[key]]
    assert different == [], (before[different[0]], after[different[0]])
