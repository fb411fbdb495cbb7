"""Large bodies are read in threads, so that the event loop goes on to answer other requests."""

from __future__ import annotations

import json

import pytest
from tests.helpers.loop_steps import MAX_STEPS_ON_LOOP, steps_on_loop

from wheelgate.testing.site import Site

ROOT = ("root", "")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


PUSH = json.dumps({"name": "demo", "version": "1.0", "unknown": [[]] * 60_000}).encode()
REGISTRATION = (
    b":action=submit&name=demo&version=1.0" + b"&classifiers=%41%42" * 1500 + b"&description=" + b"%41" * 300_000
)


@pytest.mark.parametrize(
    ("method", "headers", "body", "status"),
    [("PUSH", {}, PUSH, 400), ("POST", FORM, PUSH, 400), ("POST", FORM, REGISTRATION, 200)],
    ids=["JSON", "JSON that is called a form", "a form without a file"],
)
def test_large_bodies_are_read_in_a_thread(
    site: Site, method: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    """The event loop does not decode a large body itself, in whatever form it is sent."""
    assert site.request("PUT", "/root/dev", {}, auth=ROOT).status == 200

    steps, answer = steps_on_loop(lambda: site.request(method, "/root/dev", body, auth=ROOT, headers=headers))

    assert answer.status == status
    assert steps < MAX_STEPS_ON_LOOP


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("path", ["/root/dev", "/nobody/dev", "/nobody", "/+nothing"])
def test_a_long_content_type_costs_no_steps(shared: Site, path: str, kind: str) -> None:
    """A Content-Type with thousands of semicolons is not parsed further than its media type."""
    steps = [
        steps_on_loop(lambda more=more: shared.request("POST", path, b"", headers={"Content-Type": f"{kind}{more}"}))[0]  # type: ignore[misc]
        for more in ("", "", ';"' + ";" * 8000)
    ]

    assert steps[2] < steps[1] + 500
