"""Every hook that gets ``server`` gets a whole one: whatever the server runs as, and however far its start has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.helpers.commands import CHEAPLY, Run
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import upload

from wheelgate import Credentials, Ok, Outcome, RequestInfo, Server, User, hookimpl, hookspecs
from wheelgate.errors import StartupError
from wheelgate.plugin_host.discovery import InstalledPlugin, Plugins
from wheelgate.providers import Authenticator
from wheelgate.testing.site import Site, installed_plugins

ROOT = ("root", "")
GETS_SERVER = {
    name
    for name, hook in vars(hookspecs).items()
    if name.startswith("wheelgate_") and "server" in getattr(hook, "__annotations__", {})
}
FOR_SUBCOMMANDS = {"wheelgate_state_sections", "wheelgate_export_data", "wheelgate_import_data"}
"""Hooks that only subcommands call."""


def use_everything(hook: str, server: Server) -> None:
    """Use each part of a server as a plugin would."""
    assert server.derive_key("test") == server.derive_key("test")
    assert server.users.get("nobody") is None
    assert server.indices.get("nobody", "dev") is None
    assert server.config["port"] == 3141
    assert server.outgoing.session() is not None
    incoming = server.files.receive()
    incoming.write(b"content")
    server.files.clean_up(incoming.finish())
    if hook == "wheelgate_first_indices":  # other plugins would be asked in threads that do not see the database yet
        return
    if hook != "wheelgate_check_password":  # it is called by this
        assert server.hash_password("alice", "correct horse").startswith("$argon2id$")
    if hook == "wheelgate_index_types":
        with pytest.raises(StartupError, match=r"^wheelgate_index_types: the index types are not known before"):
            server.forget_principal(":nobody")
    elif hook != "wheelgate_forget_principal" and not server.database.read_only:
        with server.database.transaction():
            server.forget_principal(":nobody")


class Anyone(Authenticator):
    """Logs in everybody."""

    name = "anyone"
    accepts = frozenset({"password"})

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Believe it."""
        return Ok(credentials.username)


class Curious:
    """A plugin that implements every hook that gets a server, and uses all of it there."""

    def __init__(self) -> None:
        self.used: dict[str, str] = {}
        """By hook, the error that using the server ended with, or nothing."""
        for name in GETS_SERVER:
            setattr(self, name, hookimpl(self._implementation(name)))

    def _implementation(self, name: str) -> Callable[..., Any]:
        def implementation(server: Server) -> Iterable[object] | None:
            if name not in self.used:  # some of what is used calls other hooks
                self.used[name] = "did not return"
                try:
                    use_everything(name, server)
                except BaseException as error:  # noqa: BLE001 - it would only be logged
                    self.used[name] = repr(error)
                else:
                    self.used[name] = ""
            if name == "wheelgate_authenticators":
                return [Anyone()]
            return None

        return implementation


def test_while_it_serves(tmp_path: Path) -> None:
    """From the first start to the last event, no hook sees a part that is missing."""
    curious = Curious()
    with Site(tmp_path / "server", extra={"curious": curious}) as site:
        root = site.login(*ROOT)
        alice = site.add_user("alice", "correct horse")
        site.login("emilie", "x")
        site.request("PUT", "/alice/dev", {}, auth=alice)
        uploaded = upload(site, "alice/dev", wheel("demo", "1.0"), alice)
        site.request("GET", "/", auth=alice)
        site.request("GET", "/alice", headers={"Accept": "text/html", "User-Agent": "Mozilla/5.0"})
        site.request("DELETE", "/alice", auth=root)

    assert uploaded.status == 200
    assert curious.used == dict.fromkeys(GETS_SERVER - FOR_SUBCOMMANDS, "")


@pytest.mark.parametrize(
    ("arguments", "hooks"),
    [
        (["passwd", "alice", "--password-stdin"], {"wheelgate_check_password"}),
        (["auth", "test", "emilie", "--password-stdin"], {"wheelgate_authenticators", "wheelgate_group_sources"}),
        (["export-state"], {"wheelgate_state_sections", "wheelgate_group_sources", "wheelgate_index_types"}),
        (["export", "export"], {"wheelgate_export_data", "wheelgate_index_types"}),
        (["fsck"], {"wheelgate_warnings", "wheelgate_index_types", "wheelgate_authenticators", "wheelgate_routes"}),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_in_a_subcommand(
    serve: Serve, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], hooks: set[str]
) -> None:
    """The commands that do not serve give their hooks the same server."""
    site = serve()
    site.add_user("alice", "correct horse")
    serve.stop()
    monkeypatch.chdir(tmp_path)
    curious = Curious()
    found = InstalledPlugin("curious", "tests", "1", blocked=False, plugin=curious)
    monkeypatch.setattr("wheelgate.main.discover", lambda blocked: Plugins([*installed_plugins(), found]))

    done = run(*arguments, "--serverdir", str(site.config.serverdir), *CHEAPLY, stdin="battery staple\n")

    assert done.code == 0, done.err
    assert hooks <= curious.used.keys()
    assert not any(curious.used.values()), curious.used


def fail() -> None:
    """Fail as a plugin does whose settings are wrong."""
    raise ValueError("no address of a directory")


@pytest.mark.parametrize(
    "hook", ["wheelgate_password_hasher", "wheelgate_index_types", "wheelgate_group_sources", "wheelgate_routes"]
)
def test_a_start_that_fails_leaves_nothing_open(serve: Serve, hook: str) -> None:
    """Whichever line of the wiring fails, all that was opened before it is closed: five times leave no open file."""
    serve()
    serve.stop()
    failing = SimpleNamespace(**{hook: hookimpl(fail)})
    before = open_files()

    for _ in range(5):
        with pytest.raises(StartupError, match=hook):
            serve(extra={"failing": failing})

    assert open_files() == before


def open_files() -> list[str]:
    """Return what this process has open."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sorted(str(link.readlink()) for link in links if link.is_symlink())
