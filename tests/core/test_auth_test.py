"""``devpi-server auth test``: what each login service answers to a password."""

from __future__ import annotations

import os
import pty
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.helpers.commands import CHEAPLY, Outcome, Run
from tests.helpers.sites import Serve

from wheelgate import (
    Credentials,
    Ok,
    Reject,
    RequestInfo,
    SecretCheck,
    Server,
    Unavailable,
    Unknown,
    User,
    hookimpl,
)
from wheelgate import (
    Outcome as Answer,
)
from wheelgate.plugin_host.discovery import InstalledPlugin, Plugins
from wheelgate.providers import Authenticator, GroupSource
from wheelgate.testing.site import installed_plugins


@dataclass
class Directory(Authenticator, GroupSource):
    """An authenticator and group source with answers set by the test."""

    answer: Callable[[Credentials], object]
    name: str = "directory"
    accepts: frozenset[str] = frozenset({"password"})
    local: bool = False

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Answer:
        """Answer."""
        return self.answer(credentials)  # type: ignore[return-value]

    named: object = frozenset({"staff", "admins"})

    def groups(self, username: str) -> frozenset[str]:
        """Return the groups."""
        return self.named  # type: ignore[return-value]

    @hookimpl
    def wheelgate_authenticators(self, server: Server) -> Iterable[Authenticator]:
        """Provide itself."""
        self.server = server
        return [self]

    @hookimpl
    def wheelgate_group_sources(self) -> Iterable[Directory]:
        """Provide itself."""
        return [self]


Trial = Callable[..., list[str]]


@pytest.fixture(scope="module")
def used(serve_shared: Serve) -> Path:
    """Return the folder of a server that was started once, and has a local user and one of the directory."""
    site = serve_shared(extra={"directory": Directory(lambda credentials: Ok(credentials.username))})
    site.add_user("alice", "correct horse")
    site.login("emilie", "x")
    serve_shared.stop()
    return site.config.serverdir


