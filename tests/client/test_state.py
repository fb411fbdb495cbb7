"""The state that the client stores between two commands, also after failures."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.client.conftest import Devpi, FakeServer

from wheelgate.testing.server_process import clean_environment

DEVPI = Path(sys.executable).with_name("devpi")

LEFT_BY_THE_INCUMBENT = {
    "current.json": {
        "always_setcfg": False,
        "features": ["push-no-docs", "server-keyvalue-parsing"],
        "index": "{url}/alice/dev",
        "login": "{url}/+login",
        "pypisubmit": None,
        "settrusted": False,
        "simpleindex": "{url}/alice/dev/+simple/",
        "username": "alice",
        "venvdir": None,
        "not_known_here": {"kept": True},
    },
    "auth.json": {
        "auth": {"{url}/": [["alice", '["alice", [], true].aw.n2t'], ["bob", "other"]]},
        "basic_auth": {"{url}/": ["u", "p"]},
        "client_cert": {"kept": "too"},
    },
}


@pytest.fixture
def incumbent(devpi: Devpi, fake_server: FakeServer) -> Devpi:
    """Write state files in the format of the incumbent's client."""
    fake_server.act_as_index_server("alice")
    devpi.clientdir.mkdir(parents=True)
    for name, content in LEFT_BY_THE_INCUMBENT.items():
        (devpi.clientdir / name).write_text(json.dumps(content).replace("{url}", fake_server.url))
    return devpi


def test_state_of_the_incumbent_is_read(incumbent: Devpi, fake_server: FakeServer) -> None:
    """The client uses server, index, login and basic credentials stored by the incumbent's client."""
    incumbent("getjson", "x")

    request = fake_server.requests[-1]
    assert request.path == "/alice/dev/x"
    assert request.headers["X-Devpi-Auth"] == "YWxpY2U6WyJhbGljZSIsIFtdLCB0cnVlXS5hdy5uMnQ="
    assert request.headers["Authorization"] == "Basic dTpw"


def test_unknown_keys_are_kept(incumbent: Devpi) -> None:
    """Keys of another client in the same files are still there after a change."""
    incumbent("login", "alice", "--password", "x")

    assert incumbent.state("current.json")["not_known_here"] == {"kept": True}
    assert incumbent.state("auth.json")["client_cert"] == {"kept": "too"}


