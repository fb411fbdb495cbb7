"""``devpi push`` to an index on the same server, and to an external one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.client.conftest import Devpi, FakeServer, Response

FLAGS = ["push-no-docs", "push-only-docs", "push-register-project"]
PYPIRC = """[distutils]
index-servers = other
[other]
repository = https://other.example/upload/
username = ann
password = 100%%secret
[bare]
repository = https://other.example/upload/
username = ann
[nowhere]
username = ann
[nourl]
repository = pypi
username = ann
"""
STEPS = [[200, "register", "abc", "1.0", "->", "bob/dev"], [200, "upload", "alice/dev/+f/abc-1.0.tar.gz", ""]]


def action_log(steps: list[list[Any]], status: int = 200) -> Response:
    """Return the response of a server to a push."""
    return Response({"result": steps, "type": "actionlog"}, status)


def sent(server: FakeServer) -> Any:
    """Return the body of the push request."""
    (request,) = [request for request in server.requests if request.method == "PUSH"]
    assert request.path == "/alice/dev"
    return request.json()


@pytest.mark.parametrize(
    ("options", "more"),
    [
        pytest.param([], {}, id="everything"),
        pytest.param(["--no-docs"], {"no_docs": True}, id="no documentation"),
        pytest.param(["--only-docs"], {"only_docs": True}, id="documentation"),
    ],
)
def test_a_release_is_pushed_to_another_index(
    devpi: Devpi, index: FakeServer, options: list[str], more: dict[str, bool]
) -> None:
    """The output shows each step of the server on a line."""
    index.serve_index(features=FLAGS)
    index.responses["/alice/dev"] = action_log(STEPS)

    outcome = devpi("push", "abc==1.0", "/bob/dev", *options).ok()

    assert outcome.out == "   200 register abc 1.0 -> bob/dev\n   200 upload alice/dev/+f/abc-1.0.tar.gz\n"
    assert sent(index) == {"name": "abc", "version": "1.0", "targetindex": "bob/dev", **more}


def test_the_deprecated_form_of_a_release_works(devpi: Devpi, index: FakeServer) -> None:
    """A line on standard error says that it is deprecated."""
    index.responses["/alice/dev"] = action_log(STEPS)

    outcome = devpi("push", "my-pkg-1.0", "bob/dev")

    assert outcome.code == 0
    assert outcome.err.startswith("Old style package specification is deprecated")
    assert (sent(index)["name"], sent(index)["version"]) == ("my-pkg", "1.0")


@pytest.mark.parametrize("option", [[], ["--pypirc", "mine"]], ids=["home", "option"])
def test_a_release_is_pushed_to_an_external_index(devpi: Devpi, index: FakeServer, option: list[str]) -> None:
    """The section of the file names URL and user; only the server gets the password."""
    (devpi.home / ("mine" if option else ".pypirc")).write_text(PYPIRC)
    index.serve_index(features=FLAGS)
    index.responses["/alice/dev"] = action_log([[410, "register", "abc", "1.0"], STEPS[1]])

    outcome = devpi("push", "abc==1.0", "pypi:other", "--register-project", *option).ok()

    assert outcome.out.splitlines()[1:] == ["   410 register abc 1.0", "   200 upload alice/dev/+f/abc-1.0.tar.gz"]
    assert "secret" not in outcome.out
    assert sent(index) == {
        "name": "abc",
        "version": "1.0",
        "posturl": "https://other.example/upload/",
        "username": "ann",
        "password": "100%%secret",
        "register_project": True,
    }


@pytest.mark.parametrize("status", [200, 502])
def test_a_failed_step_fails_the_push(devpi: Devpi, index: FakeServer, status: int) -> None:
    """It counts at every position, and all steps are shown."""
    (devpi.home / ".pypirc").write_text(PYPIRC)
    index.responses["/alice/dev"] = action_log([[403, "upload", "a.whl", "denied here"], STEPS[1]], status)

    outcome = devpi("push", "abc==1.0", "pypi:other").fails()

    assert outcome.out.splitlines()[1:] == ["   403 upload a.whl denied here", f"   200 upload {STEPS[1][2]}"]
    refusal = f"PUSH {index.url}/alice/dev\n502 Bad Gateway\n" if status == 502 else ""
    assert outcome.err == f"{refusal}Failure during upload\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(
            ["abc", "bob/dev"], "The release specification needs to be of this form: name==version", id="name"
        ),
        pytest.param(["abc>=1", "bob/dev"], "The release specification needs to be of this form: ", id="range"),
        pytest.param(["abc==1.*", "bob/dev"], "The release specification needs to be of this form: ", id="wildcard"),
        pytest.param(["abc==1", "bob"], "target 'bob' not of form USER/NAME or pypi:REPONAME", id="target"),
        pytest.param(["abc==1", "a/b/c"], "target 'a/b/c' not of form USER/NAME or pypi:REPONAME", id="long target"),
        pytest.param(
            ["abc==1", "pypi:x"], "{home}/.pypirc has no section 'x'; it has: other, bare, nowhere", id="section"
        ),
        pytest.param(["abc==1", "pypi:nowhere"], "section 'nowhere' of {home}/.pypirc needs a repository", id="no URL"),
        pytest.param(
            ["abc==1", "pypi:nourl"], "section 'nourl' of {home}/.pypirc: the repository 'pypi'", id="bad URL"
        ),
        pytest.param(["abc==1", "pypi:bare"], "no password given, and no terminal to ask for it", id="no password"),
        pytest.param(["abc==1", "pypi:x", "--pypirc", "no"], "no pypirc file found at: {home}/no", id="no file"),
        pytest.param(["abc==1", "pypi:x", "--pypirc", "bad"], "{home}/bad is damaged (", id="damaged"),
        pytest.param(
            ["abc==1", "bob/dev", "--no-docs"],
            "the server at {url}/ cannot do this (it lacks: push-no-docs)",
            id="old server",
        ),
        pytest.param(["abc==1", "bob/dev"], "PUSH {url}/alice/dev\n404 Not Found: nothing here", id="refused"),
    ],
)
def test_failed_pushes_are_reported(devpi: Devpi, index: FakeServer, arguments: list[str], complaint: str) -> None:
    """No password is shown."""
    (devpi.home / ".pypirc").write_text(PYPIRC)
    (devpi.home / "bad").write_text("password = secret")

    outcome = devpi("push", *arguments).fails()

    assert outcome.err.startswith(complaint.format(home=devpi.home, url=index.url))
    assert "secret" not in outcome.err


def test_options_for_external_indices_need_one(devpi: Devpi, index: FakeServer) -> None:
    """The command line is wrong: exit code 2."""
    assert devpi("push", "abc==1", "bob/dev", "--register-project").fails(2).err.startswith("devpi push: error: ")
