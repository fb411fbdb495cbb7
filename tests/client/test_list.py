"""``devpi list``: projects, files, and test results."""

from __future__ import annotations

from typing import Any

import pytest
from tests.client.conftest import Devpi, FakeServer, Response

VERSIONS = ["0.1", "1.0", "1.2", "1.10", "2.0rc1", "odd-one"]
NEWEST_FIRST = ["2.0rc1", "1.10", "1.2", "1.0", "0.1", "odd-one"]


def link(name: str, rel: str = "releasefile", **more: object) -> dict[str, Any]:
    """Return a link in the format of servers."""
    return {"rel": rel, "href": f"http://files.example/{name}", "hash_spec": "", "log": [], **more}


def release(version: str, *links: dict[str, Any], **more: object) -> dict[str, Any]:
    """Return the data of a version with a wheel, an sdist and documentation."""
    names = (f"abc-{version}.tar.gz", f"abc-{version}-py3-none-any.whl")
    docs = link(f"abc-{version}.doc.zip", "doczip")
    return {"name": "abc", "version": version, "+links": [*map(link, names), docs, *links], **more}


def files(*versions: str) -> list[str]:
    """Return the lines for these versions."""
    ends = ("-py3-none-any.whl", ".tar.gz")
    return [f"http://files.example/abc-{version}{end}" for version in versions for end in ends]


@pytest.fixture
def abc(index: FakeServer) -> FakeServer:
    """Put a project with six versions on the index."""
    index.respond("/alice/dev/abc/", "projectconfig", {version: release(version) for version in VERSIONS})
    return index


def test_projects_are_listed_by_name(devpi: Devpi, index: FakeServer) -> None:
    """One line each, sorted by name."""
    index.respond("/alice/dev", "indexconfig", {"projects": ["b", "a"]})

    assert devpi("list").ok().out == "a\nb\n"


def test_projects_are_listed_with_their_newest_version(devpi: Devpi, abc: FakeServer) -> None:
    """``-v`` sends a request for each; a registered project may have no release."""
    abc.respond("/alice/dev", "indexconfig", {"projects": ["empty", "abc"]})
    abc.respond("/alice/dev/empty/", "projectconfig", {})

    assert devpi("list", "-v").ok().out == "abc==2.0rc1\nempty==(no release)\n"


def test_all_versions_of_all_projects_are_listed(devpi: Devpi, abc: FakeServer) -> None:
    """``-v --all`` shows every version, the newest first."""
    abc.respond("/alice/dev", "indexconfig", {"projects": ["empty", "abc"]})
    abc.respond("/alice/dev/empty/", "projectconfig", {})

    shown = devpi("list", "-v", "--all").ok().out.splitlines()

    assert shown == [*(f"abc=={version}" for version in NEWEST_FIRST), "empty==(no release)"]


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        pytest.param(
            ["abc"], [*files(*NEWEST_FIRST[:3]), "3 older versions not shown, use --all to see"], id="newest three"
        ),
        pytest.param(["--all", "abc"], files(*NEWEST_FIRST), id="all"),
        pytest.param(["abc>=1.2"], files("2.0rc1", "1.10", "1.2"), id="from a version on"),
        pytest.param(["abc==1.0"], files("1.0"), id="one version"),
        pytest.param(["ABC === odd-one"], files("odd-one"), id="one that follows no rules"),
    ],
)
def test_files_are_listed_newest_version_first(
    devpi: Devpi, abc: FakeServer, arguments: list[str], lines: list[str]
) -> None:
    """Versions are sorted as versions, not as text; documentation is not listed."""
    assert devpi("list", *arguments).ok().out.splitlines() == lines


def test_a_hidden_file_is_listed_below(devpi: Devpi, index: FakeServer) -> None:
    """Hidden files of the same version on a base are listed; ``--ignore-bases`` leaves them out."""
    below = {"+links": [link("base/abc-1.0.tar.gz"), link("base/abc-1.0.doc.zip", "doczip")]}
    index.respond("/alice/dev/abc/", "projectconfig", {"1.0": release("1.0", **{"+shadowing": [below]})})
    index.respond("/alice/dev/abc/?ignore_bases=", "projectconfig", {"1.0": release("1.0")})

    assert devpi("list", "abc").ok().out.splitlines() == [*files("1.0"), "http://files.example/base/abc-1.0.tar.gz"]
    assert devpi("list", "--ignore-bases", "abc").ok().out.splitlines() == files("1.0")


