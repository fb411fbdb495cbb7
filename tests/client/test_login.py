"""``devpi login`` and ``devpi logoff``: the sources of the password, and the stored logins."""

from __future__ import annotations

import pytest
from tests.client.conftest import Devpi, FakeServer, UserAccount

PASSWORD = "a-good-password"


@pytest.mark.slow
class TestLogin:
    """``devpi login`` exchanges a password for a token."""

    @pytest.mark.parametrize(
        ("arguments", "stdin", "environ"),
        [
            pytest.param(["--password", PASSWORD], "", {}, id="option"),
            pytest.param(["--password-stdin"], f"{PASSWORD}\n", {}, id="standard input"),
            pytest.param([], "", {"DEVPI_PASSWORD": PASSWORD}, id="environment"),
            pytest.param(["--password", PASSWORD], "", {"DEVPI_PASSWORD": "wrong"}, id="option before environment"),
        ],
    )
    def test_a_password_becomes_a_login(
        self, new_user: UserAccount, arguments: list[str], stdin: str, environ: dict[str, str]
    ) -> None:
        """Each source of the password leads to the line in the specified session."""
        outcome = new_user.devpi("login", new_user.name, *arguments, stdin=stdin, **environ).ok()

        assert outcome.out == f"logged in '{new_user.name}', credentials valid for 10.00 hours\n"
        ((user, token),) = new_user.devpi.state("auth.json")["auth"][new_user.server.url]
        assert user == new_user.name
        assert PASSWORD not in token
        assert new_user.devpi.state("current.json")["username"] == new_user.name

    @pytest.mark.parametrize(
        ("arguments", "environ", "complaint"),
        [
            pytest.param(
                ["--password-stdin"],
                {},
                "standard input is empty: pipe the password or the token into this command\n",
                id="standard input",
            ),
            pytest.param(
                [],
                {"DEVPI_PASSWORD": ""},
                "the environment variable DEVPI_PASSWORD is empty: put the secret there, or unset it\n",
                id="environment",
            ),
        ],
    )
    def test_an_empty_place_is_no_password(
        self, logged_in_user: UserAccount, arguments: list[str], environ: dict[str, str], complaint: str
    ) -> None:
        """A secret that CI does not know is a mistake, also for root of a new server, who has the empty password."""
        before = logged_in_user.devpi.state("auth.json")

        outcome = logged_in_user.devpi("login", "root", *arguments, **environ).fails()

        assert (outcome.out, outcome.err) == ("", complaint)
        assert logged_in_user.devpi.state("auth.json") == before
        assert logged_in_user.devpi("login", "root", "--password", "").ok()

    @pytest.mark.parametrize("name", ["{name}", "nobody"])
    def test_a_wrong_password_changes_nothing(self, logged_in_user: UserAccount, name: str) -> None:
        """The stored login stays, and the message is the same for every name."""
        before = logged_in_user.devpi.state("auth.json")
        name = name.format(name=logged_in_user.name)

        outcome = logged_in_user.devpi("login", name, "--password", "wrong").fails()

        assert outcome.err == (
            f"POST {logged_in_user.root}/+login\n401 Unauthorized: user '{name}' could not be authenticated\n"
        )
        assert logged_in_user.devpi.state("auth.json") == before

    def test_the_latest_login_is_first(self, logged_in_user: UserAccount) -> None:
        """Of several logins the last one is in use, and the others are kept."""
        logged_in_user.devpi("login", "root", "--password=").ok()
        logged_in_user.devpi("login", logged_in_user.name, "--password", PASSWORD).ok()

        logins = logged_in_user.devpi.state("auth.json")["auth"][logged_in_user.server.url]
        assert [user for user, _ in logins] == [logged_in_user.name, "root"]

    def test_a_deleted_index_is_reported(self, logged_in_user: UserAccount) -> None:
        """The login succeeds, and a note says that the index in use does not exist any more."""
        logged_in_user.devpi("index", "-c", "dev").ok()
        logged_in_user.devpi("use", "dev").ok()
        logged_in_user.devpi("index", "--delete", "dev", "-y").ok()

        outcome = logged_in_user.devpi("login", logged_in_user.name, "--password", PASSWORD)

        assert (outcome.code, outcome.out.count("\n")) == (0, 1)
        assert outcome.err == (
            f"404 Not Found: The stage {logged_in_user.name}/dev could not be found. ('devpi use -l' lists the indices,"
            f" 'devpi index -c {logged_in_user.name}/dev' creates one)\nConnected index does not exist.\n"
        )

    def test_a_missing_password_without_a_terminal_is_reported(self, new_user: UserAccount) -> None:
        """A script without a password does not hang."""
        assert new_user.devpi("login", new_user.name).fails().err == (
            "no password given, and no terminal to ask for it: use --password-stdin or DEVPI_PASSWORD\n"
        )


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (36000, "10.00 hours"),
        (3600, "1.00 hours"),
        (1800, "30 minutes"),
        (90, "90 seconds"),
        (20, "20 seconds"),
        (0.4, "0 seconds"),
    ],
)
def test_a_short_login_is_not_valid_for_no_hours(
    devpi: Devpi, fake_server: FakeServer, seconds: float, shown: str
) -> None:
    """The server chooses how long a login lasts."""
    fake_server.act_as_index_server()
    devpi("use", fake_server.url).ok()
    fake_server.respond("/+login", "proxyauth", {"password": "a-token", "expiration": seconds})

    assert devpi("login", "alice", "--password", "x").ok().out == f"logged in 'alice', credentials valid for {shown}\n"