@pytest.fixture
def folder(used: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder for this test."""
    return shutil.copytree(used, tmp_path / "server")


@pytest.fixture
def trial(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    """Return a function that tries a login with more directories; it returns the exit code and the lines."""

    def try_login(user: str, password: str, *directories: Directory, options: Iterable[str] = ()) -> list[str]:
        found = [InstalledPlugin(each.name, "tests", "1", blocked=False, plugin=each) for each in directories]
        monkeypatch.setattr("wheelgate.main.discover", lambda blocked: Plugins([*installed_plugins(), *found]))
        place = ["--serverdir", str(folder), *CHEAPLY, *options]
        done: Outcome = run("auth", "test", user, "--password-stdin", *place, stdin=f"{password}\n")
        assert done.err == ""
        return [str(done.code), *(re.sub(r" \(\d+ ms\)$", "", line) for line in done.out.splitlines())]

    return try_login


def company(credentials: Credentials) -> Answer:
    """Know two people, and one who has left."""
    if credentials.username == "leaver":
        return Reject("left in spring")
    if credentials.username == "expired":
        return Reject("the account has expired", SecretCheck.RIGHT)
    if credentials.secret == "company password":
        return Ok(credentials.username, email="emilie@mail.example", title="CTO")
    return Unknown()


def fail(credentials: Credentials) -> Answer:
    """Fail."""
    raise ConnectionError("password was swordfish")


@pytest.mark.parametrize(
    ("user", "password", "lines"),
    [
        pytest.param(
            "alice",
            "correct horse",
            [
                *(
                    "0",
                    "user 'alice': a local user",
                    "directory: not asked, the user belongs elsewhere",
                    "password: ok",
                ),
                *("groups from 'local-groups': none", "result: 'password' knows user 'alice', who can log in"),
            ],
            id="local",
        ),
        pytest.param(
            "alice",
            "wrong",
            [
                *("1", "user 'alice': a local user", "directory: not asked, the user belongs elsewhere"),
                *("password: no, it does not know the user", "result: no login service logs in user 'alice'"),
            ],
            id="local, wrong",
        ),
        pytest.param(
            "newcomer",
            "company password",
            [
                *("0", "user 'newcomer': not on this server yet"),
                "directory: ok, email 'emilie@mail.example', title 'CTO'",
                *("password: no, it does not know the user", "groups from 'directory': admins, staff"),
                "groups from 'local-groups': none",
                "result: 'directory' knows user 'newcomer', who can log in",
            ],
            id="new",
        ),
        pytest.param(
            "emilie",
            "company password",
            [
                *("0", "user 'emilie': belongs to 'directory'"),
                "directory: ok, email 'emilie@mail.example', title 'CTO'",
                *(
                    "password: not asked, the user belongs elsewhere",
                    "groups from 'directory': admins, staff",
                ),
                "groups from 'local-groups': none",
                "result: 'directory' knows user 'emilie', who can log in",
            ],
            id="known",
        ),
        pytest.param(
            "expired",
            "x",
            [
                *("1", "user 'expired': not on this server yet"),
                "directory: no, and no other service is asked: the password is right, but the account has expired",
                *("password: no, it does not know the user", "result: no login service logs in user 'expired'"),
            ],
            id="expired",
        ),
        pytest.param(
            "leaver",
            "x",
            [
                *("1", "user 'leaver': not on this server yet"),
                "directory: no, and no other service is asked: left in spring",
                *("password: no, it does not know the user", "result: no login service logs in user 'leaver'"),
            ],
            id="rejected",
        ),
        pytest.param(
            ".x",
            "company password",
            [
                *("1", "user '.x': not on this server yet"),
                "directory: ok, email 'emilie@mail.example', title 'CTO'",
                *("password: no, it does not know the user", "groups from 'directory': admins, staff"),
                "groups from 'local-groups': none",
                "result: 'directory' knows user '.x', but username '.x' must not start with '.' or '-'",
            ],
            id="a name that no user may have",
        ),
    ],
)
def test_every_login_service_is_asked(trial: Trial, user: str, password: str, lines: list[str]) -> None:
    """Each answer is a line; the last line and the exit code say whether a login would succeed."""
    assert trial(user, password, Directory(company)) == lines


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        pytest.param(fail, "directory: cannot tell: it raised ConnectionError", id="raises"),
        pytest.param(
            lambda _: Unavailable("on\nholiday\x1b"), r"directory: cannot tell: on\nholiday\x1b", id="says so"
        ),
        pytest.param(lambda _: Ok("root"), "directory: no, these are the credentials of 'root'", id="somebody else"),
        pytest.param(
            lambda _: None, "directory: cannot tell: it answered NoneType, which is not an outcome", id="None"
        ),
    ],
)
def test_failures_are_told(trial: Trial, answer: Callable[[Credentials], object], line: str) -> None:
    """The failure of a login service is shown without the text of the exception, which could contain the password."""
    assert trial("newcomer", "x", Directory(answer))[2] == line


@pytest.mark.parametrize(
    ("named", "told"),
    [
        pytest.param(
            ["staff", "a:b", "a,b"],
            "staff; without 'a,b', 'a:b', because ':' and ',' separate names in access lists",
            id="names that could deceive",
        ),
        pytest.param(None, "cannot tell: it raised TypeError", id="nothing"),
        pytest.param("staff", "cannot tell: it raised TypeError", id="a text"),
        pytest.param([5], "cannot tell: it raised TypeError", id="no names"),
    ],
)
def test_groups_are_those_that_a_login_would_have(trial: Trial, named: object, told: str) -> None:
    """Group names that the server drops are shown as dropped; if a source fails, the result is not a success."""
    printed = trial("newcomer", "company password", Directory(company, named=named))

    assert f"groups from 'directory': {told}" in printed
    result = "result: 'directory' knows user 'newcomer', who can log in"
    if told.startswith("cannot tell"):
        result += ", but no group comes from 'directory': the user lacks the rights of these groups"
    assert (printed[0], printed[-1]) == ("1" if told.startswith("cannot tell") else "0", result)


@pytest.mark.parametrize(
    ("typed", "own", "told", "result"),
    [
        pytest.param(
            "NEWCOMER",
            "newcomer",
            "directory: ok, user 'newcomer'",
            "'directory' knows user 'newcomer', who can log in",
            id="new",
        ),
        pytest.param(
            "EMILIE",
            "emilie",
            "directory: ok, user 'emilie'",
            "'directory' knows user 'emilie', who can log in",
            id="known",
        ),
        pytest.param(
            "Newcomer",
            "EMILIE",
            "directory: no, these are the credentials of 'EMILIE'",
            "no login service logs in user 'Newcomer'",
            id="somebody else",
        ),
        pytest.param(
            "ALICE",
            "alice",
            "directory: no, these are the credentials of 'alice'",
            "no login service logs in user 'ALICE'",
            id="a local user",
        ),
        pytest.param(
            "Emilie",
            "EMILIE",
            "directory: ok, user 'EMILIE'",
            "'directory' knows user 'EMILIE', but it looks like the existing user 'emilie'",
            id="a look-alike",
        ),
    ],
)
def test_the_spelling_of_a_login_service_is_told(trial: Trial, typed: str, own: str, told: str, result: str) -> None:
    """An answer with another spelling counts as it does for a login: only if the user may belong to the service."""
    printed = trial(typed, "x", Directory(lambda _: Ok(own)))

    assert told in printed
    assert printed[-1] == f"result: {result}"


def test_one_that_hangs_is_told(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login service gets no more time here than in the server."""
    monkeypatch.setattr("wheelgate.commands.auth.AUTHENTICATOR_SECONDS", 0.01)

    def sleep(_: object) -> Ok:
        time.sleep(1)
        return Ok("newcomer")

    late = Directory(sleep, "late")

    assert trial("newcomer", "x", late)[2] == "late: cannot tell: it took longer than 0.01 s"


def test_the_first_that_says_yes_or_no_decides(trial: Trial) -> None:
    """The order is that of the server; later login services are asked as well, but do not decide."""
    first, second = Directory(company, "first"), Directory(lambda _: Ok("leaver"), "second")

    assert trial("leaver", "x", first, second)[-1] == "result: no login service logs in user 'leaver'"
    decided = trial("leaver", "x", first, second, options=["--auth-order", "second"])
    assert decided[1:3] == ["user 'leaver': not on this server yet", "second: ok"]
    assert decided[-1] == "result: 'second' knows user 'leaver', who can log in"


def test_who_is_not_created_cannot_log_in(trial: Trial) -> None:
    """If first logins create no users, only existing users can log in."""
    none = ["--autocreate-users", "none"]

    assert trial("newcomer", "company password", Directory(company), options=none)[-1] == (
        "result: 'directory' knows user 'newcomer', but --autocreate-users does not name it, so no account is created"
    )
    assert trial("emilie", "company password", Directory(company), options=none)[0] == "0"


def content(folder: Path) -> list[str]:
    """Return the whole content of the database."""
    with sqlite3.connect(folder / "wheelgate.db") as database:
        lines = list(database.iterdump())
    database.close()
    return lines


def test_nothing_is_changed(trial: Trial, folder: Path) -> None:
    """No user is created, no hash is renewed, and a login service cannot write to the database."""

    def write(credentials: Credentials) -> Answer:
        with directory.server.database.transaction():
            directory.server.users.create(User("made", "stamp", directory.server.users.get("alice").created), None)  # type: ignore[union-attr]
        return Ok(credentials.username)

    directory = Directory(write)
    before = content(folder)

    assert trial("alice", "correct horse", options=["--argon2-time-cost", "2"])[0] == "0"
    assert trial("newcomer", "company password", Directory(company))[0] == "0"
    assert trial("newcomer", "x", directory)[2].startswith("directory: cannot tell: ")

    assert content(folder) == before


def test_a_wrong_password_slows_nobody_down(trial: Trial, serve: Serve) -> None:
    """The trials do not count as wrong passwords in the server."""
    for _ in range(7):
        trial("alice", "wrong")

    assert serve().login("alice", "correct horse")


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "sentence"),
    [
        (["auth", "test"], "", 2, "the following arguments are required: USER; see 'devpi-server --help'"),
        (["auth"], "", 2, "the following arguments are required: COMMAND; see 'devpi-server --help'"),
    ],
    ids=["no user", "no command"],
)
def test_what_it_needs(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    stdin: str,
    code: int,
    sentence: str,
) -> None:
    """Wrong usage is reported in one line."""
    monkeypatch.chdir(tmp_path)

    run(*arguments, stdin=stdin).fails(code, sentence.format(cwd=tmp_path))


