"""A whole server in the process of the test: real plugins, a real database, no socket."""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self, cast

import falcon.testing
from falcon.util import CaseInsensitiveDict

from wheelgate.commands.context import ServerContext
from wheelgate.config import resolve
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.plugin_host.discovery import InstalledPlugin, Plugins, discover
from wheelgate.process.startup import create_or_migrate, make_folder, open_application
from wheelgate.secret_file import make_secret
from wheelgate.server import Server

CHEAP_HASHING_SETTINGS = {"argon2-memory-cost": "8", "argon2-time-cost": "1", "argon2-parallelism": "1"}
"""Settings with the lowest costs that argon2 allows: with the default costs each login takes a fifth of a second."""
UNREACHABLE_UPSTREAM = "http://127.0.0.1:9/simple/"
"""The upstream of root/pypi in tests: nothing listens there, so no test asks a public index by mistake."""


@cache
def registered_plugins(without: tuple[str, ...] = ()) -> Plugins:
    """Return the installed plugins except some, cached: discovery takes longer than the rest of the start."""
    return discover(without)


def installed_plugins() -> tuple[InstalledPlugin, ...]:
    """Return the installed plugins."""
    return registered_plugins().found


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of all sites; an ``asyncio.Runner`` would replace a signal handler twice per request."""
    return asyncio.new_event_loop()


@dataclass(frozen=True, slots=True)
class Response:
    """A server's response; the names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body, decoded from JSON."""
        return json.loads(self.content)

    @property
    def result(self) -> Any:
        """The key ``result`` of the body."""
        return self.json["result"]

    @property
    def message(self) -> str:
        """The key ``message`` of the body."""
        return str(self.json["message"])


class Site:
    """A server that tests call directly, without a socket.

    Use it as a context manager. Write the keys of options with underscores: ``Site(tmp_path,
    restrict_modify="alice")``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        extra: Mapping[str, Any] | None = None,
        no_plugin: Sequence[str] = (),
        prepared: bool = False,
        **options: Any,
    ) -> None:
        """Prepare the folder and start the application.

        Args:
            folder: the server's folder; it may be new, or the folder of an earlier site.
            extra: further plugins by name; one replaces an installed plugin of the same name.
            no_plugin: names of installed plugins to leave out.
            prepared: whether an earlier site with the same plugins has made the database, so that no migration can be
                missing. To look takes a fifth of the start.
            options: settings, as on the command line; None restores the default of a setting that the site changes.
        """
        plugins = registered_plugins(tuple(no_plugin))
        if extra:
            found = [each for each in plugins.found if each.name not in extra]
            found += [
                InstalledPlugin(name, "tests", "1", blocked=False, plugin=plugin) for name, plugin in extra.items()
            ]
            plugins = Plugins(found)
        self._plugins = plugins
        known = [*CORE_OPTIONS, *(option for _, option in plugins.options())]
        keys = {option.key for option in known}
        defaults = {**CHEAP_HASHING_SETTINGS, "root-pypi-url": UNREACHABLE_UPSTREAM}
        flags = {key: value for key, value in defaults.items() if key in keys}
        flags |= {name.replace("_", "-"): value for name, value in options.items()}
        flags = {key: value for key, value in flags.items() if value is not None}
        self.config = resolve(known, {"serverdir": str(folder), **flags}, {})
        make_folder(self.config.serverdir)
        make_secret(self.config.secret_path, given=False)
        if not prepared:
            create_or_migrate(self.config, plugins, root_may_be_open=self.config.loopback)
        self.application = open_application(self.config, plugins)

    @property
    def server(self) -> Server:
        """The :class:`~wheelgate.server.Server` that plugins get."""
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
    ) -> Response:
        """Send a request and return the response.

        Args:
            method: GET, PUT and so on.
            path: the path, with a query if needed.
            body: bytes are sent unchanged, any other value as JSON; None sends no body.
            auth: a user name with a password or a login token, sent in the header that ``devpi`` uses.
            headers: further headers.
            address: the address that the request comes from.
        """
        sent = dict(headers or {})
        if auth is not None:
            sent["X-Devpi-Auth"] = base64.b64encode(":".join(auth).encode()).decode()
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        path, _, query = path.partition("?")
        host = sent.pop("Host", "localhost")
        scope = falcon.testing.create_scope(
            path,
            query,
            method,
            sent,
            host,
            remote_addr=address,
            content_length=None if data is None else len(data),
        )
        # Falcon's simulate_request starts and stops the application for each request, which takes as long as it.
        return event_loop().run_until_complete(_exchange(self.application.asgi, scope, data))

    def run_command(self, name: str, *argv: str) -> int:
        """Run a plugin's subcommand of ``devpi-server`` on the folder of this site; return its exit code."""
        (command,) = [
            each for _, answer in self._plugins.ask("wheelgate_commands") for each in answer if each.name == name
        ]
        parser = argparse.ArgumentParser(prog=f"devpi-server {name}")
        command.register(parser)
        return int(command.run(parser.parse_args(argv), ServerContext(self._plugins, lambda: self.config)))

    def run_jobs(self) -> None:
        """Run each job of the plugins once, as the workers of a server do in the background; a site starts none."""
        self.application.run_jobs()

    def login(self, user: str, password: str) -> tuple[str, str]:
        """Log in; return the user name and the login token, to pass as ``auth``."""
        answer = self.request("POST", "/+login", {"user": user, "password": password})
        if answer.status != 200:
            raise AssertionError(f"cannot log in as {user}: {answer.status} {answer.content!r}")
        return user, str(answer.result["password"])

    def add_user(self, name: str, password: str = "correct horse") -> tuple[str, str]:  # noqa: S107 - of a server in a test
        """Create a user and log in; return the user name and the login token, to pass as ``auth``.

        Root must have the empty password, or that of ``--root-passwd``.
        """
        root = ("root", self.config["root-passwd"] if self.server.users.password_hash("root") else "")
        answer = self.request("PUT", f"/{name}", {"password": password}, auth=root)
        if answer.status != 201:
            raise AssertionError(f"cannot create the user {name}: {answer.status} {answer.content!r}")
        return self.login(name, password)


async def _exchange(asgi: Callable[..., Awaitable[None]], scope: dict[str, Any], body: bytes | None) -> Response:
    """Pass a request to the application, and return its response."""
    receive, send = falcon.testing.ASGIRequestEventEmitter(body), falcon.testing.ASGIResponseEventCollector()
    receive.disconnect()  # once the body is read
    await asgi(scope, receive, send)
    if send.status is None:
        raise AssertionError("the application did not respond")
    # Falcon's own result also reads cookies and looks for an encoding: a twentieth of the calls of a request.
    headers = cast("Mapping[str, str]", CaseInsensitiveDict(send.headers))
    return Response(int(send.status), headers, b"".join(send.body_chunks))
