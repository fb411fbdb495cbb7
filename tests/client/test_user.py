"""``devpi user`` and ``devpi passwd``."""

from __future__ import annotations

import re

import pytest
from tests.client.conftest import UserAccount

pytestmark = pytest.mark.slow

CONFIRMED = "Are you sure (yes/no)? yes (autoset from -y option)\n"


@pytest.fixture
def other(new_user: UserAccount) -> str:
    """Create a second user, who is not logged in."""
    name = f"{new_user.name}-other"
    new_user.devpi("user", "-c", name, "password=a-good-password").ok()
    return name


def test_users_are_created_listed_shown_modified_and_deleted(new_user: UserAccount) -> None:
    """The commands cover the whole life of a user, in the words of the specified session."""
    devpi, name = new_user.devpi, f"{new_user.name}-emilie"

    assert (
        devpi("user", "-c", name, "email=edoe@mydomain.example", "password=1234").ok().out == f"user created: {name}\n"
    )
    assert name in devpi("user", "-l").ok().out.splitlines()
    assert devpi("login", name, "--password", "1234").ok()
    assert devpi("user", "-m", name, "title=CTO", "description=Has final say").ok().out == (
        f"/{name} changing description: Has final say\n/{name} changing title: CTO\nuser modified: {name}\n"
    )
    assert re.fullmatch(
        rf"""{new_user.root}/{name}:
  created=....-..-..T..:..:..Z
  description=Has final say
  email=edoe@mydomain.example
  modified=....-..-..T..:..:..Z
  title=CTO
""",
        devpi("user", name).ok().out,
    )
    assert devpi("user", name, "-y", "--delete").ok().out == (
        f"About to remove: <URL '{new_user.root}/{name}'>\n{CONFIRMED}user deleted: {name}\n"
    )
    assert name not in devpi("user", "-l").ok().out.splitlines()


def test_users_are_listed_as_the_session_shows_them(new_user: UserAccount) -> None:
    """The specified session lists sophie, root, emilie."""
    names = new_user.devpi("user", "-l").ok().out.splitlines()

    assert names == sorted(names, reverse=True)
    assert {"root", new_user.name} <= set(names)


def test_the_user_logged_in_is_the_default(logged_in_user: UserAccount) -> None:
    """Show, modify and passwd need no name after login."""
    devpi = logged_in_user.devpi

    assert devpi("user", "email=me@example.com").ok().out.endswith(f"user modified: {logged_in_user.name}\n")
    assert "  email=me@example.com\n" in devpi("user").ok().out
    assert devpi("passwd", "--password", "another-one").ok().out == (
        f"/{logged_in_user.name} changing password: ********\nuser modified: {logged_in_user.name}\n"
    )


@pytest.mark.parametrize("command", [["passwd", "--password", "next-password"], ["user", "password=next-password"]])
def test_users_who_change_their_password_stay_logged_in(logged_in_user: UserAccount, command: list[str]) -> None:
    """The server ends the login of the old password and sends a new one, which the client stores."""
    before = logged_in_user.devpi.state("auth.json")

    logged_in_user.devpi(*command).ok()

    assert logged_in_user.devpi.state("auth.json") != before
    assert f"(logged in as {logged_in_user.name})" in logged_in_user.devpi("use").ok().out
    assert logged_in_user.devpi("login", logged_in_user.name, "--password", "next-password").ok()


def test_changing_the_password_of_another_logs_nobody_in(logged_in_user: UserAccount) -> None:
    """The token that root receives for another user is not stored."""
    logged_in_user.devpi("logoff").ok()
    logged_in_user.devpi("login", "root", "--password=").ok()

    logged_in_user.devpi("passwd", logged_in_user.name, "--password", "given-by-root").ok()

    assert [user for user, _ in logged_in_user.devpi.state("auth.json")["auth"][logged_in_user.server.url]] == ["root"]
    assert logged_in_user.devpi("login", logged_in_user.name, "--password", "given-by-root").ok()


def test_only_what_changes_is_sent(logged_in_user: UserAccount) -> None:
    """Other settings are not sent, because another user may change them at the same time."""
    logged_in_user.devpi("user", "email=me@example.com").ok()

    outcome = logged_in_user.devpi("user", "title=T").ok()

    assert outcome.out == f"/{logged_in_user.name} changing title: T\nuser modified: {logged_in_user.name}\n"
    assert "  email=me@example.com\n" in logged_in_user.devpi("user").ok().out