def test_state_is_written_as_the_incumbent_writes_it(incumbent: Devpi) -> None:
    """The JSON has two spaces, sorted keys and no line end; only the owner can read it, even if others could before."""
    path = incumbent.clientdir / "auth.json"
    path.chmod(0o644)

    incumbent("login", "alice", "--password", "x")

    assert path.read_text() == json.dumps(json.loads(path.read_text()), indent=2, sort_keys=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_latest_login_replaces_the_older_one(incumbent: Devpi, fake_server: FakeServer) -> None:
    """A user has one token per server, and the latest login comes first."""
    incumbent("login", "bob", "--password", "x")

    logins = incumbent.state("auth.json")["auth"][f"{fake_server.url}/"]
    assert logins == [["bob", "a-token"], ["alice", '["alice", [], true].aw.n2t']]


def test_tokens_are_only_sent_to_their_server(devpi: Devpi, fake_server: FakeServer) -> None:
    """A URL on another server that merely starts the same gets no token."""
    devpi.clientdir.mkdir(parents=True)
    auth = {"auth": {"http://127.0.0.1:1/": [["alice", "secret"]], "http://127.0.0.1/": [["alice", "secret"]]}}
    (devpi.clientdir / "auth.json").write_text(json.dumps(auth))

    devpi("getjson", f"{fake_server.url}/x")

    assert "X-Devpi-Auth" not in fake_server.requests[0].headers


def test_the_directory_comes_from_option_or_environment(devpi: Devpi, tmp_path: Path) -> None:
    """``--clientdir`` takes precedence over ``DEVPI_CLIENTDIR``; ``~`` is the home directory."""
    by_option = devpi("--debug", "use", "--clientdir", "~/here", DEVPI_CLIENTDIR=str(tmp_path / "there"))
    by_environment = devpi("--debug", "use", DEVPI_CLIENTDIR=str(tmp_path / "there"))

    assert by_option.err == f"[debug] current: {devpi.home}/here/current.json\n"
    assert by_environment.err == f"[debug] current: {tmp_path}/there/current.json\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param('{"login": "http://h/+lo', id="half"),
        pytest.param("", id="empty"),
        pytest.param("[]", id="list"),
        pytest.param('{"login": 5}', id="number"),
        pytest.param('{"login": "http://h/+login", "features": [1]}', id="features"),
        pytest.param('{"always_setcfg": "yes"}', id="flag"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param("\udcff", id="no text"),
    ],
)
@pytest.mark.parametrize("arguments", [["use"], ["user", "-l"], ["logoff"]], ids=" ".join)
def test_a_damaged_file_is_reported_and_kept(devpi: Devpi, content: str, arguments: list[str]) -> None:
    """One line names the file and the remedy; the file is not overwritten, because a user may repair it."""
    devpi.clientdir.mkdir(parents=True)
    path = devpi.clientdir / "current.json"
    path.write_text(content, errors="surrogateescape")
    before = path.read_bytes()

    outcome = devpi(*arguments).fails()

    assert outcome.err.startswith(f"{path} is damaged (")
    assert outcome.err.endswith("): repair it, or remove it and start again with 'devpi use URL'\n")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        '{"auth": {"{url}/": [["ali',
        '{"auth": []}',
        '{"auth": {"{url}/": [["alice"]]}}',
        '{"auth": {"{url}/": "alice"}}',
    ],
    ids=["half", "list", "no token", "text"],
)
def test_damaged_logins_are_reported_and_kept(incumbent: Devpi, fake_server: FakeServer, content: str) -> None:
    """A login never replaces an unreadable file: a user may still save the other logins in it."""
    path = incumbent.clientdir / "auth.json"
    path.write_text(content.replace("{url}", fake_server.url))
    before = path.read_bytes()

    assert incumbent("login", "alice", "--password", "x").fails().err.startswith(f"{path} is damaged (")
    assert path.read_bytes() == before


def test_a_damaged_file_can_be_deleted(devpi: Devpi) -> None:
    """``use --delete`` removes a file without reading it."""
    devpi.clientdir.mkdir(parents=True)
    (devpi.clientdir / "current.json").write_text("{")

    assert devpi("use", "--delete").ok()
    assert devpi("use").ok()


def test_an_unwritable_directory_is_reported(devpi: Devpi, fake_server: FakeServer) -> None:
    """If the directory is a file, the command fails in one line."""
    fake_server.act_as_index_server()
    (devpi.home / "file").write_text("")

    outcome = devpi("use", fake_server.url, DEVPI_CLIENTDIR=str(devpi.home / "file" / "client")).fails()

    assert outcome.err.endswith("Not a directory\n")
    assert outcome.err.count("\n") == 1


def test_an_impossible_directory_is_reported(devpi: Devpi, fake_server: FakeServer) -> None:
    """If the directory cannot be created, the command fails in one line."""
    fake_server.act_as_index_server()

    outcome = devpi("use", fake_server.url, "--clientdir", "/proc/nowhere").fails()

    assert outcome.err == "cannot write in /proc/nowhere: No such file or directory; nothing was changed\n"


def test_a_failed_deletion_is_reported(devpi: Devpi, fake_server: FakeServer) -> None:
    """``use --delete`` reports a failure in one line."""
    assert devpi("use", "--delete", "--clientdir", "/proc/self").fails().err.startswith("cannot write in /proc/self: ")


def test_an_unreadable_state_file_is_reported(devpi: Devpi) -> None:
    """For example, there may be a directory instead of the file."""
    path = devpi.clientdir / "current.json"
    path.mkdir(parents=True)

    assert devpi("use").fails().err == f"cannot read {path}: Is a directory\n"


