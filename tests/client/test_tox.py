"""``devpi test``: the real tox tests a release, and the index gets the result."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.client.conftest import Devpi, FakeServer, Response
from tests.helpers import distributions
from tests.helpers.tool_cache import SHARED_PIP

pytestmark = pytest.mark.slow

INI = """[testenv]
commands = python -c "import xyz, os, sys; os.stat('PKG-INFO'); print(os.environ['PIP_INDEX_URL']); sys.exit({code})"
"""
WHEEL = distributions.wheel("xyz", "1.0")
UPLOADED = Response({"result": "alice/dev/+f/result", "type": "toxresultpath"})


def sdist(code: int = 0, name: str = "tox.ini", content: str = INI) -> distributions.Distribution:
    """Make an sdist whose tests end with this exit code; ``name`` is the file with the configuration of tox."""
    more = {f"xyz-1.0/{name}": content.replace("{code}", str(code)).encode()} if name else {}
    return distributions.sdist("xyz", "1.0", more=more)


def release(index: FakeServer, *files: distributions.Distribution, **hashes: str) -> None:
    """Put files on the index as release 1.0; ``hashes`` replace the right ones."""
    links = []
    for file in files:
        path = f"/alice/dev/f/{file.filename}"
        index.responses[path] = Response(file.content, headers={"Content-Type": "application/octet-stream"})
        index.responses[f"POST {path}"] = UPLOADED
        links.append({"rel": "releasefile", "href": index.url + path, "hashes": hashes or {"sha256": file.sha256}})
    index.respond("/alice/dev/xyz/", "projectconfig", {"1.0": {"+links": links}, "2.0": {}})


@pytest.fixture(autouse=True)
def _tox(monkeypatch: pytest.MonkeyPatch, devpi: Devpi) -> None:
    """Put tox in PATH, and keep the developer's settings from pip."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    for name, value in {"PIP_CONFIG_FILE": os.devnull, **SHARED_PIP}.items():
        monkeypatch.setenv(name, value)


def results(index: FakeServer) -> dict[str, Any]:
    """Return the posted results by the tested file."""
    posts = [request for request in index.requests if request.method == "POST"]
    return {request.path.rpartition("/")[2]: request.json() for request in posts}


@pytest.mark.parametrize(
    ("code", "options", "tested"),
    [
        pytest.param(0, [], [WHEEL.filename, sdist().filename], id="both"),
        pytest.param(1, ["-s", "whl"], [WHEEL.filename], id="wheel that fails"),
    ],
)
def test_a_release_is_tested(devpi: Devpi, index: FakeServer, code: int, options: list[str], tested: list[str]) -> None:
    """The tests come from the sdist; the index gets a result for each file, also for a failure, without the login."""
    release(index, sdist(code), WHEEL)

    outcome = devpi("test", *options, "xyz")

    assert (outcome.code, outcome.err) == (code, "")
    assert sorted(results(index)) == tested
    for result in results(index).values():
        (command,) = result["testenvs"]["py"]["test"]
        assert command["retcode"] == code
        assert f"http://alice:****@127.0.0.1:{index.server.server_port}/alice/dev/+simple/" in command["output"]
        assert "a-token" not in str(result)
    assert "a-token" not in outcome.out
    assert outcome.out.count("posting tox result data to ") == outcome.out.count("success\n") == len(tested)


@pytest.mark.parametrize(
    ("arguments", "tested"),
    [
        pytest.param([], [WHEEL.filename, "xyz-1.0.tar.gz"], id="default"),
        pytest.param(["-s", "gz"], ["xyz-1.0.tar.gz"], id="sdist"),
        pytest.param(["-s", "win32"], ["xyz-1.0-cp27-cp27m-win32.whl"], id="wheel of another system"),
    ],
)
def test_list_shows_the_files_to_test(devpi: Devpi, index: FakeServer, arguments: list[str], tested: list[str]) -> None:
    """Nothing is downloaded."""
    release(index, sdist(), WHEEL, distributions.wheel("xyz", "1.0", tag="cp27-cp27m-win32"))

    outcome = devpi("test", "--list", *arguments, "xyz<2").ok()

    links = [f"   {index.url}/alice/dev/f/{name}" for name in sorted(tested)]
    assert outcome.out.splitlines() == ["would test:", *links]
    assert not [request for request in index.requests if "/f/" in request.path]


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        pytest.param("setup.cfg", INI.replace("[testenv]", "[tox:tox]\n[testenv]"), [], id="setup.cfg"),
        pytest.param("conf/tox.ini", INI, ["-c", "conf/tox.ini"], id="option"),
        pytest.param("", "", ["--fallback-ini", "mine.ini"], id="fallback"),
        pytest.param("tox.ini", INI + "[testenv:other]\n", ["-e", "other", "--tox-args", "-q --"], id="environment"),
    ],
)
def test_the_configuration_of_tox_can_be_elsewhere(
    devpi: Devpi, index: FakeServer, name: str, content: str, options: list[str]
) -> None:
    """The configuration may be in the package, or in a file of the user."""
    (devpi.home / "mine.ini").write_text(INI.format(code=0))
    release(index, sdist(0, name, content), WHEEL)

    devpi("test", "-s", "whl", "--no-upload", *options, "xyz").ok()

    assert not results(index)


