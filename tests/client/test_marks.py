"""``devpi yank``, ``devpi why`` and ``devpi refresh``."""

from __future__ import annotations

from typing import Any

import pytest
from tests.client.conftest import Devpi, FakeServer, Response

DONE = Response({"message": "done"})


@pytest.mark.parametrize(
    ("arguments", "line", "body"),
    [
        pytest.param([], "yanked A.b 1.0", {"yanked": True}, id="yank"),
        pytest.param(["--reason", "broken"], "yanked A.b 1.0", {"yanked": True, "reason": "broken"}, id="reason"),
        pytest.param(["--undo"], "un-yanked A.b 1.0", {"yanked": False}, id="undo"),
    ],
)
def test_a_version_is_yanked(
    devpi: Devpi, index: FakeServer, arguments: list[str], line: str, body: dict[str, Any]
) -> None:
    """``--undo`` makes it available again."""
    index.serve_index(features=["yank"])
    index.responses["/alice/dev/a-b/1.0"] = DONE

    assert devpi("yank", "A.b==1.0", *arguments).ok().out == f"{line}\n"
    assert (index.requests[-1].method, index.requests[-1].json()) == ("PATCH", body)


def test_a_reason_belongs_to_a_yank(devpi: Devpi, index: FakeServer) -> None:
    """The command line is wrong: exit code 2."""
    outcome = devpi("yank", "a==1", "--undo", "--reason", "x").fails(2)

    assert outcome.err == "devpi yank: error: --undo takes no --reason\n"


@pytest.mark.parametrize("command", [["yank", "a==1"], ["why", "a"]], ids=["yank", "why"])
def test_an_unsupported_feature_is_reported(devpi: Devpi, index: FakeServer, command: list[str]) -> None:
    """The incumbent's server supports neither."""
    outcome = devpi(*command).fails()

    expected = f"the server at {index.url}/ cannot do this (it lacks: {command[0]}); nothing was changed\n"
    assert outcome.err == expected


WHY = {
    "project": "abc",
    "served_from": ["alice/dev"],
    "indices": [
        {
            "index": "alice/dev",
            "type": "stage",
            "state": "served",
            "versions": ["1.0", "1.1"],
            "files": 2,
            "reason": "",
        },
        {"index": "root/pypi", "type": "mirror", "state": "hidden", "versions": [], "files": 0, "reason": "Not in it."},
        "nonsense",
    ],
}


def test_why_shows_the_source_of_a_project(devpi: Devpi, index: FakeServer) -> None:
    """The indices are listed in order of lookup, with hidden files and the reason."""
    index.serve_index(features=["why"])
    index.respond("/alice/dev/+why/abc", "why", WHY)

    assert devpi("why", "abc").ok().out.splitlines() == [
        "abc comes from alice/dev",
        "alice/dev (stage): served",
        "    files: 2, versions: 1.0 1.1",
        "root/pypi (mirror): hidden",
        "    Not in it.",
    ]


def test_why_fails_for_an_unknown_project(devpi: Devpi, index: FakeServer) -> None:
    """Scripts can use the exit code."""
    index.serve_index(features=["why"])
    index.respond("/alice/dev/+why/abc", "why", {"project": "abc", "served_from": [], "indices": []})

    outcome = devpi("why", "abc")

    assert (outcome.code, outcome.out) == (1, "abc is on none of these indices\n")


@pytest.mark.parametrize(
    "answer", [DONE, Response(b"", 302, {"Location": "/alice/dev/+simple/a-b/"})], ids=["200", "302"]
)
def test_a_project_is_refreshed(devpi: Devpi, index: FakeServer, answer: Response) -> None:
    """A server may respond directly, or redirect to the page of the project."""
    index.responses["/alice/dev/+simple/a-b/refresh"] = answer
    index.responses["/alice/dev/+simple/a-b/"] = Response(b"<html>", headers={"Content-Type": "text/html"})

    assert devpi("refresh", "A_b").ok().out == "Refreshed A_b\n"


def test_a_failed_refresh_fails_the_command(devpi: Devpi, index: FakeServer) -> None:
    """The other projects are refreshed all the same."""
    index.responses["/alice/dev/+simple/a/refresh"] = DONE
    index.responses["/alice/dev/+simple/gone/refresh"] = Response(b"", 302, {"Location": "/alice/dev/+simple/gone/"})
    away = Response(b"", 302, {"Location": "http://elsewhere.example/"})
    index.responses["/alice/dev/+simple/away/refresh"] = away

    outcome = devpi("refresh", "gone", "a").fails()

    where = f"{index.url}/alice/dev/+simple/gone/refresh"
    assert outcome.out == "Refreshed a\n"
    assert outcome.err == f"Couldn't refresh gone via {where}: 404 Not Found: nothing here\n"
    assert "redirects to another server" in devpi("refresh", "away").fails().err
