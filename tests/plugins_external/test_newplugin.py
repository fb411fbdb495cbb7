"""Plugins that ``newplugin`` writes pass their tests, are found and work, and can be left out and uninstalled.

All kinds are in one environment and on one server, each twice, so that the second can replace the first.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import argon2
import pytest
from tests.plugins_external.conftest import lay_out

from wheelgate.newplugin.__main__ import main
from wheelgate.newplugin.kinds import PLUGIN_KINDS
from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SERVER_PLUGIN_KINDS = [kind for kind in PLUGIN_KINDS if PLUGIN_KINDS[kind].group == "wheelgate"]
FIRST, SECOND = "one", "two"
BUILT_BY_PIP = "route"
"""The kind that pip builds and installs; the others are installed without building."""
TOKEN = "deploy_Zu8qkQm4vXn3Wb7sTfHd"
SCRIPTS = {"devpi-server": "wheelgate.main", "devpi": "wheelgate_client.main"}


class Environment:
    """A virtual environment with the packages of the tests' own, in which more can be installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv")
        self._programs = folder / "venv" / "bin"
        (self.site_packages,) = (folder / "venv").glob("lib/python3*/site-packages")
        own = sysconfig.get_path("purelib")
        (self.site_packages / "own.pth").write_text(f"import site; site.addsitedir({own!r})\n")
        for name, module in SCRIPTS.items():
            script = self._programs / name
            script.write_text(
                f"#!{self._programs}/python -P\nimport sys\nfrom {module} import main\nsys.exit(main())\n"
            )
            script.chmod(0o755)

    def __call__(self, program: str, *arguments: str, cwd: Path | None = None, **variables: str) -> str:
        """Run a program of the environment and return its output."""
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=cwd or self.folder,
            env=clean_environment(HOME=str(self.folder), **variables),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pip(self, *arguments: str) -> None:
        """Run pip for this environment, without network."""
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(self._programs / "python"),
            "--disable-pip-version-check",
            *arguments,
        ]
        subprocess.run(pip, check=True, capture_output=True, env=clean_environment())

    def server(self, *options: str) -> ServerProcess:
        """Return a server in this environment, always with the same folder."""
        return ServerProcess(
            self.folder / "server",
            *("--no-root-pypi", "--restrict-modify", "root,:devs", *CHEAP_HASHING, *options),
            command=[str(self._programs / "devpi-server")],
        )


def plugin_name(kind: str, which: str) -> str:
    """Return the name of a plugin, with dashes."""
    return f"{which}-{kind}"


def module(kind: str, which: str) -> str:
    """Return the name of a plugin, with underscores."""
    return plugin_name(kind, which).replace("-", "_")


def without(which: str) -> list[str]:
    """Return the options that leave out the server's plugins."""
    return [f"--no-plugin={module(kind, which)}" for kind in SERVER_PLUGIN_KINDS]


def options(folder: Path, which: str) -> list[str]:
    """Write the files that the plugins need, and return the settings."""
    people, groups, tokens = folder / "people.toml", folder / "groups.toml", folder / "tokens.toml"
    hashed, digest = argon2.PasswordHasher(1, 8, 1).hash("cobol"), hashlib.sha256(TOKEN.encode()).hexdigest()
    people.write_text(f'[grace]\npassword_hash = "{hashed}"\n')
    groups.write_text('devs = ["alice"]\n')
    tokens.write_text(f'{digest} = {{user = "alice", index = "alice/dev"}}\n')
    given = {
        "authenticator": ("file", str(people)),
        "group-source": ("file", str(groups)),
        "token-handler": ("file", str(tokens)),
        "policy": ("hidden", "secret"),
        "route": ("greeting", "good day"),
        "page": ("title", "Rooms"),
        "index-type": ("title", "mine"),
    }
    return [f"--{plugin_name(kind, which)}-{option}={value}" for kind, (option, value) in given.items()]


def working(server: ServerProcess, which: str) -> set[str]:
    """Return the kinds of plugins that work on a server; the functions below check the other kinds."""
    root = server.login("root", "")
    server.request("PUT", "/alice", {"password": "1234"}, auth=root)
    server.request("PUT", "/root/secret", {}, auth=root)
    alice, token = server.login("alice", "1234"), ("__token__", TOKEN)
    own, bob = plugin_name("index-type", which), {"password": "1234"}
    found = {
        "authenticator": server.request("POST", "/+login", {"user": "grace", "password": "cobol"}).status == 200,
        "group-source": server.request("PUT", "/bob", bob, auth=alice).status == 201,
        "token-handler": server.request("GET", "/+api", auth=token).result["authstatus"][:2] == ["ok", "alice"],
        "policy": server.request("GET", "/root/secret").status in (401, 404),
        "route": server.request("GET", f"/+x/{module('route', which)}/greeting").status == 200,
        "page": b"<h1>Rooms</h1>" in server.request("GET", f"/+x/{module('page', which)}/indices").content,
        "index-type": server.request("PUT", f"/root/{own}", {"type": own}, auth=root).status == 200,
    }
    for path in ("/bob", "/grace", f"/root/{own}"):
        server.request("DELETE", path, auth=root)
    return {kind for kind, works in found.items() if works}


