"""Every bundled plugin can be left out and replaced by a stranger's, and the server goes on working."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wheelgate.testing.server_process import clean_environment
from wheelgate_client import VERSION

pytestmark = pytest.mark.slow

Serve = Callable[..., Any]
Install = Callable[[str], Path]

PROGRAMS = Path(sys.executable).parent
REPLACED = {
    "auth_basic": "stub_login",
    "sql_store": "stub_store",
    "restrict_modify": "stub_policy",
    "stage": "stub_stage",
    "mirror": "stub_mirror",
    "remote_user": "tiny_mtls",
    "tokens": "tiny_tokens",
}
SEVERAL = range(8)
"""So many requests, each on a connection of its own, reach both workers."""


def live(visit: Any, kind: str = "stage") -> None:
    """Go through a user's life, as the session does: created, logged in, changed, an index, deleted for good."""
    root = visit.login("root", "")
    assert visit("PUT", "/emilie", {"password": "correct horse"}, root)[0] == 201
    assert visit("PUT", "/sophie", {"password": "correct horse"}, root)[0] == 201
    assert visit("PUT", "/emilie", {"password": "other"}, root)[0] == 409
    assert visit("POST", "/+login", {"user": "emilie", "password": "wrong"})[0] == 401
    emilie, sophie = visit.login("emilie", "correct horse"), visit.login("sophie", "correct horse")
    assert visit("GET", "/+api", auth=emilie)[1]["result"]["authstatus"][:2] == ["ok", "emilie"]
    assert visit("PATCH", "/emilie", {"title": "CTO"}, emilie)[0] == 200
    assert visit("PUT", "/emilie/dev", {"type": kind}, emilie)[0] == 200
    assert visit("PATCH", "/emilie/dev", {"volatile": "no"}, emilie)[1]["result"]["volatile"] is False
    assert visit("PATCH", "/emilie/dev", {"volatile": "yes"}, sophie)[0] == 403
    assert visit("PATCH", "/emilie/dev", {"volatile": "yes"})[0] == 401

    visit.server.stop()
    visit.server.start()

    for _ in SEVERAL:
        shown = visit("GET", "/")[1]["result"]["emilie"]
        assert (shown["title"], shown["indexes"]["dev"]["volatile"]) == ("CTO", False)
    assert visit("DELETE", "/emilie/dev", auth=emilie)[0] == 403
    assert visit("PATCH", "/emilie/dev", ["volatile=yes"], emilie)[0] == 200
    assert visit("DELETE", "/emilie/dev", auth=emilie)[0] == 201
    changed = visit("PATCH", "/emilie", {"password": "battery staple"}, emilie)[1]["result"]["password"]
    assert all(visit("PATCH", "/emilie", {"title": "x"}, emilie)[0] == 401 for _ in SEVERAL)
    assert visit("DELETE", "/emilie", auth=sophie)[0] == 403
    assert visit("DELETE", "/emilie", auth=("emilie", changed))[0] == 200
    assert all(visit("GET", "/emilie")[0] == 404 for _ in SEVERAL)
    assert visit("POST", "/+login", {"user": "emilie", "password": "battery staple"})[0] == 401


def test_a_strangers_login_takes_the_place(serve: Serve) -> None:
    """Passwords are hashed and headers read as the stranger's plugin does it; the bundled settings are gone."""
    visit = serve("--no-plugin", "auth_basic", plugins=("stub_login",))

    live(visit)
    visit("PUT", "/alice", {"password": "correct horse"})
    alice = visit.login("alice", "correct horse")
    assert visit("PUT", "/alice/dev", {}, ("alice", "correct horse"))[0] == 200
    assert visit("PUT", "/alice/two", {}, ("alice", alice[1][:-1]))[0] == 401


def test_a_strangers_store_takes_the_place(serve: Serve, cheap: tuple[str, ...], tmp_path: Path) -> None:
    """Users and indices are where the stranger's plugin keeps them, and both workers see each change."""
    visit = serve("--no-plugin", "sql_store", *cheap, plugins=("stub_store",))

    live(visit)
    file = tmp_path / "server" / "stub_store.json"
    content = json.loads(file.read_text())
    assert ({*content["users"]}, {*content["indices"]}) == ({"root", "sophie"}, {"root/pypi"})
    assert file.stat().st_mode & 0o077 == 0


def test_a_strangers_policy_takes_the_place(serve: Serve, cheap: tuple[str, ...]) -> None:
    """A stranger's policy denies with its own reason, and hides what it denies from listings."""
    visit = serve("--no-plugin", "restrict_modify", *cheap, plugins=("stub_policy",))
    live(visit)
    root = visit.login("root", "")
    visit("PUT", "/alice", {"password": "correct horse"}, root)
    alice = visit.login("alice", "correct horse")
    assert visit("PUT", "/alice/secret", {}, alice)[0] == 200

    status, answer = visit("PUT", "/bob", {"password": "correct horse"}, alice)
    assert (status, "house rule: root alone creates users" in answer["message"]) == (403, True)
    assert [visit("GET", "/alice/secret", auth=who)[0] for who in (alice, root, None)] == [200, 403, 401]
    for path in ("/alice", "/"):
        shown = [str(visit("GET", path, auth=who)[1]["result"]) for who in (alice, root, None)]
        assert ["secret" in text for text in shown] == [True, False, False]


