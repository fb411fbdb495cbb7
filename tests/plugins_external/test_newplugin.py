"""What ``newplugin`` writes: its tests pass, it is found, works, can be left out, replaced and uninstalled."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import argon2
import pytest
from tests.support import CHEAP_HASHING, RunningServer, clean_environment

from wheelgate.newplugin.kinds import KINDS

pytestmark = pytest.mark.slow

FIRST, SECOND = "corp-one", "corp-two"
SCRIPTS = {"devpi-server": "wheelgate.main", "devpi": "wheelgate_client.main"}


class Environment:
    """A virtual environment that sees what the tests' own has, and in which more can be installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv")
        self._programs = folder / "venv" / "bin"
        (site_packages,) = (folder / "venv").glob("lib/python3*/site-packages")
        own = sysconfig.get_path("purelib")
        (site_packages / "own.pth").write_text(f"import site; site.addsitedir({own!r})\n")
        for name, module in SCRIPTS.items():
            script = self._programs / name
            script.write_text(
                f"#!{self._programs}/python -P\nimport sys\nfrom {module} import main\nsys.exit(main())\n"
            )
            script.chmod(0o755)

    def __call__(self, program: str, *arguments: str, cwd: Path | None = None, **variables: str) -> str:
        """Run a program of the environment, and return what it prints."""
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
        """Run pip for this environment, without a network."""
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

    def server(self, *options: str) -> RunningServer:
        """Return a server in this environment, on the one folder."""
        return RunningServer(
            self.folder / "server", *options, *CHEAP_HASHING, command=[str(self._programs / "devpi-server")]
        )


Probe = Callable[[Environment, RunningServer, str], Any]


def people(folder: Path) -> Path:
    """Write a directory of one, or leave it there."""
    file = folder / "people.toml"
    if not file.exists():
        hashed = argon2.PasswordHasher(1, 8, 1).hash("cobol")
        file.write_text(f'[grace]\npassword_hash = "{hashed}"\ngroups = ["admins"]\n')
    return file


def logs_in(environment: Environment, server: RunningServer, name: str) -> bool:
    """Whether somebody of the plugin's directory has the plugin's user."""
    return server.request("POST", "/+login", {"user": "grace", "password": "cobol"}).status == 200


def has_rights(environment: Environment, server: RunningServer, name: str) -> bool:
    """Whether somebody may create users because of the plugin's group."""
    root = server.login("root", "")
    server.request("PUT", "/alice", {"password": "1234"}, auth=root)
    alice = server.login("alice", "1234")
    made = server.request("PUT", "/bob", {"password": "1234"}, auth=alice).status == 201
    server.request("DELETE", "/bob", auth=root)
    return made


def hides(environment: Environment, server: RunningServer, name: str) -> bool:
    """Whether an index of root's cannot be seen."""
    server.request("PUT", "/root/secret", {}, auth=server.login("root", ""))
    return server.request("GET", "/root/secret").status in (401, 404)


def writes_down(environment: Environment, server: RunningServer, name: str) -> bool:
    """Whether a login gets into the plugin's file."""
    file = environment.folder / "server" / f"{name}.jsonl"
    before = file.stat().st_size if file.exists() else 0
    server.login("root", "")
    server.stop()
    server.start()
    return file.exists() and file.stat().st_size > before


def greets(environment: Environment, server: RunningServer, name: str) -> bool:
    """Whether the plugin's address answers."""
    return server.request("GET", f"/+x/{name.replace('-', '_')}/greeting").status == 200


def is_a_type(environment: Environment, server: RunningServer, name: str) -> bool:
    """Whether an index of the plugin's type can be made; it is removed again."""
    root = server.login("root", "")
    made = server.request("PUT", f"/root/{name}", {"type": name}, auth=root).status == 200
    server.request("DELETE", f"/root/{name}", auth=root)
    return made


def configures(environment: Environment, server: RunningServer, name: str, **variables: str) -> bool:
    """Whether ``devpi use --set-cfg --for`` writes the tool's file; it is removed again."""
    file = environment.folder / f".{name}" / "config"
    command = ("use", "--set-cfg", "--for", name, f"{server.url}root/pypi")
    try:
        environment("devpi", *command, **variables)
    except AssertionError:
        return False
    text = file.read_text()
    file.unlink()
    return text == f"index = {server.url}root/pypi/+simple/\n"


