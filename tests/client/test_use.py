"""``devpi use``: selecting and showing the server and the index."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from tests.client.conftest import Devpi, FakeServer, UserAccount

from wheelgate.testing.server_process import ServerProcess

pytestmark = pytest.mark.slow

NO_CONFIGURATION = """\
~/.pydistutils.cfg     : no config file exists
~/.pip/pip.conf        : no config file exists
~/.buildout/default.cfg: no config file exists
always-set-cfg: no
"""

FEATURES = [
    *("api-tokens", "can", "project-status", "push-no-docs", "push-only-docs", "push-register-project"),
    *("server-keyvalue-parsing", "whoami", "why", "yank"),
]


def test_a_server_stays_in_use(devpi: Devpi, index_server: ServerProcess) -> None:
    """``use URL`` and every later ``use`` show the server, in the words of the specified session."""
    expected = f"""\
using server: {index_server.url} (not logged in)
no current index: type 'devpi use -l' to discover indices
{NO_CONFIGURATION}"""

    assert devpi("use", index_server.url).ok().out == expected
    assert devpi("use").ok().out == expected
    assert devpi.state("current.json") == {
        "features": FEATURES,
        "login": f"{index_server.url}+login",
    }


@pytest.mark.parametrize(
    "spelling",
    ["{root}/{name}/dev", "{root}/{name}/dev/", "/{name}/dev", "{name}/dev", "/{name}/dev/", "dev"],
)
def test_an_index_can_be_named_in_many_ways(logged_in_user: UserAccount, spelling: str) -> None:
    """URL, ``/user/index``, ``user/index`` and the ``index`` of the user logged in mean the same."""
    logged_in_user.devpi("index", "-c", "dev").ok()

    outcome = logged_in_user.devpi("use", spelling.format(root=logged_in_user.root, name=logged_in_user.name)).ok()

    index = f"{logged_in_user.root}/{logged_in_user.name}/dev"
    assert outcome.out == f"current devpi index: {index} (logged in as {logged_in_user.name})\n{NO_CONFIGURATION}"
    state = logged_in_user.devpi.state("current.json")
    assert (state["index"], state["simpleindex"]) == (index, f"{index}/+simple/")


def test_urls_are_shown_on_demand(logged_in_user: UserAccount) -> None:
    """``--urls`` adds the URLs of login, upload and simple index, and the features of the server."""
    logged_in_user.devpi("index", "-c", "dev").ok()
    logged_in_user.devpi("use", "dev").ok()

    index = f"{logged_in_user.root}/{logged_in_user.name}/dev"
    assert logged_in_user.devpi("use", "--urls").ok().out.splitlines()[1:5] == [
        f"              login: {logged_in_user.root}/+login",
        f"         pypisubmit: {index}/",
        f"        simpleindex: {index}/+simple/",
        f"supported features: {', '.join(FEATURES)}",
    ]


def test_indices_are_listed(logged_in_user: UserAccount) -> None:
    """``-l`` shows each index with its bases, ``-u`` only those of one user."""
    logged_in_user.devpi("index", "-c", "dev").ok()
    logged_in_user.devpi("index", "-c", "prod", f"bases={logged_in_user.name}/dev", "volatile=False").ok()
    expected = [
        f"{logged_in_user.name + '/dev':<15} bases={'':<15} volatile=True",
        f"{logged_in_user.name + '/prod':<15} bases={logged_in_user.name + '/dev':<15} volatile=False",
    ]

    assert logged_in_user.devpi("use", "-l", "-u", logged_in_user.name).ok().out.splitlines() == expected
    every = logged_in_user.devpi("use", "-l").ok().out.splitlines()
    assert every == sorted(every)
    assert set(expected) < set(every)


def test_the_environment_names_an_index_for_one_command(logged_in_user: UserAccount) -> None:
    """``DEVPI_INDEX`` applies to one command, which announces it; the next command does not use it."""
    logged_in_user.devpi("index", "-c", "dev").ok()

    before = logged_in_user.devpi.state("current.json")

    outcome = logged_in_user.devpi("use", DEVPI_INDEX=f"{logged_in_user.name}/dev")

    assert logged_in_user.devpi.state("current.json") == before
    assert outcome.err == f"Using DEVPI_INDEX from environment: {logged_in_user.name}/dev\n"
    assert outcome.out.startswith(
        f"current devpi index: {logged_in_user.root}/{logged_in_user.name}/dev (logged in as "
    )
    assert logged_in_user.devpi("use").ok().out.startswith("using server: ")


@pytest.mark.parametrize("index", ["dev", "a/b/c"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["user", "-l"],
        ["user", "{name}"],
        ["user", "-m", "{name}", "title=x"],
        ["getjson", "/"],
        ["use", "-l"],
        ["index", "-l", "{name}"],
        ["index", "-c", "{name}/new"],
        ["index", "{name}/new"],
        ["login", "{name}", "--password=a-good-password"],
        ["passwd", "{name}", "--password=a-good-password"],
        ["logoff"],
    ],
    ids=" ".join,
)
def test_commands_that_need_no_index_ignore_the_environment(
    logged_in_user: UserAccount, arguments: list[str], index: str
) -> None:
    """``DEVPI_INDEX`` counts only for commands that need an index: the others neither mention it nor fail over it."""
    logged_in_user.devpi("index", "-c", "new").ok()
    filled = [text.format(name=logged_in_user.name) for text in arguments]
    if filled[:2] == ["index", "-c"]:
        logged_in_user.devpi("index", "--delete", "new", "-y").ok()

    logged_in_user.devpi(*filled, DEVPI_INDEX=index).ok()


@pytest.mark.parametrize("arguments", [["user", "-l"], ["login", "{name}", "--password=a-good-password"]], ids=" ".join)
def test_logged_off_commands_ignore_the_environment(new_user: UserAccount, arguments: list[str]) -> None:
    """A name without its user in ``DEVPI_INDEX`` is no reason to refuse a login."""
    new_user.devpi(*(text.format(name=new_user.name) for text in arguments), DEVPI_INDEX="dev").ok()


@pytest.mark.parametrize("url", ["{root}", "{root}/alice"])
def test_a_url_in_the_environment_is_that_of_an_index(new_user: UserAccount, url: str) -> None:
    """The URL of a server alone is refused with its form."""
    refused = new_user.devpi("index", DEVPI_INDEX=url.format(root=new_user.root)).fails()

    assert "is not the URL of an index: that ends with USER/INDEX\n" in refused.err


def test_the_environment_may_name_the_server_too(logged_in_user: UserAccount, tmp_path: Path) -> None:
    """A URL in ``DEVPI_INDEX`` works without a server in use."""
    logged_in_user.devpi("index", "-c", "dev").ok()
    url = f"{logged_in_user.root}/{logged_in_user.name}/dev"

    outcome = logged_in_user.devpi("index", DEVPI_INDEX=url, DEVPI_CLIENTDIR=str(tmp_path / "fresh"))

    assert outcome.out.startswith(f"{url}:\n  type=stage\n")


def test_the_command_line_takes_precedence_over_the_environment(logged_in_user: UserAccount) -> None:
    """``use INDEX`` ignores ``DEVPI_INDEX``."""
    logged_in_user.devpi("index", "-c", "dev").ok()

    outcome = logged_in_user.devpi("use", "dev", DEVPI_INDEX="no/such").ok()

    assert outcome.out.startswith(f"current devpi index: {logged_in_user.root}/{logged_in_user.name}/dev ")


def test_the_environment_names_one_of_several_logins(logged_in_user: UserAccount) -> None:
    """``DEVPI_USER`` selects one of the stored logins."""
    logged_in_user.devpi("user", "-c", f"{logged_in_user.name}b", "password=a-good-password").ok()
    logged_in_user.devpi("login", f"{logged_in_user.name}b", "--password", "a-good-password").ok()

    assert f"(logged in as {logged_in_user.name}b)" in logged_in_user.devpi("use").ok().out
    assert (
        f"(logged in as {logged_in_user.name})" in logged_in_user.devpi("use", DEVPI_USER=logged_in_user.name).ok().out
    )
    assert "(not logged in)" in logged_in_user.devpi("use", DEVPI_USER="nobody").ok().out


def test_each_server_has_its_own_login(logged_in_user: UserAccount, fake_server: FakeServer) -> None:
    """After a change of server, the user is the one who logged in there."""
    fake_server.act_as_index_server("alice")
    logged_in_user.devpi("use", fake_server.url).ok()
    logged_in_user.devpi("login", "alice", "--password", "x").ok()

    assert f"(logged in as {logged_in_user.name})" in logged_in_user.devpi("use", logged_in_user.root).ok().out
    assert logged_in_user.devpi("user").ok().out.startswith(f"{logged_in_user.root}/{logged_in_user.name}:\n")
    assert "(logged in as alice)" in logged_in_user.devpi("use", fake_server.url).ok().out
    assert "X-Devpi-Auth" in fake_server.requests[-1].headers


def test_deleting_the_selection_keeps_the_logins(logged_in_user: UserAccount) -> None:
    """``--delete`` removes the selection; the user is still logged in after selecting the server again."""
    path = logged_in_user.devpi.clientdir / "current.json"

    assert logged_in_user.devpi("use", "--delete").ok().out == f"REMOVED configuration at {path}\n"
    assert logged_in_user.devpi("use", "--delete").fails().err == f"nothing to delete: there is no {path}\n"
    assert f"(logged in as {logged_in_user.name})" in logged_in_user.devpi("use", logged_in_user.root).ok().out


def test_an_index_that_does_not_exist_is_not_used(logged_in_user: UserAccount) -> None:
    """The message shows request and response, and the selection stays."""
    before = logged_in_user.devpi.state("current.json")

    outcome = logged_in_user.devpi("use", f"{logged_in_user.name}/nope").fails()

    assert outcome.err == (
        f"GET {logged_in_user.root}/{logged_in_user.name}/nope/+api\n"
        f"404 Not Found: The stage {logged_in_user.name}/nope could not be found. ('devpi use -l' lists the indices,"
        f" 'devpi index -c {logged_in_user.name}/nope' creates one)\n"
    )
    assert logged_in_user.devpi.state("current.json") == before


def test_an_ended_login_is_deleted_and_reported(logged_in_user: UserAccount, index_server: ServerProcess) -> None:
    """If the server does not accept a token any more, the client advises to log in again."""
    auth = logged_in_user.devpi.clientdir / "auth.json"
    auth.write_text(auth.read_text().replace("wgs_", "wgs_x"))

    outcome = logged_in_user.devpi("use")

    assert outcome.out.startswith(f"using server: {index_server.url} (not logged in)\n")
    assert outcome.err == (
        f"the login of '{logged_in_user.name}' is no longer valid: type 'devpi login {logged_in_user.name}'\n"
    )
    assert logged_in_user.devpi.state("auth.json") == {"auth": {index_server.url: []}}


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        pytest.param("/root/pypi", "invalid URL: /root/pypi/ (no server is in use", id="no server yet"),
        pytest.param("localhost:3141", "invalid URL: localhost:3141 (a URL starts with http", id="no scheme"),
        pytest.param("ftp://localhost/", "invalid URL: ftp://localhost/", id="wrong scheme"),
        pytest.param("http://", "invalid URL: http://", id="no host"),
        pytest.param("http://localhost:99999/", "invalid URL: http://localhost:99999/", id="no port"),
        pytest.param("http://local host/", "invalid URL: http://local host/", id="space"),
        pytest.param("http://[::1/", "invalid URL: http://[::1/", id="half an address"),
        pytest.param("http://u@localhost/", "When using basic auth, you have to provide", id="no password"),
        pytest.param("ftp://u:secret@localhost/", "invalid URL: ftp://u:****@localhost/", id="password is hidden"),
    ],
)
def test_invalid_urls_are_refused(devpi: Devpi, wanted: str, complaint: str) -> None:
    """One line says what is wrong; no request is sent and nothing is stored."""
    assert devpi("use", wanted).fails().err.startswith(complaint)
    assert not devpi.clientdir.exists()


@pytest.mark.parametrize("below", ["/+simple/", "/+simple/some-project/", "/+f/12/34/a-1.0.zip", "/+api"])
@pytest.mark.parametrize(
    ("arguments", "variables", "correction"),
    [
        (["use", "{}"], {}, "devpi use {}"),
        (["list", "--index", "{}"], {}, "--index {}"),
        (["login", "alice", "--password=x", "--url", "{}"], {}, "--url {}"),
        (["index"], {"DEVPI_INDEX": "{}"}, "DEVPI_INDEX={}"),
    ],
    ids=["use", "option", "login", "environment"],
)
def test_an_address_below_an_index_is_refused_with_that_of_the_index(
    devpi: Devpi, arguments: list[str], variables: dict[str, str], correction: str, below: str
) -> None:
    """The address that pip gets is not that of an index; the message says what to type instead."""
    index = "http://packages.example/team/prod"
    given = {name: text.format(index + below) for name, text in variables.items()}

    refused = devpi(*(text.format(index + below) for text in arguments), **given).fails()

    assert refused.err.endswith(f"type '{correction.format(index)}'\n")
    assert not devpi.clientdir.exists()


@pytest.mark.parametrize("path", ["some-project", "some-project/1.0", "some-project/1.0/"])
def test_the_address_of_a_project_is_refused_with_that_of_its_index(logged_in_user: UserAccount, path: str) -> None:
    """The client looks for an index above the URL; a name with more than a user and an index names that, too."""
    logged_in_user.devpi("index", "-c", "dev").ok()
    index = f"{logged_in_user.root}/{logged_in_user.name}/dev"

    refused = logged_in_user.devpi("use", f"{index}/{path}").fails().err
    named = logged_in_user.devpi("use", f"{logged_in_user.name}/dev/{path}").fails().err

    assert refused == f"'{index}/{path.rstrip('/')}' is not an index, but below one: type 'devpi use {index}'\n"
    assert named.endswith(f": give USER or USER/INDEX, such as {logged_in_user.name}/dev\n")


@pytest.mark.parametrize("path", ["no/such", "no/such/project"])
def test_a_wrong_address_is_refused_with_that_of_the_server(
    devpi: Devpi, index_server: ServerProcess, path: str
) -> None:
    """Without a server in use, the client looks for one above the URL."""
    refused = devpi("use", f"{index_server.url}{path}").fails().err

    advice = f"there is an index server: type 'devpi use {index_server.url}', then 'devpi use -l' to list its indices"
    assert refused.splitlines()[-1] == advice


def test_an_index_in_the_environment_needs_a_server(devpi: Devpi) -> None:
    """Without a server in use, ``DEVPI_INDEX`` has to be a URL."""
    outcome = devpi("index", DEVPI_INDEX="root/pypi").fails()

    assert outcome.err == (
        "Using DEVPI_INDEX from environment: root/pypi\n"
        "DEVPI_INDEX has to be a URL: not connected to a server, see 'devpi use'\n"
    )


def test_listing_indices_needs_a_server(devpi: Devpi) -> None:
    """``-l`` needs a server."""
    assert devpi("use", "-l").fails().err == "not connected to any server: type 'devpi use URL' first\n"


@pytest.mark.parametrize("name", ["a/b/c", "../x", "alice/..", "./dev", "a//b"])
def test_a_name_cannot_lead_elsewhere(logged_in_user: UserAccount, name: str) -> None:
    """Dots and slashes in names never lead to another path."""
    assert "is not the name of a user or an index" in logged_in_user.devpi("use", name).fails().err


def test_a_short_index_name_needs_a_login(new_user: UserAccount) -> None:
    """The short form of an index needs a login."""
    outcome = new_user.devpi("use", "dev").fails()

    assert outcome.err.startswith("no current authenticated user, so whose index is 'dev'?")


def test_state_is_private_from_the_start(logged_in_user: UserAccount) -> None:
    """Only the owner can read new directories and files."""
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (logged_in_user.devpi.clientdir.parent, *logged_in_user.devpi.clientdir.parent.rglob("*"))
    }

    assert modes == {".devpi": 0o700, "client": 0o700, ".lock": 0o600, "current.json": 0o600, "auth.json": 0o600}


class TestVirtualEnvironment:
    """An active or selected virtual environment."""

    @pytest.fixture
    def venv(self, tmp_path: Path) -> Path:
        """Make a folder that counts as a virtual environment."""
        venv = tmp_path / "venv"
        venv.mkdir()
        (venv / "pyvenv.cfg").write_text("home = /usr/bin\n")
        return venv

    def test_only_its_configuration_is_shown(self, new_user: UserAccount, venv: Path) -> None:
        """In an active environment the files of the user are neither shown nor changed."""
        lines = new_user.devpi("use", VIRTUAL_ENV=str(venv)).ok().out.splitlines()

        assert lines[2:4] == [
            f"venv for install/set commands: {venv}",
            "only setting venv pip/uv config, no global configuration changed",
        ]
        assert [line.split(":")[0].strip() for line in lines[4:]] == [f"{venv}/pip.conf", "always-set-cfg"]

    def test_an_environment_can_be_selected_and_unset(self, new_user: UserAccount, venv: Path) -> None:
        """``--venv DIR`` is remembered until ``--venv -``."""
        chosen = f"venv for install/set commands: {venv}"

        assert chosen in new_user.devpi("use", "--venv", str(venv)).ok().out
        assert chosen in new_user.devpi("use").ok().out
        assert chosen not in new_user.devpi("use", "--venv", "-").ok().out

    def test_other_directories_are_refused(self, new_user: UserAccount) -> None:
        """A directory that is not a virtual environment is refused."""
        assert new_user.devpi("use", "--venv", "nodir").fails().err.startswith("No virtualenv found at: 'nodir'")
        assert new_user.devpi("use").ok()

    def test_an_environment_can_store_the_selection(self, logged_in_user: UserAccount, venv: Path) -> None:
        """After ``--local`` the environment has its own selection, apart from the one outside."""
        logged_in_user.devpi("index", "-c", "dev").ok()

        outcome = logged_in_user.devpi("use", "--local", VIRTUAL_ENV=str(venv)).ok()
        logged_in_user.devpi("use", "dev", VIRTUAL_ENV=str(venv)).ok()

        assert outcome.out.splitlines()[0] == f"Creating local configuration at {venv}/devpi.json"
        assert stat.S_IMODE((venv / "devpi.json").stat().st_mode) == 0o600
        assert "Creating" not in logged_in_user.devpi("use", "--local", VIRTUAL_ENV=str(venv)).ok().out
        assert logged_in_user.devpi("use", VIRTUAL_ENV=str(venv)).ok().out.startswith("current devpi index: ")
        assert logged_in_user.devpi("use").ok().out.startswith("using server: ")

    def test_local_needs_an_active_environment(self, new_user: UserAccount) -> None:
        """Without an active virtual environment there is no place for the selection."""
        assert new_user.devpi("use", "--local").fails().err == "Using --local is only valid in an active virtualenv.\n"
