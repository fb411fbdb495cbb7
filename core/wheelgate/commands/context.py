"""What the server's own subcommands share: settings, plugins, and the database of a server that exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from wheelgate.config import Config
from wheelgate.errors import StartupError
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.process.startup import open_server
from wheelgate.server import Server


class ServerContext:
    """The :class:`~wheelgate.subcommands.CommandContext` of this process."""

    def __init__(self, plugins: Plugins, read_config: Callable[[], Config]) -> None:
        self.plugins = plugins
        self._read_config = read_config

    @cached_property
    def config(self) -> Config:
        """The settings; read on first use, so that ``devpi-server plugins`` runs with settings that are wrong."""
        return self._read_config()

    def require_started_server(self) -> None:
        """Check that a server was started with these settings before.

        Raises:
            StartupError: there is no database yet.
        """
        config = self.config
        if config["database"] is None and not Path(config.database_url.removeprefix("sqlite:///")).exists():
            raise StartupError(f"no server was started in {config.serverdir} yet; name its folder with --serverdir")

    @contextmanager
    def open_server(self, *, read_only: bool = False) -> Iterator[Server]:
        """Open the database of the server, and close it again; see ``CommandContext``."""
        self.require_started_server()
        with open_server(self.config, self.plugins, read_only=read_only) as server:
            yield server
