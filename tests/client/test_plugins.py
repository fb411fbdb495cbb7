"""What plugins add to the client, and failures of plugins."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.client.conftest import Devpi, FakeServer

PASSWORDS = """
    from wheelgate_client.hookspecs import hookimpl

    @hookimpl
    def wheelgate_client_get_password(url, username):
        {body}
"""

COMMAND = """
    from wheelgate_client.hookspecs import hookimpl

    @hookimpl
    def wheelgate_client_commands(subparsers):
        parser = subparsers.add_parser("greet")
        parser.add_argument("name")
        parser.set_defaults(run=greet)

    def greet(options, context):
        context.terminal.print_line(f"hello {options.name} at {context.server_url}")
        return 7
"""

MISSPELT = """
    from wheelgate_client.hookspecs import hookimpl

    @hookimpl
    def wheelgate_client_get_pasword(url):
        return "x"
"""


def test_plugins_are_listed_with_their_hooks(devpi: Devpi, install_plugin: Callable[[str, str], None]) -> None:
    """The list shows name, distribution and version, then the hooks."""
    install_plugin("vault", PASSWORDS.format(body="return None"))

    assert "vault (vault 1.2)\n    wheelgate_client_get_password\n" in devpi("plugins").ok().out


def test_a_verbose_version_lists_plugins_and_server(
    devpi: Devpi, install_plugin: Callable[[str, str], None], fake_server: FakeServer
) -> None:
    """``--version -v`` asks the server for its versions; a server that is down is left out."""
    install_plugin("vault", PASSWORDS.format(body="return None"))
    fake_server.act_as_index_server()
    fake_server.respond("/+status", "status", {"versioninfo": {"devpi-server": "6.20.3"}})

    before = devpi("--version", "-v").ok().out
    devpi("use", fake_server.url).ok()
    after = devpi("--version", "-v").ok().out

    assert before.startswith("devpi (wheelgate) ")
    assert "\n\nplugins:\n" in before
    assert "    vault (vault 1.2)\n" in before
    assert after == f"{before}\ncurrent devpi server: {fake_server.url}/\n    devpi-server 6.20.3\n"


def test_a_plugin_provides_the_password(
    devpi: Devpi, install_plugin: Callable[[str, str], None], fake_server: FakeServer
) -> None:
    """The client passes server and user to it, if neither option nor environment gives a password."""
    fake_server.act_as_index_server()
    devpi("use", fake_server.url).ok()
    install_plugin("vault", PASSWORDS.format(body="return f'{username} at {url}'"))

    devpi("login", "alice").ok()
    devpi("login", "alice", "--password", "typed").ok()
    devpi("login", "alice", DEVPI_PASSWORD="set").ok()

    sent = [request.json()["password"] for request in fake_server.requests if request.path == "/+login"]
    assert sent == [f"alice at {fake_server.url}/", "typed", "set"]


def test_the_keyring_provides_the_password(
    devpi: Devpi, install_plugin: Callable[[str, str], None], fake_server: FakeServer
) -> None:
    """If the keyring library is installed, ``devpi login`` takes the password that ``keyring get`` would print."""
    fake_server.act_as_index_server()
    devpi("use", fake_server.url).ok()
    install_plugin("keyring", "def get_password(service, username): return f'{username} of {service}'")

    devpi("login", "alice").ok()

    assert fake_server.requests[-1].json()["password"] == f"alice of {fake_server.url}/"


KEYRING = """
    import sys
    import types

    class NoKeyringError(RuntimeError):
        pass

    class KeyringLocked(Exception):
        pass

    sys.modules["keyring.errors"] = sys.modules[__name__]

    def get_password(service, username):
        raise {error}("no")
"""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("NoKeyringError", ""),
        ("KeyringLocked", "plugin 'keyring' failed in wheelgate_client_get_password: KeyringLocked: no\n"),
    ],
    ids=["no store", "locked"],
)
def test_a_failing_keyring_is_skipped(
    devpi: Devpi, install_plugin: Callable[[str, str], None], fake_server: FakeServer, error: str, said: str
) -> None:
    """A machine without a store needs no message; a locked store does."""
    fake_server.act_as_index_server()
    devpi("use", fake_server.url).ok()
    install_plugin("keyring", KEYRING.format(error=error))

    outcome = devpi("login", "alice").fails()

    assert outcome.err.removesuffix("use --password-stdin or DEVPI_PASSWORD\n") == (
        f"{said}no password given, and no terminal to ask for it: "
    )


@pytest.mark.parametrize("body", ["raise RuntimeError('sealed')", "return undefined"])
def test_a_failing_plugin_is_named_and_skipped(
    devpi: Devpi, install_plugin: Callable[[str, str], None], fake_server: FakeServer, body: str
) -> None:
    """The client reports the failure and asks the next plugin."""
    fake_server.act_as_index_server()
    devpi("use", fake_server.url).ok()
    install_plugin("alpha", PASSWORDS.format(body="return 'from alpha'"))
    install_plugin("vault", PASSWORDS.format(body=body))

    outcome = devpi("login", "alice")

    assert outcome.code == 0
    assert outcome.err.startswith("plugin 'vault' failed in wheelgate_client_get_password: ")
    assert outcome.err.count("\n") == 1
    assert fake_server.requests[-1].json()["password"] == "from alpha"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'", id="import"),
        pytest.param("raise SystemError('boo\\nhoo')", "SystemError: boo", id="raises"),
        pytest.param(MISSPELT, "PluginValidationError: ", id="misspelt hook"),
        pytest.param(
            PASSWORDS.replace("username", "user").format(body="return 1"), "PluginValidationError: ", id="argument"
        ),
    ],
)
def test_a_broken_plugin_is_left_out(
    devpi: Devpi, install_plugin: Callable[[str, str], None], source: str, reason: str
) -> None:
    """One line on standard error reports it, and the command continues without it."""
    install_plugin("broken", source)

    outcome = devpi("plugins")

    assert outcome.code == 0
    assert outcome.err.startswith(f"plugin 'broken' is left out: {reason}")
    assert outcome.err.count("\n") == 1
    assert "broken (" not in outcome.out
    assert "pipconfig (" in outcome.out


def test_plugins_can_be_left_out_by_name(devpi: Devpi, install_plugin: Callable[[str, str], None]) -> None:
    """``DEVPI_NO_PLUGIN`` blocks third-party and bundled plugins."""
    install_plugin("vault", PASSWORDS.format(body="return None"))

    assert devpi("plugins", DEVPI_NO_PLUGIN="vault, keyring,pipconfig").ok().out == ""


def test_a_plugin_adds_a_command(
    devpi: Devpi, install_plugin: Callable[[str, str], None], fake_server: FakeServer
) -> None:
    """It gets the parsed arguments and the context, and its result is the exit code."""
    fake_server.act_as_index_server()
    devpi("use", fake_server.url).ok()
    install_plugin("greeter", COMMAND)

    outcome = devpi("greet", "world", "-y")

    assert (outcome.code, outcome.out, outcome.err) == (7, f"hello world at {fake_server.url}/\n", "")
    assert devpi("greet", "--help").ok().out.startswith("usage: devpi greet ")
    assert devpi("greet").fails(2).err == (
        "devpi greet: error: the following arguments are required: name; see 'devpi greet --help'\n"
    )
    assert "plugins, help, greet); see 'devpi --help'" in devpi("nosuch").fails(2).err