RESULT = {
    "host": "build1",
    "platform": "linux",
    "testenvs": {
        "py311": {
            "python": {"version": "3.11.7 (main)"},
            "setup": [{"retcode": 0, "command": ["pip"], "output": ""}],
            "test": [{"retcode": 0}, {"retcode": 1, "command": ["pytest", "-q"], "output": "1 failed\n2 passed"}],
        },
        "py312": {"test": [{"retcode": 0}], "setup": []},
        "bad": "what?",
    },
}


@pytest.mark.parametrize(
    ("option", "details"),
    [("-t", []), ("-f", ["    pytest,-q", "    1 failed", "    2 passed"])],
)
def test_test_results_are_listed_below_their_file(
    devpi: Devpi, index: FakeServer, option: str, details: list[str]
) -> None:
    """There is one line for each environment; ``-f`` adds the output of failures."""
    wheel = "http://files.example/abc-1.0-py3-none-any.whl"
    result = link("r", "toxresult", for_href=wheel) | {"href": f"{index.url}/alice/dev/+f/r"}
    index.respond("/alice/dev/abc/", "projectconfig", {"1.0": release("1.0", result)})
    index.responses["/alice/dev/+f/r"] = Response(RESULT)

    assert devpi("list", option, "abc").ok().out.splitlines() == [
        wheel,
        "build1     linux   py311      3.11.7 tests failed",
        *details,
        "build1     linux   py312 no setup was performed",
        "build1     linux   py312 tests passed",
        "http://files.example/abc-1.0.tar.gz",
    ]
    assert index.requests[-1].headers["Accept"] == "*/*"


def test_an_invalid_result_is_reported(devpi: Devpi, index: FakeServer) -> None:
    """The stored result may be anything."""
    wheel = "http://files.example/abc-1.0-py3-none-any.whl"
    result = link("r", "toxresult", for_href=wheel) | {"href": f"{index.url}/alice/dev/+f/r"}
    index.respond("/alice/dev/abc/", "projectconfig", {"1.0": release("1.0", result)})
    index.responses["/alice/dev/+f/r"] = Response(b"half a resul")

    assert devpi("list", "-t", "abc").fails().err.startswith(f"'{index.url}/alice/dev/+f/r' is not an index server: ")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["nope"], "GET {url}/alice/dev/nope/\n404 Not Found: nothing here\n", id="no project"),
        pytest.param(["abc=>1"], "'abc=>1' is not a project or a range of its versions: ", id="no spec"),
        pytest.param(
            ["abc@http://x.example/"], "'abc@http://x.example/' is not a project or a range of its versions: ", id="URL"
        ),
        pytest.param(["--index", "a/b/c"], "'a/b/c' is not the name of a user or an index: ", id="no index"),
        pytest.param(["--index", "http://u:secret@h/a/b"], "the URL carries a password: ", id="password"),
    ],
)
def test_failed_listings_are_reported(devpi: Devpi, index: FakeServer, arguments: list[str], complaint: str) -> None:
    """The exit code is 1."""
    outcome = devpi("list", *arguments).fails()

    assert outcome.err.startswith(complaint.format(url=index.url))
    assert "secret" not in outcome.err


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"1.0": None}, id="no version data"),
        pytest.param({"1.0": {"+links": None, "+shadowing": 5}}, id="no links"),
        pytest.param({"1.0": {"+links": [None, {}, {"href": 5}], "+shadowing": [None]}}, id="odd links"),
    ],
)
def test_invalid_data_from_a_server_is_no_traceback(devpi: Devpi, index: FakeServer, data: dict[str, Any]) -> None:
    """Invalid values are not shown."""
    index.respond("/alice/dev/abc/", "projectconfig", data)

    listed = devpi("list", "abc")

    assert (listed.code, listed.out) == (0, "")


def test_no_matching_version_is_noted(devpi: Devpi, abc: FakeServer) -> None:
    """The list is empty, and standard error says why."""
    listed = devpi("list", "abc>=3")

    assert (listed.code, listed.out) == (0, "")
    assert listed.err == f"{abc.url}/alice/dev has no files that match 'abc>=3'\n"


def test_a_missing_list_of_projects_is_reported(devpi: Devpi, index: FakeServer) -> None:
    """A missing list is not an empty index."""
    index.respond("/alice/dev", "indexconfig", {})

    assert devpi("list").fails().err.startswith(f"'{index.url}/alice/dev' is not an index server: ")
