"""``devpi remove``: projects, versions and files, never without an answer."""

from __future__ import annotations

import pytest
from tests.client.conftest import Devpi, FakeServer, Response

DONE = Response({"message": "deleted"})
RELEASES = {
    version: {
        "+links": [
            {"rel": "releasefile", "href": f"http://files.example/abc-{version}.tar.gz"},
            {"rel": "doczip", "href": f"http://files.example/abc-{version}.doc.zip"},
            {"rel": "toxresult", "href": f"http://files.example/abc-{version}.json"},
        ]
    }
    for version in ("1.10", "1.0", "1.2")
}


@pytest.fixture
def abc(index: FakeServer) -> FakeServer:
    """Put a project with three versions on the index."""
    index.respond("/alice/dev/abc/?ignore_bases=", "projectconfig", RELEASES)
    return index


def shown(*versions: str) -> list[str]:
    """Return the lines that announce the removal."""
    lines = ["About to remove the following releases and distributions"]
    for version in versions:
        lines += [f"version: {version}", *(f"  - http://files.example/abc-{version}.{end}" for end in ENDS)]
    return lines


ENDS = ("doc.zip", "tar.gz")
YES = "Are you sure (yes/no)? yes (autoset from -y option)"


def removed(server: FakeServer) -> list[str]:
    """Return the deleted paths."""
    return [request.path for request in server.requests if request.method == "DELETE"]


@pytest.mark.parametrize(
    ("spec", "versions", "paths"),
    [
        pytest.param("ABC", ["1.0", "1.2", "1.10"], ["/alice/dev/abc"], id="project"),
        pytest.param("abc==1.2", ["1.2"], ["/alice/dev/abc/1.2"], id="version"),
        pytest.param("abc<1.5", ["1.0", "1.2"], ["/alice/dev/abc/1.0", "/alice/dev/abc/1.2"], id="versions"),
    ],
)
@pytest.mark.parametrize("force", [[], ["-f"]], ids=["volatile", "forced"])
def test_files_are_shown_before_removal(
    devpi: Devpi, abc: FakeServer, spec: str, versions: list[str], paths: list[str], force: list[str]
) -> None:
    """Versions are removed one by one, a project as a whole; ``-f`` is passed on."""
    query = "?force=" if force else ""
    for path in paths:
        abc.responses[path + query] = DONE

    lines = devpi("remove", "-y", *force, spec).ok().out.splitlines()

    name = spec.partition("=")[0].partition("<")[0]
    deleting = [f"deleting release {version} of {name}" for version in versions] if name != spec else []
    assert lines == [*shown(*versions), YES, *deleting]
    assert removed(abc) == [path + query for path in paths]


def test_a_file_is_removed_by_its_url(devpi: Devpi, index: FakeServer) -> None:
    """The hash at the end of listed URLs is not part of the request."""
    index.responses["/alice/dev/+f/abc-1.0.tar.gz"] = DONE
    url = f"{index.url}/alice/dev/+f/abc-1.0.tar.gz"

    outcome = devpi("remove", "-y", f"{url}#sha256=abc").ok()

    assert outcome.out.splitlines() == ["About to remove the following file:", url, YES]
    assert removed(index) == ["/alice/dev/+f/abc-1.0.tar.gz"]


@pytest.mark.parametrize("spec", ["abc", "abc==1.0", "{url}/alice/dev/+f/abc"], ids=["project", "version", "file"])
def test_no_means_no(devpi: Devpi, abc: FakeServer, spec: str) -> None:
    """The exit code is 0, because the command did what the user said."""
    abc.responses["/alice/dev/+f/abc"] = Response(b"abc")

    outcome = devpi("remove", spec.format(url=abc.url), stdin="no\n").ok()

    assert outcome.out.endswith("not deleting anything\n")
    assert removed(abc) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["abc==9"], "No releases or distributions found matching 'abc==9'.\n", id="no version"),
        pytest.param(["nope"], "GET {url}/alice/dev/nope/?ignore_bases=\n404 Not Found: nothing here\n", id="project"),
        pytest.param(["abc==1.0"], "DELETE {url}/alice/dev/abc/1.0\n403 Forbidden: not volatile\n", id="refused"),
        pytest.param(["http://u:secret@h/f"], "the URL carries a password: ", id="password"),
    ],
)
def test_failed_removals_are_reported(devpi: Devpi, abc: FakeServer, arguments: list[str], complaint: str) -> None:
    """The exit code is 1."""
    abc.responses["/alice/dev/abc/1.0"] = Response({"message": "not volatile"}, 403)

    assert devpi("remove", "-y", *arguments).fails().err.startswith(complaint.format(url=abc.url))


def test_nothing_is_removed_without_confirmation(devpi: Devpi, abc: FakeServer) -> None:
    """A script without ``-y`` removes nothing."""
    assert devpi("remove", "abc").fails().err.startswith("nothing was changed: ")
    assert removed(abc) == []
