"""Every bundled plugin can be replaced by a third-party one, and the server still works."""

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
REQUESTS_FOR_BOTH_WORKERS = range(8)
"""This many requests, each on a new connection, reach both workers."""


def run_user_lifecycle(client: Any, kind: str = "stage") -> None:
    """Create a user, log in, change the user, create and delete an index, restart, and delete the user."""
    root = client.login("root", "")
    assert client("PUT", "/emilie", {"password": "correct horse"}, root)[0] == 201
    assert client("PUT", "/sophie", {"password": "correct horse"}, root)[0] == 201
    assert client("PUT", "/emilie", {"password": "other"}, root)[0] == 409
    assert client("POST", "/+login", {"user": "emilie", "password": "wrong"})[0] == 401
    emilie, sophie = client.login("emilie", "correct horse"), client.login("sophie", "correct horse")
    assert client("GET", "/+api", auth=emilie)[1]["result"]["authstatus"][:2] == ["ok", "emilie"]
    assert client("PATCH", "/emilie", {"title": "CTO"}, emilie)[0] == 200
    assert client("PUT", "/emilie/dev", {"type": kind}, emilie)[0] == 200
    assert client("PATCH", "/emilie/dev", {"volatile": "no"}, emilie)[1]["result"]["volatile"] is False
    assert client("PATCH", "/emilie/dev", {"volatile": "yes"}, sophie)[0] == 403
    assert client("PATCH", "/emilie/dev", {"volatile": "yes"})[0] == 401

    client.server.stop()
    client.server.start()

    for _ in REQUESTS_FOR_BOTH_WORKERS:
        shown = client("GET", "/")[1]["result"]["emilie"]
        assert (shown["title"], shown["indexes"]["dev"]["volatile"]) == ("CTO", False)
    assert client("DELETE", "/emilie/dev", auth=emilie)[0] == 403
    assert client("PATCH", "/emilie/dev", ["volatile=yes"], emilie)[0] == 200
    assert client("DELETE", "/emilie/dev", auth=emilie)[0] == 201
    changed = client("PATCH", "/emilie", {"password": "battery staple"}, emilie)[1]["result"]["password"]
    assert all(client("PATCH", "/emilie", {"title": "x"}, emilie)[0] == 401 for _ in REQUESTS_FOR_BOTH_WORKERS)
    assert client("DELETE", "/emilie", auth=sophie)[0] == 403
    assert client("DELETE", "/emilie", auth=("emilie", changed))[0] == 200
    assert all(client("GET", "/emilie")[0] == 404 for _ in REQUESTS_FOR_BOTH_WORKERS)
    assert client("POST", "/+login", {"user": "emilie", "password": "battery staple"})[0] == 401


def test_a_third_party_login_replaces_the_bundled_one(serve: Serve) -> None:
    """The third-party plugin hashes passwords and reads headers; the bundled plugin's settings do not exist."""
    client = serve("--no-plugin", "auth_basic", plugins=("stub_login",))

    run_user_lifecycle(client)
    client("PUT", "/alice", {"password": "correct horse"})
    alice = client.login("alice", "correct horse")
    assert client("PUT", "/alice/dev", {}, ("alice", "correct horse"))[0] == 200
    assert client("PUT", "/alice/two", {}, ("alice", alice[1][:-1]))[0] == 401


def test_a_third_party_store_replaces_the_bundled_one(serve: Serve, cheap: tuple[str, ...], tmp_path: Path) -> None:
    """The third-party plugin stores users and indices, and both workers see each change."""
    client = serve("--no-plugin", "sql_store", *cheap, plugins=("stub_store",))

    run_user_lifecycle(client)
    file = tmp_path / "server" / "stub_store.json"
    content = json.loads(file.read_text())
    assert ({*content["users"]}, {*content["indices"]}) == ({"root", "sophie"}, {"root/pypi"})
    assert file.stat().st_mode & 0o077 == 0


def test_a_third_party_policy_replaces_the_bundled_one(serve: Serve, cheap: tuple[str, ...]) -> None:
    """The third-party policy denies with its own reason, and hides denied indices from listings."""
    client = serve("--no-plugin", "restrict_modify", *cheap, plugins=("stub_policy",))
    run_user_lifecycle(client)
    root = client.login("root", "")
    client("PUT", "/alice", {"password": "correct horse"}, root)
    alice = client.login("alice", "correct horse")
    assert client("PUT", "/alice/secret", {}, alice)[0] == 200

    status, answer = client("PUT", "/bob", {"password": "correct horse"}, alice)
    assert (status, "house rule: only root may create users" in answer["message"]) == (403, True)
    assert [client("GET", "/alice/secret", auth=who)[0] for who in (alice, root, None)] == [200, 403, 401]
    for path in ("/alice", "/"):
        shown = [str(client("GET", path, auth=who)[1]["result"]) for who in (alice, root, None)]
        assert ["secret" in text for text in shown] == [True, False, False]


def test_a_third_party_stage_replaces_the_bundled_one(serve: Serve, cheap: tuple[str, ...]) -> None:
    """Stages have only the keys of the third-party plugin."""
    client = serve("--no-plugin", "stage", *cheap, plugins=("stub_stage",))

    run_user_lifecycle(client)
    root = client.login("root", "")
    assert set(client("PUT", "/root/dev", {}, root)[1]["result"]) == {"type", "volatile", "acl_upload"}
    assert client("PUT", "/root/two", {"bases": []}, root)[0] == 400


