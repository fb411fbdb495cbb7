"""The ``devpi-server`` command and its subcommands, except for serving."""

from __future__ import annotations

import argparse
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from tests.helpers.commands import CHEAPLY, Outcome, Run
from tests.helpers.postgres import postgres, postgres_url  # noqa: F401
from tests.helpers.sites import Serve

from wheelgate import Command, Ok, hookimpl
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.main import all_commands
from wheelgate.option_help import CORE_OPTION_GROUPS
from wheelgate.plugin_host.discovery import InstalledPlugin, Plugins, discover
from wheelgate.process.startup import lock_folder
from wheelgate.providers import Authenticator
from wheelgate.subcommands import CommandContext
from wheelgate.testing.site import Site


@pytest.fixture
def folder(serve: Serve, tmp_path: Path) -> Path:
    """Return the folder of a server that has a user and is not running."""
    serve().add_user("alice", "correct horse")
    return tmp_path / "server"


NO_PASSWORD = "standard input has no password in its first line; pipe one in; nothing was changed"


def passwd(run: Run, folder: Path, user: str, password: str) -> Outcome:
    """Set a password."""
    return run("passwd", "--password-stdin", "--serverdir", str(folder), *CHEAPLY, user, stdin=f"{password}\n")


LOOK_UP = "; 'devpi user -l' lists its users, and --serverdir, --database or --config name another one"
"""What the refusal of an unknown user proposes."""


@pytest.mark.parametrize(("user", "password"), [("alice", "new password"), ("root", "größe")])
def test_passwd_sets_a_password_without_the_old_one(run: Run, folder: Path, user: str, password: str) -> None:
    """An administrator on the server's machine can set any password; the user's sessions end."""
    with Site(folder) as before:
        session = before.login(user, "correct horse" if user == "alice" else "")

    done = passwd(run, folder, user, password)

    assert (done.code, done.out, done.err) == (0, f"password of user '{user}' set\n", "")
    with Site(folder) as site:
        assert site.login(user, password)
        assert site.request("GET", "/+api", auth=session).result["authstatus"][0] == "noauth"


def test_passwd_works_beside_a_running_server(run: Run, serve: Serve, folder: Path) -> None:
    """A running server accepts the new password at once."""
    running = serve()
    session = running.login("alice", "correct horse")

    assert passwd(run, folder, "alice", "new password").code == 0

    assert running.request("GET", "/+api", auth=session).result["authstatus"][0] == "noauth"
    assert running.login("alice", "new password")


@pytest.mark.parametrize(
    ("user", "password", "sentence"),
    [
        ("nobody", "x", f"there is no user 'nobody' on this server{LOOK_UP}"),
        ("a\nb", "x", f"there is no user 'a\\nb' on this server{LOOK_UP}"),
        ("alice", "", NO_PASSWORD),
        ("root", "", NO_PASSWORD),
        ("alice", "x" * 4097, "'password' must have at most 4096 bytes"),
    ],
    ids=["nobody", "a name that would break the line", "empty", "empty for root", "too long"],
)
def test_passwd_refuses(run: Run, folder: Path, user: str, password: str, sentence: str) -> None:
    """``passwd`` refuses an invalid password or user in one line, and changes nothing."""
    passwd(run, folder, user, password).fails(1, sentence)

    with Site(folder) as site:
        assert site.login("alice", "correct horse")


