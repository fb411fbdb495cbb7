"""The plugin of the page "Write an authentication plugin in 40 lines" does what the page says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import argon2
import pytest

from wheelgate.testing.server_process import clean_environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory."""
    hasher = argon2.PasswordHasher(1, 8, 1)
    file = tmp_path_factory.mktemp("directory") / "people.toml"
    file.write_text(
        f'''
        [ada]
        password_hash = "{hasher.hash("analytical")}"
        email = "ada@company.example"
        groups = ["admins"]
        [eve]
        password_hash = "{hasher.hash("evening")}"
        email = "eve@company.example"
        groups = ["admins"]
        [bob]
        password_hash = "{hasher.hash("builder")}"
        [carl]
        password_hash = "{hasher.hash("carpenter")}"
        groups = ["admins"]
        [dora]
        email = "dora@company.example"
        '''
    )
    return file


@pytest.fixture(scope="module")
def visit(serve_all: Callable[..., Any], cheap: tuple[str, ...], people: Path) -> Any:
    """A server that knows people from the directory; ``:admins`` alone may create users."""
    options = ("--restrict-modify", ":admins", "--directory-file", str(people))
    return serve_all(*options, *cheap, plugins=("company_directory",))


def test_people_of_the_directory_log_in(visit: Any) -> None:
    """The first login makes the user, with the address that the directory knows; a wrong password makes nothing."""
    assert visit("POST", "/+login", {"user": "eve", "password": "wrong"})[0] == 401
    assert visit("GET", "/eve")[0] == 404

    eve = visit.login("eve", "evening")

    assert visit("GET", "/eve")[1]["result"]["email"] == "eve@company.example"
    assert visit("GET", "/+api", auth=eve)[1]["result"]["authstatus"] == ["ok", "eve", ["admins"]]


def test_groups_of_the_directory_have_rights(visit: Any) -> None:
    """Who is in the group may create users, and nobody else, not even root."""
    who = [visit.login("ada", "analytical"), visit.login("bob", "builder"), visit.login("root", "")]

    made = [visit("PUT", f"/new{n}", {"password": "correct horse"}, auth)[0] for n, auth in enumerate(who)]

    assert made == [201, 403, 403]


def test_a_name_belongs_to_the_directory(visit: Any) -> None:
    """A user of the directory has no password here, and nobody but the directory vouches for it."""
    visit.login("bob", "builder")
    ada = visit.login("ada", "analytical")

    status, answer = visit("PATCH", "/bob", {"password": "another one"}, ada)

    assert (status, "company_directory" in answer["message"]) == (409, True)


def test_who_has_no_password_there_cannot_log_in(visit: Any) -> None:
    """Somebody of whom the directory has no password is refused, however often, and the others still log in."""
    tries = [visit("POST", "/+login", {"user": "dora", "password": ""})[0] for _ in range(4)]

    assert tries == [401] * 4
    visit.login("bob", "builder")


def test_a_directory_that_is_away_locks_nobody_else_out(visit: Any, people: Path) -> None:
    """While the directory cannot be read its people get 503, and local users log in."""
    gone = people.rename(people.with_name("gone.toml"))
    try:
        status, answer = visit("POST", "/+login", {"user": "ada", "password": "analytical"})

        assert (status, "company_directory" in answer["message"]) == (503, True)
        visit.login("root", "")
    finally:
        gone.rename(people)


def test_a_name_that_was_taken_before_has_no_groups(visit: Any) -> None:
    """A local user who has the name of somebody in the directory logs in with its own password, without groups."""
    ada = visit.login("ada", "analytical")
    assert visit("PUT", "/carl", {"password": "correct horse"}, ada)[0] == 201

    carl = visit.login("carl", "correct horse")

    assert visit("POST", "/+login", {"user": "carl", "password": "carpenter"})[0] == 401
    assert visit("GET", "/+api", auth=carl)[1]["result"]["authstatus"] == ["ok", "carl", []]
    assert visit("PUT", "/dora", {"password": "correct horse"}, carl)[0] == 403


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "No such file or directory", id="missing"),
        pytest.param(b"[ada", "Expected ']'", id="no TOML"),
        pytest.param(b"\xff", "invalid start byte", id="no text"),
    ],
)
def test_a_directory_that_cannot_be_read_stops_the_start(
    installed: Callable[[str], Path], tmp_path: Path, content: bytes | None, reason: str
) -> None:
    """The server says which file is wrong and why, and does not start; without the plugin it would."""
    people = tmp_path / "people.toml"
    if content is not None:
        people.write_bytes(content)
    program = str(Path(sys.executable).with_name("devpi-server"))
    options = ["--serverdir", str(tmp_path / "server"), "--port", "0", "--directory-file", str(people)]
    environment = clean_environment(PYTHONPATH=str(installed("company_directory")))

    ended = subprocess.run([program, *options], env=environment, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 1
    assert f"devpi-server: --directory-file: {people} cannot be read, mend it or name another: " in ended.stderr
    assert reason in ended.stderr
