"""Events of uploads, pushes and deletions: sent after the commit, and not for refused requests."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.test_events import Listener, heard
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, submit, upload

OLD, NEW = wheel("My.Pkg", "1.0"), wheel("my-pkg", "2.0")
DEV = "/alice/dev"
PATH = address(OLD)
NAMED = {"project": "my-pkg", "version": "1.0"}

STEPS = [
    pytest.param(
        "PUSH",
        DEV,
        {"name": "my-pkg", "version": "1.0", "targetindex": "alice/prod"},
        ("ReleasePushed", {"project": "My.Pkg", "version": "1.0", "target": "alice/prod"}),
        id="push",
    ),
    pytest.param("PUSH", DEV, {"name": "my-pkg", "version": "9", "targetindex": "alice/prod"}, None, id="refused push"),
    pytest.param(
        "PATCH",
        f"{DEV}/my-pkg/1.0",
        {"yanked": True, "reason": "x"},
        ("ReleaseYanked", {**NAMED, "reason": "x"}),
        id="yank",
    ),
    pytest.param("PATCH", f"{DEV}/my-pkg/1.0", {"yanked": False}, ("ReleaseUnyanked", NAMED), id="yank taken back"),
    pytest.param(
        "PATCH",
        f"{DEV}/my-pkg",
        {"status": "archived"},
        ("ProjectStatusChanged", {"project": "my-pkg", "status": "archived", "reason": ""}),
        id="status",
    ),
    pytest.param("DELETE", f"{DEV}/My.Pkg", None, ("ProjectDeleted", {"project": "my-pkg"}), id="delete project"),
    pytest.param("DELETE", f"{DEV}/my-pkg/1.0", None, ("VersionDeleted", NAMED), id="delete version"),
    pytest.param(
        "DELETE", f"{DEV}/{PATH}", None, ("FileDeleted", {"project": "my-pkg", "path": PATH}), id="delete file"
    ),
    pytest.param("DELETE", f"{DEV}/nope", None, None, id="refused deletion"),
]


@pytest.mark.parametrize(("method", "path", "body", "event"), STEPS)
def test_each_change_is_one_event(
    serve: Serve, method: str, path: str, body: Any, event: tuple[str, dict[str, Any]] | None
) -> None:
    """A change sends one event with its details; a refused request sends none."""
    listener = Listener()
    site = serve(extra={"listener": listener})
    alice = site.add_user("alice")
    for index in ("dev", "prod"):
        site.request("PUT", f"/alice/{index}", {}, auth=alice)
    upload(site, "alice/dev", OLD, alice)

    site.request(method, path, body, auth=alice)

    events = heard(serve, listener)[4:]
    assert events[0] == ("FileUploaded", "alice", "alice/dev", {"project": "my-pkg", "version": "1.0", "path": PATH})
    assert events[1:] == ([] if event is None else [(event[0], "alice", "alice/dev", event[1])])


def test_uploads_are_events(serve: Serve) -> None:
    """A file, a version without a file and a test result send events; refused uploads do not."""
    listener = Listener()
    site = serve(extra={"listener": listener})
    alice = site.add_user("alice")
    site.request("PUT", DEV, {}, auth=alice)

    upload(site, "alice/dev", OLD, None)
    upload(site, "alice/dev", NEW, alice, sha256_digest="0" * 64)
    submit(site, "alice/dev", alice, **{":action": "submit"}, name="my-pkg", version="3.0")
    upload(site, "alice/dev", OLD, alice)
    result = site.request("POST", f"{DEV}/{PATH}", {}).result

    events = heard(serve, listener)[3:]
    assert [(name, actor) for name, actor, *_ in events] == [
        ("ReleaseRegistered", "alice"),
        ("FileUploaded", "alice"),
        ("TestResultUploaded", None),
    ]
    assert events[0][3] == {"project": "my-pkg", "version": "3.0"}
    assert events[2][3] == {"project": "my-pkg", "path": PATH, "result": result.removeprefix("alice/dev/")}
