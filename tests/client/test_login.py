"""``devpi login`` and ``devpi logoff``: where the password comes from, and what is kept."""

from __future__ import annotations

import pytest

PASSWORD = "a-good-password"


@pytest.mark.slow
class TestLogin:
    """The way from a password to a token."""

    @pytest.mark.parametrize(
        ("arguments", "stdin", "environ"),
        [
            pytest.param(["--password", PASSWORD], "", {}, id="option"),
            pytest.param(["--password-stdin"], f"{PASSWORD}\n", {}, id="standard input"),
            pytest.param([], "", {"DEVPI_PASSWORD": PASSWORD}, id="environment"),
            pytest.param(["--password", PASSWORD], "", {"DEVPI_PASSWORD": "wrong"}, id="option before environment"),
        ],
    )
    def test_a_password_becomes_a_login(self, stranger, arguments, stdin, environ):
        """Each source of the password leads to the line that the specified session shows."""
        outcome = stranger.devpi("login", stranger.name, *arguments, stdin=stdin, **environ).ok()

        assert outcome.out == f"logged in '{stranger.name}', credentials valid for 10.00 hours\n"
        ((user, token),) = stranger.devpi.state("auth.json")["auth"][stranger.server.url]
        assert user == stranger.name
        assert PASSWORD not in token
        assert stranger.devpi.state("current.json")["username"] == stranger.name

    @pytest.mark.parametrize("name", ["{name}", "nobody"])
    def test_a_wrong_password_changes_nothing(self, member, name):
        """The login that was there stays, and the same is said about every name."""
        before = member.devpi.state("auth.json")
        name = name.format(name=member.name)

        outcome = member.devpi("login", name, "--password", "wrong").fails()

        assert outcome.err == (
            f"POST {member.root}/+login\n401 Unauthorized: user '{name}' could not be authenticated\n"
        )
        assert member.devpi.state("auth.json") == before

    def test_the_latest_login_is_first(self, member):
        """Of several logins the last one is in use, and the others are kept."""
        member.devpi("login", "root", "--password=").ok()
        member.devpi("login", member.name, "--password", PASSWORD).ok()

        logins = member.devpi.state("auth.json")["auth"][member.server.url]
        assert [user for user, _ in logins] == [member.name, "root"]

    def test_an_index_that_is_gone_is_told(self, member):
        """The login succeeds, and a note says that the index in use does not exist any more."""
        member.devpi("index", "-c", "dev").ok()
        member.devpi("use", "dev").ok()
        member.devpi("index", "--delete", "dev", "-y").ok()

        outcome = member.devpi("login", member.name, "--password", PASSWORD)

        assert (outcome.code, outcome.out.count("\n")) == (0, 1)
        assert outcome.err == (
            f"404 Not Found: The stage {member.name}/dev could not be found.\nConnected index does not exist.\n"
        )

    def test_without_a_password_and_a_terminal_it_says_how(self, stranger):
        """A script that forgot the password does not hang."""
        assert stranger.devpi("login", stranger.name).fails().err == (
            "no password given, and no terminal to ask for it: use --password-stdin or DEVPI_PASSWORD\n"
        )


@pytest.mark.slow
class TestLogoff:
    """The end of a login."""

    @pytest.mark.parametrize("command", ["logoff", "logout"])
    def test_the_login_is_over_here_and_there(self, member, command):
        """The token is gone from the state, and the server does not accept a copy of it any more."""
        kept = member.devpi.state("auth.json")

        assert member.devpi(command).ok().out == "login information deleted\n"

        assert member.devpi.state("auth.json") == {"auth": {member.server.url: []}}
        assert member.devpi(command).ok().out == "not logged in\n"
        (member.devpi.clientdir / "auth.json").write_text(str(kept).replace("'", '"'))
        assert "is no longer valid" in member.devpi("use").err

    def test_other_logins_are_kept(self, member):
        """Only the user in use is logged off, and nobody else is in use then."""
        member.devpi("login", "root", "--password=").ok()

        member.devpi("logoff").ok()

        logins = member.devpi.state("auth.json")["auth"][member.server.url]
        assert [user for user, _ in logins] == [member.name]
        assert "(not logged in)" in member.devpi("use").ok().out
        assert f"(logged in as {member.name})" in member.devpi("use", DEVPI_USER=member.name).ok().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["login", "root", "--password="],
        ["user", "-l"],
        ["user", "x"],
        ["user", "-c", "x", "password=y"],
        ["index", "a/b"],
    ],
)
def test_without_a_server_there_is_nothing_to_do(devpi, arguments):
    """Commands that need a server say how to choose one."""
    assert devpi(*arguments).fails().err == "not connected to a server, see 'devpi use'\n"


def test_without_a_server_nobody_is_logged_in(devpi):
    """Logging off twice, or before any login, is no failure."""
    assert devpi("logoff").ok().out == "not logged in\n"


def test_logging_off_works_without_the_server(devpi, made_up_server):
    """A server that is gone, or never heard of logging off, does not keep the token here."""
    made_up_server.speaks_the_protocol()
    devpi("use", made_up_server.url).ok()
    devpi("login", "alice", "--password", "x").ok()

    assert devpi("logoff").ok().out == "login information deleted\n"
    assert devpi.state("auth.json") == {"auth": {f"{made_up_server.url}/": []}}
    assert [request.path for request in made_up_server.requests][-1] == "/+logout"