def test_a_strangers_stage_takes_the_place(serve: Serve, cheap: tuple[str, ...]) -> None:
    """Stages have the keys of the stranger's plugin, and no others."""
    visit = serve("--no-plugin", "stage", *cheap, plugins=("stub_stage",))

    live(visit)
    root = visit.login("root", "")
    assert set(visit("PUT", "/root/dev", {}, root)[1]["result"]) == {"type", "volatile", "acl_upload"}
    assert visit("PUT", "/root/two", {"bases": []}, root)[0] == 400


def test_a_strangers_mirror_takes_the_place(serve: Serve, cheap: tuple[str, ...]) -> None:
    """A new server has the index that the stranger's plugin names, and no other."""
    visit = serve("--no-plugin", "mirror", *cheap, plugins=("stub_mirror",))

    live(visit, kind="mirror")
    assert list(visit("GET", "/root")[1]["result"]["indexes"]) == ["outside"]
    assert "pypisubmit" not in visit("GET", "/root/outside/+api")[1]["result"]


def test_both_stay_in_the_list(installed: Install) -> None:
    """``devpi-server plugins`` shows what is left out, what took its place, and what that does."""
    environment = clean_environment(PYTHONPATH=os.pathsep.join(str(installed(stub)) for stub in REPLACED.values()))
    command = [str(PROGRAMS / "devpi-server"), "plugins", *(f"--no-plugin={bundled}" for bundled in REPLACED)]

    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    for bundled, stub in REPLACED.items():
        assert f" {bundled} (wheelgate {VERSION}): blocked\n" in shown
        assert f" {stub} (wheelgate-{stub.replace('_', '-')} 1.0): active\n   hooks: " in shown


def test_two_stores_are_one_too_many(installed: Install, tmp_path: Path) -> None:
    """A server that does not know where its users are does not start, and says how to choose."""
    command = [str(PROGRAMS / "devpi-server"), "--serverdir", str(tmp_path / "s"), "--port", "0"]
    environment = clean_environment(PYTHONPATH=str(installed("stub_store")))

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 1
    assert "plugins 'sql_store' and 'stub_store' both provide a store of users" in ended.stderr
    assert "--no-plugin" in ended.stderr


def test_a_plugin_listens_and_shows(serve: Serve, cheap: tuple[str, ...], installed: Install, tmp_path: Path) -> None:
    """A plugin brings a feature, a permission, a listener, an address for who has the permission, and a command."""
    visit = serve(*cheap, plugins=("tiny_audit",))
    live(visit)
    root = visit.login("root", "")
    environment = clean_environment(PYTHONPATH=str(installed("tiny_audit")), HOME=str(tmp_path))
    devpi = PROGRAMS / "devpi"

    assert "tiny-audit" in visit("GET", "/+api")[1]["result"]["features"]
    assert visit("GET", "/+x/tiny_audit/trail/emilie")[0] == 401
    assert visit("GET", "/+x/tiny_audit/trail/emilie", auth=visit.login("sophie", "correct horse"))[0] == 403
    status, answer = visit("GET", "/+x/tiny_audit/trail/emilie", auth=root)
    names = [entry["event"] for entry in answer["result"]]
    assert (status, answer["type"]) == (200, "audit")
    wanted = ["UserCreated", "LoginSucceeded", "UserModified", "PasswordChanged", "UserDeleted"]
    assert sorted(names) == sorted([*wanted, "LoginFailed", "LoginFailed"])

    for command in (["use", visit.server.url], ["login", "root", "--password", ""]):
        subprocess.run([devpi, *command], env=environment, check=True, capture_output=True)
    shown = subprocess.run([devpi, "trail", "emilie"], env=environment, capture_output=True, text=True)

    assert shown.stdout.splitlines() == [f"{entry['event']} by {entry['actor']}" for entry in answer["result"]], shown


@pytest.fixture(scope="module")
def plain(serve_all: Serve, cheap: tuple[str, ...]) -> Any:
    """A server with the bundled plugins alone."""
    return serve_all(*cheap, plugins=())


def test_a_strangers_writer_takes_the_place(plain: Any, installed: Install, tmp_path: Path) -> None:
    """``devpi use --set-cfg`` writes what the plugins there know, and what is left out is not touched."""
    environment = clean_environment(PYTHONPATH=str(installed("stub_configwriter")), DEVPI_NO_PLUGIN="pipconfig")
    environment["HOME"] = str(tmp_path)
    command = [str(PROGRAMS / "devpi"), "use", "--set-cfg", f"{plain.server.url}root/pypi"]

    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    plugins = subprocess.run([PROGRAMS / "devpi", "plugins"], env=environment, capture_output=True, text=True).stdout

    assert f"~/.stubrc: {plain.server.url}root/pypi/+simple/" in shown
    assert "pip.conf" not in shown
    assert (tmp_path / ".stubrc").read_text() == f"{plain.server.url}root/pypi/+simple/\n"
    assert "stub_configwriter (wheelgate-stub-configwriter 1.0)\n    wheelgate_client_config_writers\n" in plugins
    assert "pipconfig" not in plugins


def test_a_strangers_vault_gives_the_password(plain: Any, installed: Install, tmp_path: Path) -> None:
    """``devpi login`` asks the plugins for a password before it asks a person."""
    plain("PUT", "/vaulted", {"password": "from the vault"})
    environment = clean_environment(PYTHONPATH=str(installed("stub_configwriter")), HOME=str(tmp_path))
    devpi = PROGRAMS / "devpi"

    subprocess.run([devpi, "use", plain.server.url], env=environment, check=True, capture_output=True)
    shown = subprocess.run([devpi, "login", "vaulted"], env=environment, capture_output=True, text=True)

    assert shown.stdout == "logged in 'vaulted', credentials valid for 10.00 hours\n", shown.stderr
