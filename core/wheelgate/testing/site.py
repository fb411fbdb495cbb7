"""A whole server inside a test: real plugins, a real database, no socket."""

from __future__ import annotations

import argparse
import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import falcon.testing

from wheelgate.app import Application
from wheelgate.commands.context import ServerContext
from wheelgate.config import resolve
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.plugin_host.discovery import InstalledPlugin, Plugins, discover
from wheelgate.process.startup import make_folder, make_secret, prepare_database
from wheelgate.server import Server

CHEAP = {"argon2-memory-cost": "8", "argon2-time-cost": "1", "argon2-parallelism": "1"}
"""Hashing as cheap as argon2 can: a test that logs in must not take a fifth of a second."""
QUIET = {"root-pypi-url": "http://127.0.0.1:9/simple/"}
"""An upstream for root/pypi where nobody listens: no test asks a public index by mistake."""


@cache
def installed() -> tuple[InstalledPlugin, ...]:
    """Return the installed plugins; to look for them takes longer than all else that a site does."""
    return discover(()).found


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.content)

    @property
    def result(self) -> Any:
        """The ``result`` of the body."""
        return self.json["result"]

    @property
    def message(self) -> str:
        """The ``message`` of the body."""
        return str(self.json["message"])


class Site:
    """A server that is called instead of connected to.

    Use it as a context manager. Options are given by their keys with underscores: ``Site(tmp_path,
    restrict_modify="alice")``.
    """

    def __init__(
        self, folder: Path, *, extra: Mapping[str, Any] | None = None, no_plugin: Sequence[str] = (), **options: Any
    ) -> None:
        """Prepare the folder and wire the application.

        Args:
            folder: the server's folder; a new one, or that of an earlier site.
            extra: plugins to take part besides the installed ones, by name; one that is installed is replaced.
            no_plugin: installed plugins to leave out.
            options: settings, as the command line would give them; None takes back what a site sets by itself.
        """
        brought = extra or {}
        found = [each for each in (discover(no_plugin).found if no_plugin else installed()) if each.name not in brought]
        found += [InstalledPlugin(name, "tests", "1", blocked=False, plugin=plugin) for name, plugin in brought.items()]
        self._plugins = plugins = Plugins(found)
        known = [*CORE_OPTIONS, *(option for _, option in plugins.options())]
        keys = {option.key for option in known}
        flags = {key: value for key, value in {**CHEAP, **QUIET}.items() if key in keys}
        flags |= {name.replace("_", "-"): value for name, value in options.items()}
        flags = {key: value for key, value in flags.items() if value is not None}
        self.config = resolve(known, {"serverdir": str(folder), **flags}, {})
        make_folder(self.config.serverdir)
        make_secret(self.config.secret_path, given=False)
        prepare_database(self.config, plugins)
        self.application = Application(self.config, plugins)
        self._client = falcon.testing.TestClient(self.application.asgi)

    @property
    def server(self) -> Server:
        """What plugins get of it."""
        return self.application.server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.application.close()

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        address: str = "127.0.0.1",
    ) -> Answer:
        """Send a request.

        Args:
            method: GET, PUT and so on.
            path: with the query, where there is one.
            body: bytes are sent as they are, anything else as JSON; None sends nothing.
            auth: a name with a password or a login token, sent as the ``devpi`` command does.
            headers: further headers.
            address: where the request comes from.
        """
        sent = dict(headers or {})
        if auth is not None:
            sent["X-Devpi-Auth"] = base64.b64encode(":".join(auth).encode()).decode()
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        path, _, query = path.partition("?")
        host = sent.pop("Host", "localhost")
        answer = self._client.simulate_request(
            method, path, query_string=query, body=data, headers=sent, host=host, remote_addr=address
        )
        return Answer(answer.status_code, answer.headers, answer.content)

    def run_command(self, name: str, *argv: str) -> int:
        """Run a plugin's subcommand of ``devpi-server`` on the folder of this site, and return its exit code."""
        (command,) = [
            each for _, answer in self._plugins.ask("wheelgate_commands") for each in answer if each.name == name
        ]
        parser = argparse.ArgumentParser(prog=f"devpi-server {name}")
        command.register(parser)
        return int(command.run(parser.parse_args(argv), ServerContext(self._plugins, lambda: self.config)))

    def login(self, user: str, password: str) -> tuple[str, str]:
        """Log in and return what ``auth`` takes: the name and the token."""
        answer = self.request("POST", "/+login", {"user": user, "password": password})
        if answer.status != 200:
            raise AssertionError(f"login of {user} failed: {answer.status} {answer.content!r}")
        return user, str(answer.result["password"])

    def add_user(self, name: str, password: str = "correct horse") -> tuple[str, str]:  # noqa: S107 - of a server in a test
        """Create a user and log it in."""
        answer = self.request("PUT", f"/{name}", {"password": password}, auth=self.login("root", ""))
        if answer.status != 201:
            raise AssertionError(f"creation of {name} failed: {answer.status} {answer.content!r}")
        return self.login(name, password)