@pytest.mark.parametrize(
    ("user", "password", "lines"),
    [
        (
            "emilie",
            "company password",
            [
                "0",
                "user 'emilie': not on this server yet",
                "company: ok, email 'emilie@mail.example', title 'CTO'",
                "password: no, it does not know the user",
                "groups from 'company': admins, staff",
                "groups from 'local-groups': none",
                "result: 'company' knows user 'emilie', who can log in",
            ],
        ),
        (
            "root",
            "x",
            [
                "1",
                "user 'root': a local user",
                "company: not asked, the user belongs elsewhere",
                "password: no, it does not know the user",
                "result: no login service logs in user 'root'",
            ],
        ),
    ],
    ids=["a user of the directory", "root"],
)
def test_it_may_come_before_the_first_start(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: str, password: str, lines: list[str]
) -> None:
    """A directory can be tried before there is a server, also one that will be reachable; nothing is made."""
    found = InstalledPlugin("company", "tests", "1", blocked=False, plugin=Directory(company, "company"))
    monkeypatch.setattr("wheelgate.main.discover", lambda blocked: Plugins([*installed_plugins(), found]))
    place = ["--serverdir", str(tmp_path / "none"), "--host", "0.0.0.0", *CHEAPLY]

    done = run("auth", "test", user, "--password-stdin", *place, stdin=f"{password}\n")

    shown = [re.sub(r" \(\d+ ms\)$", "", line) for line in done.out.splitlines()]
    assert (sorted([str(done.code), *shown]), done.err) == (sorted(lines), "")
    assert list(tmp_path.iterdir()) == []