def test_a_third_party_mirror_replaces_the_bundled_one(serve: Serve, cheap: tuple[str, ...]) -> None:
    """A new server has only the index from the third-party plugin."""
    client = serve("--no-plugin", "mirror", *cheap, plugins=("stub_mirror",))

    run_user_lifecycle(client, kind="mirror")
    assert list(client("GET", "/root")[1]["result"]["indexes"]) == ["outside"]
    assert "pypisubmit" not in client("GET", "/root/outside/+api")[1]["result"]


def test_blocked_and_third_party_plugins_are_listed(installed: Install) -> None:
    """``devpi-server plugins`` lists the blocked plugins, their replacements, and the hooks of these."""
    environment = clean_environment(PYTHONPATH=os.pathsep.join(str(installed(stub)) for stub in REPLACED.values()))
    command = [str(PROGRAMS / "devpi-server"), "plugins", *(f"--no-plugin={bundled}" for bundled in REPLACED)]

    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    for bundled, stub in REPLACED.items():
        assert f" {bundled} (wheelgate {VERSION}): blocked\n" in shown
        assert f" {stub} (wheelgate-{stub.replace('_', '-')} 1.0): active\n   hooks: " in shown


def test_two_stores_stop_the_start(installed: Install, tmp_path: Path) -> None:
    """A server with two stores of users does not start, and says how to choose one."""
    command = [str(PROGRAMS / "devpi-server"), "--serverdir", str(tmp_path / "s"), "--port", "0"]
    environment = clean_environment(PYTHONPATH=str(installed("stub_store")))

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 1
    assert "plugins 'sql_store' and 'stub_store' both provide a store of users" in ended.stderr
    assert "--no-plugin" in ended.stderr


def test_a_plugin_with_events_route_and_command(
    serve: Serve, cheap: tuple[str, ...], installed: Install, tmp_path: Path
) -> None:
    """One plugin adds a feature, a permission, an event listener, a route that needs the permission, and a command."""
    client = serve(*cheap, plugins=("tiny_audit",))
    run_user_lifecycle(client)
    root = client.login("root", "")
    environment = clean_environment(PYTHONPATH=str(installed("tiny_audit")), HOME=str(tmp_path))
    devpi = PROGRAMS / "devpi"

    assert "tiny-audit" in client("GET", "/+api")[1]["result"]["features"]
    assert client("GET", "/+x/tiny_audit/trail/emilie")[0] == 401
    assert client("GET", "/+x/tiny_audit/trail/emilie", auth=client.login("sophie", "correct horse"))[0] == 403
    status, answer = client("GET", "/+x/tiny_audit/trail/emilie", auth=root)
    names = [entry["event"] for entry in answer["result"]]
    assert (status, answer["type"]) == (200, "audit")
    wanted = ["UserCreated", "LoginSucceeded", "UserModified", "PasswordChanged", "UserDeleted"]
    assert sorted(names) == sorted([*wanted, "LoginFailed"])  # the second one came after the deletion

    for command in (["use", client.server.url], ["login", "root", "--password", ""]):
        subprocess.run([devpi, *command], env=environment, check=True, capture_output=True)
    shown = subprocess.run([devpi, "trail", "emilie"], env=environment, capture_output=True, text=True)

    assert shown.stdout.splitlines() == [f"{entry['event']} by {entry['actor']}" for entry in answer["result"]], shown


@pytest.fixture(scope="module")
def bundled_only(serve_all: Serve, cheap: tuple[str, ...]) -> Any:
    """Return a server with only the bundled plugins."""
    return serve_all(*cheap, plugins=())


def test_a_third_party_writer_replaces_the_bundled_one(bundled_only: Any, installed: Install, tmp_path: Path) -> None:
    """``devpi use --set-cfg`` writes the file of the third-party plugin, and no file of the one that is left out."""
    environment = clean_environment(PYTHONPATH=str(installed("stub_configwriter")), DEVPI_NO_PLUGIN="pipconfig")
    environment["HOME"] = str(tmp_path)
    command = [str(PROGRAMS / "devpi"), "use", "--set-cfg", f"{bundled_only.server.url}root/pypi"]

    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    plugins = subprocess.run([PROGRAMS / "devpi", "plugins"], env=environment, capture_output=True, text=True).stdout

    assert f"~/.stubrc: {bundled_only.server.url}root/pypi/+simple/" in shown
    assert "pip.conf" not in shown
    assert (tmp_path / ".stubrc").read_text() == f"{bundled_only.server.url}root/pypi/+simple/\n"
    assert "stub_configwriter (wheelgate-stub-configwriter 1.0)\n    wheelgate_client_config_writers\n" in plugins
    assert "pipconfig" not in plugins


def test_a_third_party_vault_provides_the_password(bundled_only: Any, installed: Install, tmp_path: Path) -> None:
    """``devpi login`` asks the plugins for a password before it asks the user."""
    bundled_only("PUT", "/vaulted", {"password": "from the vault"})
    environment = clean_environment(PYTHONPATH=str(installed("stub_configwriter")), HOME=str(tmp_path))
    devpi = PROGRAMS / "devpi"

    subprocess.run([devpi, "use", bundled_only.server.url], env=environment, check=True, capture_output=True)
    shown = subprocess.run([devpi, "login", "vaulted"], env=environment, capture_output=True, text=True)

    assert shown.stdout == "logged in 'vaulted', credentials valid for 10.00 hours\n", shown.stderr