def test_showing_the_selection_writes_nothing(incumbent: Devpi) -> None:
    """Plain ``use`` needs no write permission as long as nothing changes."""
    incumbent("use").ok()
    (incumbent.clientdir / ".lock").unlink()
    before = {path: path.stat().st_mtime_ns for path in incumbent.clientdir.iterdir()}

    incumbent("use").ok()

    assert {path: path.stat().st_mtime_ns for path in incumbent.clientdir.iterdir()} == before


def test_a_symbolic_link_stays_one(incumbent: Devpi, tmp_path: Path) -> None:
    """Users who keep the state elsewhere find it there after a change."""
    real = tmp_path / "real.json"
    link = incumbent.clientdir / "auth.json"
    link.rename(real)
    link.symlink_to(real)

    incumbent("login", "alice", "--password", "x")

    assert link.is_symlink()
    assert "a-token" in real.read_text()


@pytest.mark.slow
class TestProcesses:
    """Tests that need ``devpi`` as a process."""

    def test_a_full_disk_loses_nothing(self, incumbent: Devpi) -> None:
        """If the new state does not fit, the old one stays, and no other file is left behind."""
        before = {path.name: path.read_bytes() for path in incumbent.clientdir.iterdir()}

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

        done = subprocess.run(
            [DEVPI, "login", "alice", "--password", "x"],
            # Otherwise the interpreter would leave behind compiled modules that the limit truncates.
            env=clean_environment(HOME=str(incumbent.home), PYTHONDONTWRITEBYTECODE="1"),
            text=True,
            capture_output=True,
            timeout=60,
            preexec_fn=limit,
        )

        assert done.returncode == 1
        assert done.stderr == f"cannot write {incumbent.clientdir}/auth.json: File too large; it was not changed\n"
        assert {path.name: path.read_bytes() for path in incumbent.clientdir.iterdir()} == {**before, ".lock": b""}

    def test_two_clients_at_once_lose_nothing(self, incumbent: Devpi, fake_server: FakeServer) -> None:
        """Logins at the same time are all stored."""
        names = [f"user{number}" for number in range(8)]
        environ = clean_environment(HOME=str(incumbent.home))

        clients = [subprocess.Popen([DEVPI, "login", name, "--password", "x"], env=environ) for name in names]
        codes = [client.wait(60) for client in clients]

        assert codes == [0] * len(names)
        logins = incumbent.state("auth.json")["auth"][f"{fake_server.url}/"]
        assert {user for user, _ in logins} == {"alice", "bob", *names}

    @pytest.mark.parametrize(
        ("redirect", "code", "said"),
        [
            pytest.param(">/dev/full", {1}, "output: No space left on device\n", id="full"),
            pytest.param(">&-", {0}, "", id="closed"),
            pytest.param("| true; exit ${PIPESTATUS[0]}", {0, 1}, "", id="nobody reads"),
            pytest.param("<&-", {0}, "", id="no input"),
        ],
    )
    def test_broken_output_is_no_traceback(self, devpi: Devpi, redirect: str, code: set[int], said: str) -> None:
        """The streams may be full, closed or cut off."""
        done = subprocess.run(
            ["bash", "-c", f"{DEVPI} use {redirect}"],
            env=clean_environment(HOME=str(devpi.home)),
            text=True,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )

        assert done.stderr == said
        assert done.returncode in code

    def test_unprintable_text_is_escaped(self, incumbent: Devpi, fake_server: FakeServer) -> None:
        """If the terminal only supports ASCII, other characters are printed as escapes."""
        done = subprocess.run(
            [DEVPI, "user", "jürgen"],
            env={**clean_environment(HOME=str(incumbent.home)), "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            timeout=60,
        )

        assert done.stderr == b"GET " + fake_server.url.encode() + b"/j%C3%BCrgen\n404 Not Found: nothing here\n"
        assert os.fsdecode(done.stdout) == ""