@pytest.mark.parametrize(
    ("user", "stored"),
    [("grace", "grace"), (None, "GRACE"), ("", "GRACE"), ("a:b", "GRACE"), ("a\x1b", "GRACE"), (5, "GRACE")],
    ids=ascii,
)
def test_the_name_is_the_one_that_the_server_uses(
    devpi: Devpi, fake_server: FakeServer, user: object, stored: str
) -> None:
    """The client stores and shows the name in the server's answer, if that is a name, and else the typed one."""
    fake_server.act_as_index_server()
    devpi("use", fake_server.url).ok()
    fake_server.respond("/+login", "proxyauth", {"password": "a-token", "expiration": 36000, "user": user})

    assert devpi("login", "GRACE", "--password", "x").ok().out.startswith(f"logged in '{stored}', ")
    assert devpi.state("auth.json") == {"auth": {f"{fake_server.url}/": [[stored, "a-token"]]}}


@pytest.mark.slow
class TestLogoff:
    """``devpi logoff`` ends a login."""

    @pytest.mark.parametrize("command", ["logoff", "logout"])
    def test_the_login_ends_on_client_and_server(self, logged_in_user: UserAccount, command: str) -> None:
        """The token is deleted, and the server does not accept a copy of it any more."""
        kept = logged_in_user.devpi.state("auth.json")

        assert logged_in_user.devpi(command).ok().out == "login information deleted\n"

        assert logged_in_user.devpi.state("auth.json") == {"auth": {logged_in_user.server.url: []}}
        assert logged_in_user.devpi(command).ok().out == "not logged in\n"
        (logged_in_user.devpi.clientdir / "auth.json").write_text(str(kept).replace("'", '"'))
        assert "is no longer valid" in logged_in_user.devpi("use").err

    def test_other_logins_are_kept(self, logged_in_user: UserAccount) -> None:
        """Only the user in use is logged off, and no other user is in use then."""
        logged_in_user.devpi("login", "root", "--password=").ok()

        logged_in_user.devpi("logoff").ok()

        logins = logged_in_user.devpi.state("auth.json")["auth"][logged_in_user.server.url]
        assert [user for user, _ in logins] == [logged_in_user.name]
        assert "(not logged in)" in logged_in_user.devpi("use").ok().out
        assert (
            f"(logged in as {logged_in_user.name})"
            in logged_in_user.devpi("use", DEVPI_USER=logged_in_user.name).ok().out
        )


def test_a_login_needs_a_server(devpi: Devpi) -> None:
    """The message names the option that selects one on the way."""
    assert devpi("login", "root", "--password=").fails().err == (
        "not connected to a server: give --url URL, or type 'devpi use URL' first\n"
    )
    assert devpi("login", "root", "--password=", "--url", "team/prod").fails(2).err == (
        "devpi login: error: --url takes a URL, which starts with http:// or https://\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["user", "-l"],
        ["user", "x"],
        ["user", "-c", "x", "password=y"],
        ["index", "a/b"],
    ],
)
def test_commands_need_a_server(devpi: Devpi, arguments: list[str]) -> None:
    """Commands that need a server say how to select one."""
    assert devpi(*arguments).fails().err == "not connected to a server, see 'devpi use'\n"


def test_without_a_server_nobody_is_logged_in(devpi: Devpi) -> None:
    """Logging off twice, or before any login, is not a failure."""
    assert devpi("logoff").ok().out == "not logged in\n"


def test_logging_off_works_without_the_server(devpi: Devpi, fake_server: FakeServer) -> None:
    """The token is deleted even if the server is down or does not support logging off."""
    fake_server.act_as_index_server()
    devpi("use", fake_server.url).ok()
    devpi("login", "alice", "--password", "x").ok()

    assert devpi("logoff").ok().out == "login information deleted\n"
    assert devpi.state("auth.json") == {"auth": {f"{fake_server.url}/": []}}
    assert [request.path for request in fake_server.requests][-1] == "/+logout"
