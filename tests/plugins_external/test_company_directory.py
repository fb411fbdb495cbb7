"""The plugin of the page "Write an authentication plugin in 40 lines" does what the page says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import argon2
import pytest
import wheelgate_company_directory

from wheelgate.testing.server_process import clean_environment
from wheelgate.testing.site import Site

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the directory."""
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
def client(serve_all: Callable[..., Any], cheap: tuple[str, ...], people: Path) -> Any:
    """Return a server with the directory, on which only ``:admins`` may create users."""
    options = ("--restrict-modify", ":admins", "--directory-file", str(people))
    return serve_all(*options, *cheap, plugins=("company_directory",))


def test_people_of_the_directory_log_in(client: Any) -> None:
    """The first login creates the user, with the directory's email; a wrong password creates no user."""
    assert client("POST", "/+login", {"user": "eve", "password": "wrong"})[0] == 401
    assert client("GET", "/eve")[0] == 404

    eve = client.login("eve", "evening")

    assert client("GET", "/eve")[1]["result"]["email"] == "eve@company.example"
    assert client("GET", "/+api", auth=eve)[1]["result"]["authstatus"] == ["ok", "eve", ["admins"]]


def test_groups_of_the_directory_have_rights(client: Any) -> None:
    """Only members of the group may create users, not even root."""
    logins = [client.login("ada", "analytical"), client.login("bob", "builder"), client.login("root", "")]

    created = [client("PUT", f"/new{n}", {"password": "correct horse"}, auth)[0] for n, auth in enumerate(logins)]

    assert created == [201, 403, 403]


def test_a_name_belongs_to_the_directory(client: Any) -> None:
    """A user of the directory can have no password on this server."""
    client.login("bob", "builder")
    ada = client.login("ada", "analytical")

    status, answer = client("PATCH", "/bob", {"password": "another one"}, ada)

    assert (status, "company_directory" in answer["message"]) == (409, True)


def test_a_person_without_a_password_cannot_log_in(client: Any) -> None:
    """A person without a password in the directory is refused, however often; others can still log in."""
    tries = [client("POST", "/+login", {"user": "dora", "password": ""})[0] for _ in range(4)]

    assert tries == [401] * 4
    client.login("bob", "builder")


def test_an_unreadable_directory_does_not_block_local_users(client: Any, people: Path) -> None:
    """While the directory cannot be read, its people get 503, and local users can log in."""
    moved = people.rename(people.with_name("moved.toml"))
    try:
        status, answer = client("POST", "/+login", {"user": "ada", "password": "analytical"})

        assert (status, "company_directory" in answer["message"]) == (503, True)
        client.login("root", "")
    finally:
        moved.rename(people)


def test_a_local_user_has_no_groups_of_the_directory(client: Any) -> None:
    """A local user with the name of a person in the directory logs in with the local password, without groups."""
    ada = client.login("ada", "analytical")
    assert client("PUT", "/carl", {"password": "correct horse"}, ada)[0] == 201

    carl = client.login("carl", "correct horse")

    assert client("POST", "/+login", {"user": "carl", "password": "carpenter"})[0] == 401
    assert client("GET", "/+api", auth=carl)[1]["result"]["authstatus"] == ["ok", "carl", []]
    assert client("PUT", "/dora", {"password": "correct horse"}, carl)[0] == 403


def test_without_its_setting_it_does_nothing(tmp_path: Path) -> None:
    """An environment may have the plugin for another server: without ``--directory-file``, all works as before."""
    with Site(tmp_path / "server", extra={"company_directory": wheelgate_company_directory}) as site:
        assert site.request("POST", "/+login", {"user": "root", "password": ""}).status == 200
        assert site.request("POST", "/+login", {"user": "ada", "password": "analytical"}).status == 401


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, "No such file or directory", id="missing"),
        pytest.param(b"[ada", "Expected ']'", id="not TOML"),
        pytest.param(b"\xff", "invalid start byte", id="not UTF-8"),
    ],
)
def test_a_directory_that_cannot_be_read_stops_the_start(
    installed: Callable[[str], Path], tmp_path: Path, content: bytes | None, reason: str
) -> None:
    """The server does not start, and says which file is wrong and why."""
    people = tmp_path / "people.toml"
    if content is not None:
        people.write_bytes(content)
    program = str(Path(sys.executable).with_name("devpi-server"))
    options = ["--serverdir", str(tmp_path / "server"), "--port", "0", "--directory-file", str(people)]
    environment = clean_environment(PYTHONPATH=str(installed("company_directory")))

    ended = subprocess.run([program, *options], env=environment, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 1
    assert f"devpi-server: --directory-file: {people} cannot be read; fix it or give another: " in ended.stderr
    assert reason in ended.stderr