def lists(environment: Environment, server: RunningServer, name: str, **variables: str) -> bool:
    """Whether the plugin's command runs."""
    environment("devpi", "use", server.url)
    try:
        return "root/pypi" in environment("devpi", name, **variables).splitlines()
    except AssertionError:
        return False


SERVER_KINDS: dict[str, tuple[Probe, Callable[[Path, str], tuple[str, ...]]]] = {
    "authenticator": (logs_in, lambda folder, name: (f"--{name}-file", str(people(folder)))),
    "group-source": (
        has_rights,
        lambda folder, name: ("--restrict-modify", "root,:devs", f"--{name}-file", str(folder / "groups.toml")),
    ),
    "policy": (hides, lambda folder, name: (f"--{name}-hidden", "secret")),
    "events": (writes_down, lambda folder, name: ()),
    "route": (greets, lambda folder, name: (f"--{name}-greeting", "good day")),
    "index-type": (is_a_type, lambda folder, name: (f"--{name}-title", "mine")),
}
CLIENT_KINDS: dict[str, Callable[..., bool]] = {"config-writer": configures, "command": lists}


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment of its own."""
    (tmp_path / "groups.toml").write_text('devs = ["alice"]\n')
    return Environment(tmp_path)


def written(environment: Environment, kind: str) -> None:
    """Write two plugins of a kind, try the first one's tests at once, and install both."""
    for name in (FIRST, SECOND):
        environment("python", "-m", "wheelgate.newplugin", name, "--kind", kind)
    first, second = (str(environment.folder / f"wheelgate-{name}") for name in (FIRST, SECOND))
    tests = environment("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=Path(first))
    assert " passed" in tests
    environment.pip("install", "--no-index", "--no-deps", "--no-build-isolation", first, second)


def test_every_kind_is_tried() -> None:
    """A new kind is missing here until it is tried."""
    assert {*SERVER_KINDS, *CLIENT_KINDS} == set(KINDS)


@pytest.mark.parametrize("kind", SERVER_KINDS)
def test_the_life_of_a_server_plugin(environment: Environment, kind: str) -> None:
    """Installed it works, left out it does not, another takes its place, uninstalled the server goes on without."""
    works, options = SERVER_KINDS[kind]
    written(environment, kind)
    one, two = FIRST.replace("-", "_"), SECOND.replace("-", "_")

    listed = environment("devpi-server", "plugins", "--no-plugin", two)
    assert f" {one} (wheelgate-{FIRST} 0.1.0): active\n   hooks: " in listed
    assert f" {two} (wheelgate-{SECOND} 0.1.0): blocked\n" in listed
    with environment.server("--no-plugin", two, "--no-root-pypi", *options(environment.folder, FIRST)) as server:
        assert works(environment, server, FIRST)
        if kind == "authenticator":
            root = server.login("root", "")
            assert server.request("DELETE", "/grace", auth=root).status == 200

    with environment.server("--no-plugin", one, "--no-root-pypi", *options(environment.folder, SECOND)) as server:
        assert not greets(environment, server, FIRST)
        assert works(environment, server, SECOND)

    environment.pip("uninstall", "--yes", f"wheelgate-{FIRST}", f"wheelgate-{SECOND}")
    restricted = ("--restrict-modify", "root,:devs") if kind == "group-source" else ()
    with environment.server("--no-root-pypi", *restricted) as server:
        assert not works(environment, server, FIRST)
        assert not works(environment, server, SECOND)
        assert server.login("root", "")
    assert FIRST.replace("-", "_") not in environment("devpi-server", "plugins")


@pytest.mark.parametrize("kind", CLIENT_KINDS)
def test_the_life_of_a_client_plugin(environment: Environment, kind: str) -> None:
    """Installed it works, left out it does not, another goes on, uninstalled the client goes on without."""
    works = CLIENT_KINDS[kind]
    written(environment, kind)
    one = FIRST.replace("-", "_")

    with environment.server() as server:
        assert f"{one} (wheelgate-{FIRST} 0.1.0)" in environment("devpi", "plugins")
        assert works(environment, server, FIRST)
        assert not works(environment, server, FIRST, DEVPI_NO_PLUGIN=one)
        assert works(environment, server, SECOND, DEVPI_NO_PLUGIN=one)
        environment.pip("uninstall", "--yes", f"wheelgate-{FIRST}")
        assert not works(environment, server, FIRST)
        assert works(environment, server, SECOND)
        assert json.loads(environment("devpi", "getjson", "/root"))["type"] == "userconfig"