def test_it_needs_a_password(run: Run, folder: Path) -> None:
    """Nothing on standard input is no password, and no login service is asked."""
    refused = run("auth", "test", "alice", "--password-stdin", "--serverdir", str(folder))

    assert (refused.code, refused.err) == (
        1,
        "devpi-server: standard input has no password in its first line; pipe one in; nothing was changed\n",
    )


def test_it_needs_a_terminal_or_a_pipe(run: Run, folder: Path) -> None:
    """Without a terminal the command does not read a password unless ``--password-stdin`` is given."""
    refused = run("auth", "test", "alice", "--serverdir", str(folder), stdin="correct horse\n")

    assert (refused.code, refused.err) == (
        1,
        "devpi-server: there is no terminal to ask for the password; pipe it in with --password-stdin\n",
    )


@pytest.mark.slow
def test_the_password_is_not_shown(folder: Path) -> None:
    """At a terminal the command asks for the password without showing it."""
    ours, theirs = pty.openpty()
    program = str(Path(sys.executable).with_name("devpi-server"))
    process = subprocess.Popen(
        [program, "auth", "test", "alice", "--serverdir", str(folder), *CHEAPLY],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        shown = b""
        while b"password for user alice: " not in shown:
            byte = process.stdout.read(1)
            assert byte, shown
            shown += byte
        os.write(ours, b"correct horse\n")
        shown += process.stdout.read()
    finally:
        process.kill()
        process.communicate()
        os.close(ours)
        os.close(theirs)

    assert "who can log in" in shown.decode()
    assert "correct horse" not in shown.decode()