@pytest.mark.parametrize(
    ("arguments", "files", "complaint"),
    [
        pytest.param(["xyz"], [sdist(name="")], "the package has no tox.ini: ", id="no configuration"),
        pytest.param(["xyz"], [WHEEL], "version 1.0 has no sdist, ", id="no sdist"),
        pytest.param(["-s", "egg", "xyz"], [WHEEL], "could not find release files for xyz", id="no file"),
        pytest.param(["xyz==3"], [WHEEL], "could not find release files for xyz==3", id="no version"),
        pytest.param(["-s", "(", "xyz"], [WHEEL], "'(' is not a regular expression: ", id="no selector"),
        pytest.param(
            ["xyz"], [sdist(name="setup.cfg", content="[")], "the configuration of the package ", id="setup.cfg"
        ),
        pytest.param(["--fallback-ini", "no.ini", "xyz"], [sdist(name="")], "cannot read no.ini: ", id="no fallback"),
        pytest.param(["nope"], [], "GET {url}/alice/dev/nope/\n404 Not Found: nothing here", id="no project"),
    ],
)
def test_impossible_tests_are_reported(
    devpi: Devpi, index: FakeServer, arguments: list[str], files: list[distributions.Distribution], complaint: str
) -> None:
    """The exit code is 1, and no result is posted."""
    release(index, *files)

    assert devpi("test", *arguments).fails().err.startswith(complaint.format(url=index.url))
    assert not results(index)


def test_a_run_without_a_report_is_reported(devpi: Devpi, index: FakeServer) -> None:
    """The run may stop before tox tests anything."""
    release(index, sdist(), WHEEL)

    assert devpi("test", "--tox-args=--version", "xyz").fails().err == "tox wrote no report, so nothing was posted\n"


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        pytest.param(Response({"message": "deleted"}, 410), "GET {file}\n410 Gone: deleted", id="gone"),
        pytest.param(
            Response(b"", 302, {"Location": "http://elsewhere.example/"}), "'{file}' redirects to another", id="away"
        ),
        pytest.param(
            Response(b"", 302, {"Location": "/alice/dev/f/xyz-1.0.tar.gz"}),
            "'{file}' redirects more than 5 times",
            id="loop",
        ),
    ],
)
def test_a_failed_download_is_reported(devpi: Devpi, index: FakeServer, answer: Response, complaint: str) -> None:
    """The client does not ask another server for the file."""
    release(index, sdist())
    index.responses["/alice/dev/f/xyz-1.0.tar.gz"] = answer

    outcome = devpi("test", "xyz").fails()

    assert outcome.err.startswith(complaint.format(file=f"{index.url}/alice/dev/f/xyz-1.0.tar.gz"))


EVIL = distributions.sdist("xyz", "1.0", more={"../evil.txt": b""})
TWO = distributions.sdist("xyz", "1.0", more={"second/x.txt": b""})
CUT = distributions.Distribution("xyz-1.0.tar.gz", sdist().content[:200], b"", "xyz", "1.0")


@pytest.mark.parametrize(
    ("file", "hashes", "complaint"),
    [
        pytest.param(sdist(), {"sha256": "0" * 64}, "{url} is not the file that the index lists: ", id="hash"),
        pytest.param(EVIL, {}, "xyz-1.0.tar.gz cannot be unpacked: ", id="path that leads out"),
        pytest.param(CUT, {}, "xyz-1.0.tar.gz cannot be unpacked: ", id="cut"),
        pytest.param(TWO, {}, "xyz-1.0.tar.gz is not an sdist: it contains 2 folders instead of one", id="no sdist"),
    ],
)
def test_an_invalid_sdist_is_not_run(
    devpi: Devpi, index: FakeServer, file: distributions.Distribution, hashes: dict[str, str], complaint: str
) -> None:
    """The client does not unpack or run such a file."""
    release(index, file, **hashes)

    outcome = devpi("test", "xyz").fails()

    assert outcome.err.startswith(complaint.format(url=f"{index.url}/alice/dev/f/{file.filename}"))
    assert not results(index)


ZEROS = {"sha256": "0" * 64, "md5": "0" * 32}
GIVEN_DIGESTS: dict[str, dict[str, Any]] = {
    "another hash": {"hashes": {"md5": ZEROS["md5"]}},
    "a name in capitals": {"hashes": {"SHA256": ZEROS["sha256"]}},
    "no digest": {"hashes": {"sha256": "12"}},
    "one of two": {"hashes": {"sha256": sdist().sha256, "md5": ZEROS["md5"]}},
    "hash_spec": {"hash_spec": f"md5={ZEROS['md5']}"},
    "fragment": {"href": f"#egg=xyz&sha256={ZEROS['sha256']}"},
    "percent-encoded fragment": {"href": f"#subdirectory=x&sha256%3D{ZEROS['sha256']}%20"},
}


@pytest.mark.parametrize("given", GIVEN_DIGESTS.values(), ids=GIVEN_DIGESTS)
def test_every_digest_is_verified(devpi: Devpi, index: FakeServer, given: dict[str, Any]) -> None:
    """The client refuses a file that differs from any digest of its link, in whichever form the index gives it."""
    release(index, sdist())
    url = f"{index.url}/alice/dev/f/{sdist().filename}"
    link = {"rel": "releasefile", **given, "href": url + given.get("href", "")}
    index.respond("/alice/dev/xyz/", "projectconfig", {"1.0": {"+links": [link]}})

    assert " is not the file that the index lists: its " in devpi("test", "xyz").fails().err
    assert not results(index)


@pytest.mark.parametrize(("present", "installer"), [("none", "pip install"), ("uv", "uv tool install")])
def test_a_missing_tox_is_reported(
    devpi: Devpi, index: FakeServer, tmp_path: Path, present: str, installer: str
) -> None:
    """The client does not install tox, and says which command does."""
    release(index, sdist())
    program = tmp_path / "programs" / present
    program.parent.mkdir()
    program.touch(0o700)

    outcome = devpi("test", "xyz", PATH=str(program.parent)).fails()

    assert outcome.err == f"tox is not in PATH: type '{installer} tox'\n"
