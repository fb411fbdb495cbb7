"""Help texts, and messages about wrong command lines."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from tests.client.conftest import Devpi

from wheelgate_client.commands import COMMANDS


def test_no_command_shows_the_help(devpi: Devpi) -> None:
    """``devpi`` without arguments is not an error."""
    assert devpi().ok().out == devpi("--help").ok().out


def test_help_lists_every_command(devpi: Devpi) -> None:
    """The help lists each command with its purpose."""
    lines = devpi("--help").ok().out.splitlines()

    assert [line.split()[0] for line in lines if line.strip().endswith(tuple(COMMANDS.values()))] == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_own_help(devpi: Devpi, command: str) -> None:
    """``devpi COMMAND --help`` names the command and the options of every command."""
    out = devpi(command, "--help").ok().out

    assert out.startswith(f"usage: devpi {command} ")
    assert "--clientdir DIR" in out


@pytest.mark.parametrize("width", [80, 120])
def test_the_help_fits_the_terminal(devpi: Devpi, width: int) -> None:
    """No line is longer than the terminal, and the first steps come before the options."""
    out = devpi("--help", COLUMNS=str(width)).ok().out

    assert max(map(len, out.splitlines())) <= width
    assert out.index("first steps:") < out.index("options:") < out.index("packages:")


@pytest.mark.parametrize("command", [None, "use", "token"])
def test_help_is_a_command_too(devpi: Devpi, command: str | None) -> None:
    """``devpi help`` and ``devpi help COMMAND`` show what ``--help`` shows."""
    named = [] if command is None else [command]

    assert devpi("help", *named).ok().out == devpi(*named, "--help").ok().out


def test_version_is_that_of_the_distribution(devpi: Devpi) -> None:
    """The version in the client's code is that of the distribution."""
    for option in ("--version", "-V"):
        assert devpi(option).ok().out == f"devpi (wheelgate) {version('wheelgate')}\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["nosuch"], "devpi: error: there is no command 'nosuch' (choose from use, ", id="unknown command"),
        pytest.param(["--nosuch"], "devpi: error: unrecognized arguments: --nosuch", id="unknown option"),
        pytest.param(
            ["use", "--nosuch"], "devpi use: error: unrecognized arguments: --nosuch", id="option of a command"
        ),
        pytest.param(
            ["usre"], "devpi: error: there is no command 'usre', did you mean 'use'?; see", id="nearest command"
        ),
        pytest.param(
            ["hepl"], "devpi: error: there is no command 'hepl', did you mean 'help'?; see", id="nearest help"
        ),
        pytest.param(
            ["upload", "--form-dir", "x"],
            "devpi upload: error: unrecognized arguments: --form-dir, did you mean '--from-dir'?; see",
            id="nearest option",
        ),
        pytest.param(
            ["token", "lst"],
            "devpi token: error: argument create|list|inspect|revoke|derive: invalid choice: 'lst', did you mean 'lis",
            id="nearest action",
        ),
        pytest.param(["help", "usre"], "devpi: error: there is no command 'usre', did you mean 'use'?", id="help"),
        pytest.param(["use", "a/b", "c/d"], "devpi use: error: unrecognized arguments: c/d", id="too many names"),
        pytest.param(
            ["login"], "devpi login: error: the following arguments are required: username", id="too few names"
        ),
        pytest.param(
            ["use", "--set-cfg", "--unset-cfg"], "devpi use: error: argument --unset-cfg: not allowed", id="both"
        ),
        pytest.param(["index", "-c", "-l"], "devpi index: error: argument -l/--list: not allowed", id="two actions"),
        pytest.param(
            ["use", "-t", "maybe"], "devpi use: error: argument -t/--pip-set-trusted: invalid", id="bad choice"
        ),
        pytest.param(["--timeout", "soon", "use"], "devpi: error: argument --timeout: invalid", id="no number"),
        pytest.param(["--timeout", "0", "use"], "devpi: error: argument --timeout: invalid", id="no time"),
        pytest.param(["user", "-l", "bob"], "devpi user: error: -l lists all users", id="a name too many"),
        pytest.param(
            ["use", "-l", "a/b"], "devpi use: error: -l lists the indices of the server", id="an index too many"
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(devpi: Devpi, arguments: list[str], complaint: str) -> None:
    """A wrong command line changes nothing, and one line says why."""
    outcome = devpi(*arguments).fails(2)

    assert outcome.err.startswith(complaint)
    assert outcome.err.count("\n") == 1
    assert outcome.out == ""
    assert not devpi.clientdir.exists()


def test_generic_options_work_before_and_after_the_command(devpi: Devpi) -> None:
    """``--clientdir`` means the same on both sides of the command; the later one counts."""
    elsewhere = devpi.home / "elsewhere"

    before = devpi("--debug", "--clientdir", str(elsewhere), "use")
    after = devpi("use", "--debug", "--clientdir", str(elsewhere))
    both = devpi("--debug", "--clientdir", "/nowhere", "use", "--clientdir", str(elsewhere))

    assert before.err == after.err == both.err == f"[debug] current: {elsewhere}/current.json\n"
