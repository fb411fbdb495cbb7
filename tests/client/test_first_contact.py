"""The first commands on a machine: a private index before the login, and an API token without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.client.conftest import Devpi, FakeServer, Outcome, UserAccount
from tests.helpers.distributions import wheel

pytestmark = pytest.mark.slow

PASSWORD = "a-good-password"


@pytest.fixture
def private(logged_in_user: UserAccount) -> Iterator[UserAccount]:
    """Return a user with a private index, on a machine where ``devpi`` has no state yet."""
    logged_in_user.devpi("index", "-c", "prod", "acl_read=").ok()
    logged_in_user.devpi("index", "-c", "open").ok()
    for path in logged_in_user.devpi.clientdir.glob("*.json"):
        path.unlink()
    yield logged_in_user
    # As long as there is a private index, missing ones are answered with 401 on the server that the tests share.
    logged_in_user.devpi("login", logged_in_user.name, "--password", PASSWORD, "--url", logged_in_user.root).ok()
    logged_in_user.devpi("index", "--delete", "prod", "-y").ok()


def index_of(user: UserAccount) -> str:
    """Return the URL of the private index."""
    return f"{user.root}/{user.name}/prod"


def test_a_private_index_is_selected_after_the_login(private: UserAccount) -> None:
    """``use`` keeps the server and says what is missing; ``login`` then selects the index, and only once."""
    url = index_of(private)

    used = private.devpi("use", url).ok().out
    refused = private.devpi("list").fails().err
    logged_in = private.devpi("login", private.name, "--password", PASSWORD).ok().out

    assert used.startswith(
        f"using server: {private.server.url} (not logged in)\n"
        f"no current index: {url} needs a login, type 'devpi login USER', which then selects it\n"
    )
    assert refused == f"the index {url} needs a login: type 'devpi login USER', which then selects it\n"
    assert logged_in.splitlines()[:2] == [
        f"logged in '{private.name}', credentials valid for 10.00 hours",
        f"current devpi index: {url} (logged in as {private.name})",
    ]
    again = private.devpi("login", private.name, "--password", PASSWORD).ok().out
    assert again == f"logged in '{private.name}', credentials valid for 10.00 hours\n"
    assert private.devpi("index").ok().out.startswith(f"{url}:\n")


@pytest.mark.parametrize("index", ["prod", "open"])
def test_a_login_can_select_the_index_itself(private: UserAccount, index: str) -> None:
    """``login --url`` works without a server in use, for a private index and for a public one."""
    url = f"{private.root}/{private.name}/{index}"

    outcome = private.devpi("login", private.name, "--password", PASSWORD, "--url", url).ok()

    assert f"current devpi index: {url} (logged in as {private.name})\n" in outcome.out
    assert private.devpi("index").ok().out.startswith(f"{url}:\n")


def test_a_login_can_select_the_server_alone(private: UserAccount) -> None:
    """``login --url`` with the URL of a server prints the line of a login and no more."""
    outcome = private.devpi("login", private.name, "--password", PASSWORD, "--url", private.root).ok()

    assert outcome.out == f"logged in '{private.name}', credentials valid for 10.00 hours\n"
    assert f"using server: {private.server.url} (logged in as {private.name})" in private.devpi("use").ok().out


def test_an_index_that_the_user_may_not_read_is_reported_once(private: UserAccount) -> None:
    """The login succeeds; the index is then not in use, and no later command tries it again."""
    private.devpi("use", private.root).ok()
    private.devpi("user", "-c", f"{private.name}-b", f"password={PASSWORD}").ok()
    private.devpi("use", index_of(private)).ok()

    outcome = private.devpi("login", f"{private.name}-b", "--password", PASSWORD).fails()

    assert outcome.out == f"logged in '{private.name}-b', credentials valid for 10.00 hours\n"
    assert "404 Not Found" in outcome.err
    assert f"using server: {private.server.url} (logged in as {private.name}-b)" in private.devpi("use").ok().out


def test_an_index_on_a_server_not_in_use_needs_its_login(private: UserAccount) -> None:
    """Without a server in use, the hint of a refusal names the server to log in to."""
    refused = private.devpi("list", "--index", index_of(private)).fails().err

    assert refused.endswith(f"(type 'devpi login USER --url {index_of(private)}')\n")


@pytest.fixture
def token(private: UserAccount) -> str:
    """Return a token of the user."""
    private.devpi("login", private.name, "--password", PASSWORD, "--url", private.root).ok()
    token = private.devpi("token", "create", "--scope", "read,upload").out.strip()
    for path in private.devpi.clientdir.glob("*.json"):
        path.unlink()
    return token


COMMANDS: dict[str, Callable[[str], list[str]]] = {
    "use": lambda url: ["use", url],
    "upload": lambda url: ["upload", "--index", url, wheel("mine").filename],
    "list": lambda url: ["list", "--index", url],
    "getjson": lambda url: ["getjson", url],
    "why": lambda url: ["why", "mine", "--index", url],
    "refresh": lambda url: ["refresh", "mine", "--index", url],
    "test": lambda url: ["test", "mine", "--list", "--index", url],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_token_in_the_environment_needs_no_server_in_use(
    private: UserAccount, token: str, command: Callable[[str], list[str]]
) -> None:
    """Every command that names the URL of the private index sends it the token."""
    made = wheel("mine")
    (private.devpi.home / made.filename).write_bytes(made.content)
    private.devpi("upload", "--index", index_of(private), made.filename, DEVPI_TOKEN=token).ok()

    outcome = private.devpi(*command(index_of(private)), DEVPI_TOKEN=token)

    assert "not logged in" not in outcome.out + outcome.err
    assert "401" not in outcome.err
    assert "is not sent" not in outcome.err


def test_a_token_in_the_environment_is_reported_where_it_is_not_sent(
    private: UserAccount, token: str, fake_server: FakeServer
) -> None:
    """A server that is not in use does not get the token, and the command says so, once."""
    fake_server.serve_index()
    private.devpi("use", private.root).ok()

    outcome = private.devpi("list", "--index", f"{fake_server.url}/alice/dev", DEVPI_TOKEN=token)

    assert outcome.err.startswith(
        f"DEVPI_TOKEN is not sent to {fake_server.url}/: it is for the server in use, {private.server.url}; type"
        " 'devpi use URL' to change that\n"
    )
    assert outcome.err.count("DEVPI_TOKEN") == 1
    assert not [request for request in fake_server.requests if "X-Devpi-Auth" in request.headers]


def refused_token(devpi: Devpi, url: str, *arguments: str) -> Outcome:
    """Run a command with a token that the server does not know."""
    return devpi(*arguments, url, DEVPI_TOKEN=f"wgt_{'A' * 12}.{'B' * 22}.e30.{'C' * 43}")


@pytest.mark.parametrize(
    "arguments", [["use"], ["list", "--index"], ["upload", "--dry-run", "x", "--index"]], ids=" ".join
)
def test_the_hint_for_a_token_is_not_a_login(private: UserAccount, arguments: list[str]) -> None:
    """If the server does not accept the token, the command names DEVPI_TOKEN, and no user ``__token__``."""
    for index in ("prod", "open"):
        err = refused_token(private.devpi, f"{private.root}/{private.name}/{index}", *arguments).err

        assert "__token__" not in err
        if index == "prod" or arguments[0] != "list":
            assert "unset DEVPI_TOKEN, and type 'devpi token create' for another" in err
