"""What the server's own subcommands share: settings, plugins, and the database of a server that exists."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from tempfile import TemporaryDirectory

from wheelgate.config import Config
from wheelgate.errors import StartupError
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.process.startup import create_or_migrate, lock_folder, make_folder, open_server, open_services
from wheelgate.secret_file import make_secret
from wheelgate.server import Server
from wheelgate.services.opened_server import OpenedServer

log = logging.getLogger("wheelgate.commands")


class ServerContext:
    """The :class:`~wheelgate.subcommands.CommandContext` of this process."""

    def __init__(self, plugins: Plugins, read_config: Callable[[], Config]) -> None:
        self.plugins = plugins
        self._read_config = read_config

    @cached_property
    def config(self) -> Config:
        """The settings; read on first use, so that ``devpi-server plugins`` runs with settings that are wrong."""
        return self._read_config()

    def was_started(self) -> bool:
        """Return whether the database of these settings exists: a server was started, or ``passwd`` has made it.

        Raises:
            StartupError: the database is damaged or does not answer.
        """
        from wheelgate.store.prepare import exists  # only commands that need the database import it

        return exists(self.config.database_url)

    def require_started_server(self) -> None:
        """Check that a server was started with these settings before.

        Raises:
            StartupError: there is no database yet.
        """
        if not self.was_started():
            command = self.config.command(new=True)
            raise StartupError(
                f"no server was started in {self.config.serverdir} yet; start it with '{command}', "
                "or name its folder with --serverdir"
            )

    def record(self, action: str, target: str, **detail: object) -> None:
        """Record in the log what a command did to a whole server; the only place where commands do that.

        Args:
            action: the noun and the verb, such as ``server.backup``.
            target: the folder or the object.
            detail: numbers and names, never a secret.
        """
        log.info("%s %s %s", action, target, json.dumps(detail, sort_keys=True))

    @contextmanager
    def open_server(self, *, read_only: bool = False) -> Iterator[Server]:
        """Open the database of the server, and close it again; see ``CommandContext``."""
        self.require_started_server()
        with open_server(self.config, self.plugins, read_only=read_only) as server:
            yield server

    @contextmanager
    def make_server(self) -> Iterator[Server]:
        """Make folder, secret and database as the first start does, and open them; root may have no password yet.

        Raises:
            StartupError: something cannot be made, or a server is just starting in the folder.
        """
        config = self.config
        make_folder(config.serverdir)
        lock = lock_folder(config.serverdir)
        try:
            make_secret(config.secret_path, given=config["secretfile"] is not None)
            create_or_migrate(config, self.plugins, root_may_be_open=True)
            with open_server(config, self.plugins) as server:
                yield server
        finally:
            os.close(lock)

    @contextmanager
    def open_server_or_new(self) -> Iterator[Server]:
        """Open the server read-only; before its first start, a new one in a temporary folder that is then removed."""
        if self.was_started():
            with open_server(self.config, self.plugins, read_only=True, plugins_may_hang=True) as server:
                yield server
            return
        with self.open_temporary() as opened:
            yield opened.server

    @contextmanager
    def open_temporary(self) -> Iterator[OpenedServer]:
        """Open a new server in a temporary folder, read-only, and remove it at the end."""
        with TemporaryDirectory(prefix="wheelgate-") as folder:
            config = self.config.replace({"serverdir": folder, "database": None, "secretfile": None})
            make_secret(config.secret_path, given=False)
            create_or_migrate(config, self.plugins, root_may_be_open=True)
            with open_services(config, self.plugins, read_only=True, plugins_may_hang=True) as opened:
                yield opened