@pytest.mark.parametrize("create", [["user", "-c", "{new}"], ["user", "{new}", "-c", "title=T"]])
def test_a_password_can_come_from_standard_input(new_user: UserAccount, create: list[str]) -> None:
    """``--password-stdin`` reads everything except the line end, and no list of processes shows the password."""
    name = f"{new_user.name}-piped"
    arguments = [argument.format(new=name) for argument in create]

    new_user.devpi(*arguments, "--password-stdin", stdin="päss wörd \n").ok()

    assert new_user.devpi("login", name, "--password-stdin", stdin="päss wörd \r\n").ok()
    assert new_user.devpi("passwd", "--password-stdin", stdin="x" * 8).ok()
    assert new_user.devpi("login", name, "--password", "x" * 8).ok()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["user"], "no user specified and no user currently active\n", id="show nobody"),
        pytest.param(["passwd"], "no user specified and no user currently active\n", id="password of nobody"),
        pytest.param(["user", "-c"], "need to specify a username\n", id="create nobody"),
        pytest.param(["user", "--delete"], "need to specify a username\n", id="delete nobody"),
        pytest.param(
            ["user", "--delete", "x", "a=b"], "cannot delete if you specify key=values\n", id="delete and set"
        ),
        pytest.param(["user", "-c", "x", "y"], "arguments must be format NAME=VALUE: ['y']\n", id="no equal sign"),
        pytest.param(
            ["user", "-m", "x", "a=b", "=y"], "arguments must be format NAME=VALUE: ['a=b', '=y']\n", id="no key"
        ),
        pytest.param(["user", "-c", "a/b", "password=x"], "user name contains a slash: 'a/b'\n", id="slash"),
        pytest.param(["user", "-c", "..", "password=x"], "'..' is not the name of a user or an index: ", id="dots"),
        pytest.param(["user", "-c", "x"], "no password given, and no terminal to ask for it: use ", id="no password"),
        pytest.param(
            ["user", "-c", "x", "email=x@y.example", "pasword=x"],
            "a user has no 'pasword', did you mean 'password'?\n",
            id="password under a wrong name",
        ),
        pytest.param(["passwd", "a/b"], "user name contains a slash: 'a/b'\n", id="before asking"),
    ],
)
def test_impossible_actions_are_reported_in_one_line(
    new_user: UserAccount, arguments: list[str], complaint: str
) -> None:
    """Invalid arguments never reach the server."""
    outcome = new_user.devpi(*arguments).fails()

    assert outcome.err.startswith(complaint)
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "request_line", "answer"),
    [
        pytest.param(
            ["user", "-c", "{name}", "password=x"], "PUT {root}/{name}", "409 Conflict: user already ", id="twice"
        ),
        pytest.param(
            ["user", "-c", "b d", "password=x"], "PUT {root}/b%20d", "400 Bad Request: username 'b d' ", id="name"
        ),
        pytest.param(
            ["user", "-c", "x", "foo=1", "password=x"], "PUT {root}/x", "400 Bad Request: Unknown keys", id="key"
        ),
        pytest.param(["user", "nobody"], "GET {root}/nobody", "404 Not Found: no user 'nobody' (", id="show nobody"),
        pytest.param(
            ["user", "-m", "nobody", "a=b"], "GET {root}/nobody", "404 Not Found: no user", id="modify nobody"
        ),
        pytest.param(["user", "{name}", "email=x"], "PATCH {root}/{name}", "401 Unauthorized: ", id="not logged in"),
        pytest.param(["user", "{name}", "--delete", "-y"], "DELETE {root}/{name}", "401 Unauthorized: ", id="delete"),
    ],
)
def test_a_refusal_shows_request_and_response(
    new_user: UserAccount, arguments: list[str], request_line: str, answer: str
) -> None:
    """Two lines show the request and the server's reason."""
    values = {"name": new_user.name, "root": new_user.root}

    outcome = new_user.devpi(*(argument.format(**values) for argument in arguments)).fails()

    assert outcome.err.startswith(f"{request_line.format(**values)}\n{answer}")
    assert outcome.err.count("\n") == 2


def test_users_without_a_login_are_told_how_to_log_in(new_user: UserAccount) -> None:
    """The message for a 401 ends with the command to log in."""
    assert new_user.devpi("user", new_user.name, "email=x").fails().err.endswith(" (type 'devpi login USER')\n")