def test_passwd_asks_the_plugins(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``passwd`` also refuses a password that a plugin refuses."""

    class Strict:
        @hookimpl
        def wheelgate_check_password(self, password: str) -> str | None:
            return "it is weak" if password == "weak" else None

    found = Plugins([*discover(()).found, InstalledPlugin("strict", "tests", "1", blocked=False, plugin=Strict())])
    monkeypatch.setattr("wheelgate.main.discover", lambda blocked: found)

    passwd(run, folder, "alice", "weak").fails(1, "the password is refused: it is weak")
    assert passwd(run, folder, "alice", "battery staple").code == 0


def test_passwd_leaves_the_users_of_directories_alone(run: Run, serve: Serve, folder: Path) -> None:
    """``passwd`` refuses users who log in through a directory."""

    class Directory(Authenticator):
        name, accepts, local = "directory", frozenset({"password"}), False

        def authenticate(self, credentials: object, request: object, user: object) -> Ok:
            return Ok("emilie")

        @hookimpl
        def wheelgate_authenticators(self) -> list[object]:
            return [self]

    serve(extra={"directory": Directory()}).login("emilie", "x")

    passwd(run, folder, "emilie", "mine").fails(
        1, "user 'emilie' logs in through 'directory'; change the password there"
    )


def test_passwd_needs_a_terminal_or_a_pipe(run: Run, folder: Path) -> None:
    """Without a terminal, ``passwd`` cannot ask, and it does not read standard input unless it is told to."""
    refused = run("passwd", "root", "--serverdir", str(folder), stdin="a password that nobody announced\n")

    refused.fails(1, "there is no terminal to ask for the password; pipe it in with --password-stdin")


def not_started(folder: Path) -> str:
    """Return the sentence about a folder without a server."""
    return (
        f"no server was started in {folder} yet; start it with 'devpi-server --serverdir {folder}', or name its folder "
        "with --serverdir"
    )


@pytest.mark.parametrize("options", [[], ["--host", "0.0.0.0"], ["--trusted-proxy", "127.0.0.1"]], ids=str)
def test_passwd_may_come_before_the_first_start(run: Run, tmp_path: Path, options: list[str]) -> None:
    """In a new folder, ``passwd root`` creates what a first start creates, but root never has an empty password."""
    folder = tmp_path / "deep" / "server"
    command = ["passwd", "root", "--password-stdin", "--serverdir", str(folder), *CHEAPLY, *options]

    done = run(*command, stdin="correct horse\n")

    assert (done.code, done.out, done.err) == (0, "password of user 'root' set\n", "")
    for made in (folder, folder / ".secret", folder / "wheelgate.db"):
        assert made.stat().st_mode & 0o077 == 0
    with Site(folder, host="0.0.0.0") as site:
        assert site.login("root", "correct horse")
        assert site.request("POST", "/+login", {"user": "root", "password": ""}).status == 401
        assert site.request("GET", "/root/pypi?no_projects=").status == 200


def test_init_makes_the_server(run: Run, tmp_path: Path) -> None:
    """``init`` makes what the first start makes, with the settings that count then; a second one is refused."""
    folder = tmp_path / "server"
    command = ["init", "--no-root-pypi", "--root-passwd", "correct horse", "--serverdir", str(folder), *CHEAPLY]

    done = run(*command)

    started = f"start it with 'devpi-server --serverdir {folder}'"
    assert (done.code, done.out, done.err) == (0, f"made the server in {folder}; {started}\n", "")
    run(*command).fails(1, f"there is a server in {folder} already; {started}")
    with Site(folder) as site:
        assert site.login("root", "correct horse")
        assert site.request("GET", "/root/pypi").status == 404


def test_init_tells_of_the_empty_password(run: Run, tmp_path: Path) -> None:
    """Without ``--root-passwd``, root has the empty password, and ``init`` names the command that changes it."""
    done = run("init", "--serverdir", str(tmp_path / "server"), *CHEAPLY)

    assert done.code == 0
    assert f"set one with 'devpi-server passwd root --serverdir {tmp_path / 'server'}'\n" in done.out


@pytest.mark.slow
def test_scripts_may_call_init_and_passwd_by_the_names_of_devpi(tmp_path: Path) -> None:
    """``devpi-init`` and ``devpi-passwd`` are programs of their own."""
    folder = ("--serverdir", str(tmp_path / "server"), *CHEAPLY)

    for program, words, said in (
        ("init", (), "made the server"),
        ("passwd", ("root", "--password-stdin"), "password of"),
    ):
        command = [str(Path(sys.executable).with_name(f"devpi-{program}")), *words, *folder]
        done = subprocess.run(command, input="correct horse\n", capture_output=True, text=True, check=True)
        assert said in done.stdout


@pytest.mark.slow
def test_both_may_come_before_the_first_start_on_postgresql(
    run: Run,
    tmp_path: Path,
    postgres_url: str,  # noqa: F811
) -> None:
    """An empty PostgreSQL database also counts as a server that has not been started."""
    place = ["--password-stdin", "--serverdir", str(tmp_path / "server"), "--database", postgres_url, *CHEAPLY]

    assert run("auth", "test", "root", *place, stdin="x\n").out.startswith("user 'root': a local user\n")
    assert run("passwd", "alice", *place, stdin="x\n").code == 1
    assert not (tmp_path / "server").exists()
    assert run("passwd", "root", *place, stdin="correct horse\n").out == "password of user 'root' set\n"
    with Site(tmp_path / "server", database=postgres_url, host="0.0.0.0") as site:
        assert site.login("root", "correct horse")


@pytest.mark.parametrize(
    ("user", "stdin", "sentence"),
    [("root", "", NO_PASSWORD), ("root", "\n", NO_PASSWORD), ("alice", "x\n", None)],
    ids=["no password", "an empty line", "another user"],
)
def test_passwd_that_fails_makes_no_server(
    run: Run, tmp_path: Path, user: str, stdin: str, sentence: str | None
) -> None:
    """``passwd`` creates no folder without a password, or for a user that a new server does not have."""
    folder = tmp_path / "none"

    refused = run("passwd", user, "--password-stdin", "--serverdir", str(folder), *CHEAPLY, stdin=stdin)

    refused.fails(1, sentence or not_started(folder))
    assert not folder.exists()


@pytest.mark.slow
def test_passwd_does_not_make_a_server_that_is_just_starting(run: Run, tmp_path: Path) -> None:
    """While a first start holds the lock of the folder, ``passwd`` creates nothing in it."""
    lock = lock_folder(tmp_path)

    refused = run("passwd", "root", "--password-stdin", "--serverdir", str(tmp_path), stdin="correct horse\n")

    os.close(lock)
    refused.fails(1, f"another server uses {tmp_path}; stop it, or start this one with another --serverdir")
    assert not (tmp_path / "wheelgate.db").exists()


def test_plugins_lists_what_is_installed(run: Run) -> None:
    """``plugins`` prints the name, distribution, version, hooks and settings of each plugin, and which are left out."""
    listed = run("plugins", "--no-plugin", "mirror")

    assert (listed.code, listed.err) == (0, "")
    version = metadata.version("wheelgate")
    assert f"(wheelgate {version}): active" in listed.out
    assert f". mirror (wheelgate {version}): blocked\n" in listed.out
    assert "   hooks: check_permission, options, warnings\n   settings: restrict-modify, restrict-users\n" in listed.out


def test_version_and_help(run: Run) -> None:
    """``--version`` prints product and version; ``--help`` lists every option, including those of plugins."""
    assert run("--version").out == f"devpi-server (wheelgate) {metadata.version('wheelgate')}\n"
    shown = run("--help")
    assert shown.code == 0
    for flag in ("--host", "--restrict-modify", "--argon2-time-cost", "passwd", "plugins"):
        assert flag in shown.out
    assert run("-V").out == run("--version").out


def test_every_setting_is_in_a_group_with_its_default_and_variable(run: Run) -> None:
    """The help has a title above each setting, readable defaults, and the environment variable of each."""
    shown = " ".join(run("--help").out.split())
    options = [*CORE_OPTIONS, *(option for _, option in discover(()).options())]

    assert sorted(name for names in CORE_OPTION_GROUPS.values() for name in names) == sorted(
        option.name for option in CORE_OPTIONS
    )
    assert [option.variable for option in options if f"[{option.variable}]" not in shown] == []
    assert all(f"{title}:" in shown for title in (*CORE_OPTION_GROUPS, "plugin tokens", "plugin mirror"))
    assert not re.search(r"default: (\(|\[|None|True|False|[0-9]{5,}\) \[(?!DEVPISERVER_(ARGON2|MAX_ARCHIVE)))", shown)
    for default in ("(default: all)", "(default: 10h)", "(default: 365d)", "(default: 20s)", "(default: 1m)"):
        assert default in shown


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("command", [[], ["passwd"], ["auth", "test"], ["fsck"]], ids=" ".join)
def test_the_help_fits_the_terminal(run: Run, monkeypatch: pytest.MonkeyPatch, command: list[str], width: int) -> None:
    """No line is longer than the terminal; the help of a subcommand shows its own arguments, and where it works."""
    monkeypatch.setenv("COLUMNS", str(width))

    shown = run(*command, "--help").out

    assert max(map(len, shown.splitlines())) <= width
    assert "--serverdir DIR" in shown
    assert ("--workers" in shown) is (command == [])
    assert run(*command, "--workers", "3", "--help").code == 0


COMMANDS = [command.name for command in all_commands(discover(()))]
USAGE = [
    (["--prot", "80"], "unknown option '--prot'; did you mean '--port'?"),
    (["--prot=80"], "unknown option '--prot'; did you mean '--port'?"),
    (["--zzzzzzzz"], "unknown option '--zzzzzzzz'"),
    (["--restrict-modify"], "argument --restrict-modify: expected one argument"),
    (["--no-plugin"], "argument --no-plugin: expected one argument"),
    (["passwd"], "the following arguments are required: USER"),
    (["passwd", "root", "alice"], "unknown argument 'alice'"),
    (["pasword"], f"unknown command 'pasword'; did you mean 'passwd'? (there are {', '.join(COMMANDS)})"),
    (["plugins", "--prot", "80"], "unknown option '--prot'; did you mean '--port'?"),
    (["--serv", "x"], "unknown option '--serv'; did you mean '--serverdir'?"),
]


@pytest.mark.parametrize(("arguments", "sentence"), USAGE, ids=[" ".join(row[0]) for row in USAGE])
def test_wrong_usage_is_one_line_and_code_2(run: Run, arguments: list[str], sentence: str) -> None:
    """Wrong usage gets a message with the nearest known name; options cannot be abbreviated."""
    run(*arguments).fails(2, f"{sentence}; see 'devpi-server --help'")


REFUSED = [
    (["--port", "x"], "--port: expected a whole number from 0 to 65535, not 'x'"),
    (["--no-plugin", "zzz"], "--no-plugin: unknown plugin 'zzz'"),
    (["--config", "/no/such/file"], "--config: cannot read /no/such/file: No such file or directory"),
    (
        ["--session-lifetime", "soon"],
        "--session-lifetime: expected a time span such as 36000, 30m, 10h, 7d or 2w, not 'soon'",
    ),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_settings_that_cannot_be_are_one_line_and_code_1(run: Run, arguments: list[str], sentence: str) -> None:
    """A server that cannot start prints the reason in one line."""
    run(*arguments).fails(1, sentence)


def test_the_file_may_hold_what_plugins_declare(run: Run, tmp_path: Path) -> None:
    """The file can leave out plugins and set the options of the others."""
    file = tmp_path / "wheelgate.toml"
    file.write_text('no-plugin = ["mirror"]\nrestrict-modify = "root"\nport = "x"\n')

    assert run("plugins", "--config", str(file)).out.count("blocked") == 1
    run("--config", str(file)).fails(1, f"{file}: port: expected a whole number from 0 to 65535, not 'x'")


class Reporter:
    """A plugin with a subcommand."""

    def __init__(self, name: str = "report", argument: str = "--long") -> None:
        self.name = name
        self.argument = argument

    def register(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(self.argument)

    def report(self, arguments: argparse.Namespace, context: CommandContext) -> int:
        with context.open_server(read_only=True) as server:
            print(f"{len(server.users.list())} users at {context.config['session-lifetime']} s, {arguments.long}")
        return 3

    @hookimpl
    def wheelgate_commands(self) -> list[Command]:
        return [Command(self.name, "count the users", self.register, self.report)]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that installs plugins."""

    def install(*plugins: Reporter) -> None:
        added = [
            InstalledPlugin(f"added{n}", "tests", "1", blocked=False, plugin=each) for n, each in enumerate(plugins)
        ]
        found = Plugins([*discover(()).found, *added])
        monkeypatch.setattr("wheelgate.main.discover", lambda blocked: found)

    return install


def test_a_plugin_adds_a_subcommand(run: Run, folder: Path, installed: Callable[..., None]) -> None:
    """A plugin's subcommand takes its own arguments and every setting; its exit code becomes that of the process."""
    installed(Reporter())

    done = run("report", "--long=yes", "--serverdir", str(folder), "--session-lifetime", "1h")

    assert (done.code, done.out, done.err) == (3, "2 users at 3600 s, yes\n", "")
    assert "report" in run("--help").out
    assert "--long" in run("report", "--help").out


def test_a_subcommand_of_a_plugin_needs_a_server(run: Run, tmp_path: Path, installed: Callable[..., None]) -> None:
    """A plugin's subcommand refuses a folder without a server, like the server's own commands."""
    installed(Reporter())

    run("report", "--serverdir", str(tmp_path / "none")).fails(1, not_started(tmp_path / "none"))


CLASHES = [
    ([Reporter("passwd")], "plugin 'added0': the command 'passwd' belongs to the server itself"),
    ([Reporter(), Reporter()], "wheelgate_commands: 'report' comes from plugin 'added0' and from plugin 'added1'"),
    ([Reporter(argument="--port")], "command 'report': its argument '--port' is a setting of the server"),
    ([Reporter(argument="port")], "command 'report': its argument 'port' is a setting of the server"),
]


@pytest.mark.parametrize(
    ("plugins", "sentence"), CLASHES, ids=["own name", "name of another", "option of the server", "key of the server"]
)
def test_a_subcommand_that_clashes_stops_the_start(
    run: Run, installed: Callable[..., None], plugins: list[Reporter], sentence: str
) -> None:
    """The start refuses a subcommand that hides another one or an option; the message names the plugin or command."""
    installed(*plugins)

    run("plugins").fails(1, sentence)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        (["swordfish", "swordfish"], "password of user 'alice' set"),
        (["swordfish", "another"], "the two passwords differ; nothing was changed"),
        ([""], "the password is empty; type one; nothing was changed"),
        (["swordfish", ""], "the password is empty; type one; nothing was changed"),
        (["\x04"], "the password is empty; type one; nothing was changed"),
    ],
    ids=["the same", "another", "Enter", "Enter at the second prompt", "end of input"],
)
def test_passwd_asks_twice_at_a_terminal(folder: Path, typed: list[str], printed: str) -> None:
    """At a terminal, ``passwd`` asks for the password twice and does not show it."""
    ours, theirs = pty.openpty()
    program = str(Path(sys.executable).with_name("devpi-server"))
    command = [program, "passwd", "alice", "--serverdir", str(folder), *CHEAPLY]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        assert process.stdout is not None
        shown = b""
        for prompt, answer in zip(("new password for user alice: ", "repeat new password"), typed, strict=False):
            while prompt.encode() not in shown:
                byte = process.stdout.read(1)
                assert byte, shown
                shown += byte
            os.write(ours, f"{answer}\n".encode())
        shown += process.stdout.read()
    finally:
        process.kill()
        process.communicate()
        os.close(ours)
        os.close(theirs)

    assert printed in shown.decode()
    assert "swordfish" not in shown.decode()


def test_plugins_may_be_left_out_by_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable can leave out a plugin; its options then disappear too."""
    monkeypatch.setenv("DEVPISERVER_NO_PLUGIN", "restrict_modify,mirror")

    assert run("plugins").out.count("blocked") == 2
    assert run("--restrict-modify", "x").err.startswith("devpi-server: unknown option '--restrict-modify'")