def event_log_bytes(environment: Environment, which: str) -> int:
    """Return the size of the file that the plugin for events writes."""
    file = environment.folder / "server" / f"{plugin_name('events', which)}.jsonl"
    return file.stat().st_size if file.exists() else 0


def config_writer_works(environment: Environment, server: ServerProcess, which: str, **variables: Any) -> bool:
    """Whether ``devpi use --set-cfg --for`` writes the tool's file, which is then removed."""
    name = plugin_name("config-writer", which)
    file = environment.folder / f".{name}" / "config"
    command = ("use", "--set-cfg", "--for", name, f"{server.url}root/visible")
    try:
        environment("devpi", *command, **variables)
    except AssertionError:
        return False
    text = file.read_text()
    file.unlink()
    return text == f"index = {server.url}root/visible/+simple/\n"


def command_works(environment: Environment, server: ServerProcess, which: str, **variables: Any) -> bool:
    """Whether the plugin's command of ``devpi`` runs."""
    environment("devpi", "use", server.url)
    try:
        return "root/visible" in environment("devpi", plugin_name("command", which), **variables).splitlines()
    except AssertionError:
        return False


def server_command_works(environment: Environment, which: str, *options: str) -> bool:
    """Whether the plugin's subcommand of ``devpi-server`` runs."""
    command = (plugin_name("server-command", which), "--serverdir", str(environment.folder / "server"), *options)
    try:
        return "root/visible" in environment("devpi-server", *command).splitlines()
    except AssertionError:
        return False


CLIENT_PLUGIN_KINDS: dict[str, Callable[..., bool]] = {"config-writer": config_writer_works, "command": command_works}


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Return an environment in which two plugins of each kind are installed, after their tests have passed."""
    environment = Environment(tmp_path)
    folders = []
    for kind in PLUGIN_KINDS:
        for which in (FIRST, SECOND):
            assert main([plugin_name(kind, which), "--kind", kind, "--folder", str(tmp_path)]) == 0
            folders.append(tmp_path / f"wheelgate-{plugin_name(kind, which)}")
    pytest_command = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert " passed" in environment(*pytest_command, cwd=tmp_path / f"wheelgate-{plugin_name(BUILT_BY_PIP, FIRST)}")
    path, tests = os.pathsep.join(map(str, folders)), [str(folder / "tests") for folder in folders[::2]]
    assert " passed" in environment(*pytest_command, *tests, PYTHONPATH=path)

    built = [folder for folder in folders if folder.name.endswith(BUILT_BY_PIP)]
    environment.pip("install", "--no-index", "--no-deps", "--no-build-isolation", *map(str, built))
    for folder in folders:
        if folder not in built:
            lay_out(folder, environment.site_packages)
    return environment


def test_the_life_of_plugins(environment: Environment) -> None:
    """Installed plugins work until they are left out or replaced; the server works without them."""
    expected = {*SERVER_PLUGIN_KINDS} - {"events", "server-command"}
    listed = environment("devpi-server", "plugins", *without(SECOND))
    for kind in SERVER_PLUGIN_KINDS:
        assert f" {module(kind, FIRST)} (wheelgate-{plugin_name(kind, FIRST)} 0.1.0): active\n   hooks: " in listed
        assert f" {module(kind, SECOND)} (wheelgate-{plugin_name(kind, SECOND)} 0.1.0): blocked\n" in listed

    with environment.server(*without(SECOND), *options(environment.folder, FIRST)) as server:
        assert working(server, FIRST) == expected
        server.request("PUT", "/root/visible", {}, auth=server.login("root", ""))
        client = environment("devpi", "plugins")
        for kind, works in CLIENT_PLUGIN_KINDS.items():
            blocked = {"DEVPI_NO_PLUGIN": module(kind, FIRST)}
            assert f"{module(kind, FIRST)} (wheelgate-{plugin_name(kind, FIRST)} 0.1.0)" in client
            assert works(environment, server, FIRST)
            assert not works(environment, server, FIRST, **blocked)
            assert works(environment, server, SECOND, **blocked)
    assert server_command_works(environment, FIRST, *without(SECOND))
    assert not server_command_works(environment, FIRST, *without(FIRST))
    first = event_log_bytes(environment, FIRST)
    assert (first > 0, event_log_bytes(environment, SECOND)) == (True, 0)

    with environment.server(*without(FIRST), *options(environment.folder, SECOND)) as server:
        assert working(server, SECOND) == expected
        assert server.request("GET", f"/+x/{module('route', FIRST)}/greeting").status == 404
    second = event_log_bytes(environment, SECOND)
    assert (event_log_bytes(environment, FIRST), second > 0) == (first, True)

    environment.pip(
        "uninstall",
        "--yes",
        *(f"wheelgate-{plugin_name(kind, each)}" for kind in PLUGIN_KINDS for each in (FIRST, SECOND)),
    )
    with environment.server() as server:
        assert working(server, FIRST) == working(server, SECOND) == set()
        assert not any(works(environment, server, FIRST) for works in CLIENT_PLUGIN_KINDS.values())
        assert not server_command_works(environment, FIRST)
    assert (event_log_bytes(environment, FIRST), event_log_bytes(environment, SECOND)) == (first, second)
    assert module("policy", FIRST) not in environment("devpi-server", "plugins")
