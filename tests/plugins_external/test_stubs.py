"""Every bundled plugin can be left out and replaced by a stranger's, and the server goes on working."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support import clean_environment

pytestmark = pytest.mark.slow

Serve = Callable[..., Any]


def live(visit: Any, kind: str = "stage") -> None:
    """Go through a user's life, as the session does: created, logged in, changed, an index, deleted for good."""
    root = visit.login("root", "")
    assert visit("PUT", "/emilie", {"password": "correct horse"}, root)[0] == 201
    assert visit("PUT", "/emilie", {"password": "other"}, root)[0] == 409
    assert visit("POST", "/+login", {"user": "emilie", "password": "wrong"})[0] == 401
    emilie = visit.login("emilie", "correct horse")
    assert visit("GET", "/+api", auth=emilie)[1]["result"]["authstatus"][:2] == ["ok", "emilie"]
    assert visit("PATCH", "/emilie", {"title": "CTO"}, emilie)[0] == 200
    assert visit("GET", "/emilie")[1]["result"]["title"] == "CTO"
    assert visit("PUT", "/emilie/dev", {"type": kind}, emilie)[0] == 200
    assert visit("GET", "/")[1]["result"]["emilie"]["indexes"]["dev"]["type"] == kind
    assert visit("PATCH", "/emilie/dev", {"volatile": "no"}, emilie)[1]["result"]["volatile"] is False
    assert visit("DELETE", "/emilie/dev", auth=emilie)[0] == 403
    assert visit("PATCH", "/emilie/dev", ["volatile=yes"], emilie)[0] == 200
    changed = visit("PATCH", "/emilie", {"password": "battery staple"}, emilie)[1]["result"]["password"]
    assert all(visit("PATCH", "/emilie", {"title": "x"}, emilie)[0] == 401 for _ in range(6))
    assert visit("DELETE", "/emilie", auth=("emilie", changed))[0] == 200
    assert all(visit("GET", "/emilie")[0] == 404 for _ in range(6))


@pytest.mark.parametrize(
    ("blocked", "stub"),
    [("auth_basic", "stub_login"), ("sql_store", "stub_store"), ("stage", "stub_stage")],
)
def test_a_stranger_takes_the_place(serve: Serve, cheap: tuple[str, ...], blocked: str, stub: str) -> None:
    """With a bundled plugin left out and a stranger's in its place, a user can live its whole life."""
    options = () if blocked == "auth_basic" else cheap

    live(serve("--no-plugin", blocked, *options, plugins=(stub,)))


def test_a_strangers_mirror_takes_the_place(serve: Serve, cheap: tuple[str, ...]) -> None:
    """A new server has the index that the stranger's plugin names, and no other."""
    visit = serve("--no-plugin", "mirror", *cheap, plugins=("stub_mirror",))

    live(visit, kind="mirror")
    assert list(visit("GET", "/root")[1]["result"]["indexes"]) == ["outside"]
    assert "pypisubmit" not in visit("GET", "/root/outside/+api")[1]["result"]


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


def test_both_stay_in_the_list(installed: Callable[[str], Path]) -> None:
    """``devpi-server plugins`` shows what is left out, what took its place, and what each does."""
    command = [Path(sys.executable).with_name("devpi-server"), "plugins", "--no-plugin", "sql_store"]
    environment = clean_environment(PYTHONPATH=str(installed("stub_store")))

    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert "sql_store (wheelgate 0.1.0): blocked" in shown
    assert "stub_store (wheelgate-stub-store 1.0): active\n   hooks: index_store, user_store" in shown


def test_two_stores_are_one_too_many(installed: Callable[[str], Path], tmp_path: Path) -> None:
    """A server that does not know where its users are does not start, and says how to choose."""
    command = [Path(sys.executable).with_name("devpi-server"), "--serverdir", tmp_path / "s", "--port", "0"]
    environment = clean_environment(PYTHONPATH=str(installed("stub_store")))

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 1
    assert "plugins 'sql_store' and 'stub_store' both bring a store of users" in ended.stderr
    assert "--no-plugin" in ended.stderr


def test_a_plugin_listens_and_shows(serve: Serve, cheap: tuple[str, ...]) -> None:
    """A plugin brings a feature, a permission, a listener, and an address that only who has the permission may ask."""
    visit = serve(*cheap, plugins=("tiny_audit",))
    live(visit)
    root = visit.login("root", "")

    assert "tiny-audit" in visit("GET", "/+api")[1]["result"]["features"]
    assert visit("GET", "/+x/tiny_audit/trail/emilie")[0] == 401
    status, answer = visit("GET", "/+x/tiny_audit/trail/emilie", auth=root)
    names = [entry["event"] for entry in answer["result"]]
    assert (status, answer["type"]) == (200, "audit")
    wanted = ["UserCreated", "LoginFailed", "LoginSucceeded", "UserModified", "PasswordChanged", "UserDeleted"]
    assert sorted(names) == sorted(wanted)


def test_a_strangers_writer_takes_the_place(
    serve: Serve, cheap: tuple[str, ...], installed: Callable[[str], Path], tmp_path: Path
) -> None:
    """``devpi use --set-cfg`` writes what the plugins there know, and what is left out is not touched."""
    visit = serve(*cheap, plugins=())
    environment = clean_environment(PYTHONPATH=str(installed("stub_configwriter")), DEVPI_NO_PLUGIN="pipconfig")
    environment["HOME"] = str(tmp_path)
    command = [Path(sys.executable).with_name("devpi"), "use", "--set-cfg", f"{visit.server.url}root/pypi"]

    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert f"~/.stubrc: {visit.server.url}root/pypi/+simple/" in shown
    assert "pip.conf" not in shown
    assert (tmp_path / ".stubrc").read_text() == f"{visit.server.url}root/pypi/+simple/\n"


def test_a_strangers_vault_gives_the_password(
    serve: Serve, cheap: tuple[str, ...], installed: Callable[[str], Path], tmp_path: Path
) -> None:
    """``devpi login`` asks the plugins for a password before it asks a person."""
    visit = serve(*cheap, plugins=())
    visit("PUT", "/vaulted", {"password": "from the vault"})
    environment = clean_environment(PYTHONPATH=str(installed("stub_configwriter")))
    environment["HOME"] = str(tmp_path)
    devpi = Path(sys.executable).with_name("devpi")

    subprocess.run([devpi, "use", visit.server.url], env=environment, check=True, capture_output=True)
    shown = subprocess.run([devpi, "login", "vaulted"], env=environment, capture_output=True, text=True)

    assert shown.stdout == "logged in 'vaulted', credentials valid for 10.00 hours\n", shown.stderr