def test_forbidden_changes_change_nothing(logged_in_user: UserAccount, other: str) -> None:
    """Other users get a 403, and nothing changes."""
    before = logged_in_user.devpi("user", other).ok().out

    assert "\n403 Forbidden: " in logged_in_user.devpi("user", other, "email=x").fails().err
    assert "\n403 Forbidden: " in logged_in_user.devpi("user", other, "--delete", "-y").fails().err
    assert logged_in_user.devpi("user", other).ok().out == before


@pytest.mark.parametrize(
    ("typed", "said", "code"),
    [
        pytest.param("yes\n", "", 0, id="yes"),
        pytest.param("no\n", "", 0, id="no"),
        pytest.param("maybe\nno\n", "not a valid choice 'maybe'\nAre you sure (yes/no)? ", 0, id="neither, then no"),
        pytest.param("", "\n", 1, id="nobody there"),
    ],
)
def test_deleting_asks_first(logged_in_user: UserAccount, typed: str, said: str, code: int) -> None:
    """Only a yes deletes; declining is not a failure, but giving no answer is."""
    outcome = logged_in_user.devpi("user", logged_in_user.name, "--delete", stdin=typed)

    done = f"user deleted: {logged_in_user.name}\n" if typed == "yes\n" else ""
    question = f"About to remove: <URL '{logged_in_user.root}/{logged_in_user.name}'>\nAre you sure (yes/no)? "
    assert (outcome.code, outcome.out) == (code, question + said + done)
    assert (logged_in_user.name in logged_in_user.devpi("user", "-l").ok().out.splitlines()) == (not done)


def test_deleting_another_user_keeps_the_login(logged_in_user: UserAccount, other: str) -> None:
    """Root can delete other users and stays logged in."""
    logged_in_user.devpi("login", "root", "--password=").ok()

    assert logged_in_user.devpi("user", other, "--delete", "-y").ok().out.endswith(f"user deleted: {other}\n")
    assert "(logged in as root)" in logged_in_user.devpi("use").ok().out


EMPTY = "the new password is empty, and nothing was changed: choose a password\n"
EMPTY_INPUT = "standard input is empty: pipe the password or the token into this command\n"


@pytest.mark.parametrize(
    ("arguments", "stdin", "complaint"),
    [
        pytest.param(["passwd", "--password", ""], "", EMPTY, id="passwd, option"),
        pytest.param(["passwd", "--password-stdin"], "", EMPTY_INPUT, id="passwd, nothing"),
        pytest.param(["passwd", "--password-stdin"], "\n", EMPTY_INPUT, id="passwd, an empty line"),
        pytest.param(["passwd", "--password-stdin"], "\r\n\r\n", EMPTY_INPUT, id="passwd, empty lines"),
        pytest.param(["user", "password="], "", EMPTY, id="user, key"),
        pytest.param(["user", "-m", "{name}", "password=", "title=x"], "", EMPTY, id="user -m, key"),
        pytest.param(["user", "-m", "{name}", "--password-stdin"], "\n", EMPTY_INPUT, id="user -m, an empty line"),
        pytest.param(["user", "-c", "empty", "password="], "", EMPTY, id="user -c, key"),
        pytest.param(["user", "-c", "empty", "--password-stdin"], "", EMPTY_INPUT, id="user -c, nothing"),
    ],
)
def test_an_empty_password_is_refused(
    logged_in_user: UserAccount, arguments: list[str], stdin: str, complaint: str
) -> None:
    """Nothing is no password, wherever it comes from, and nothing is changed."""
    given = [argument.format(name=logged_in_user.name) for argument in arguments]

    outcome = logged_in_user.devpi(*given, stdin=stdin).fails()

    assert (outcome.out, outcome.err) == ("", complaint)
    assert logged_in_user.devpi("login", logged_in_user.name, "--password", logged_in_user.password).ok()
    assert "empty" not in logged_in_user.devpi("user", "-l").ok().out.split()
    assert "title" not in logged_in_user.devpi("user").ok().out


def test_an_undecodable_password_is_refused(new_user: UserAccount) -> None:
    """Bytes that are not UTF-8 are an error, not a password."""
    outcome = new_user.devpi("user", "-c", "x", "--password-stdin", stdin=b"\xff\n").fails()

    assert outcome.err == "standard input is not utf-8 text; nothing was sent\n"


def test_deleting_your_own_user_ends_the_login(logged_in_user: UserAccount) -> None:
    """The token of a deleted user is not kept."""
    logged_in_user.devpi("user", logged_in_user.name, "--delete", "-y").ok()

    assert logged_in_user.devpi.state("auth.json") == {"auth": {logged_in_user.server.url: []}}
