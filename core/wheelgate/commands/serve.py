"""``devpi-server`` without a subcommand: prepare the folder, and serve until a signal ends the process."""

from __future__ import annotations

from collections.abc import Callable

from wheelgate.commands.context import ServerContext
from wheelgate.config import Config
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.process.startup import lock_folder, make_folder, prepare_server


def serve(context: ServerContext, load: Callable[[], tuple[Config, Plugins]]) -> int:
    """Run the server; ``load`` reads settings and plugins anew, at the start and at each SIGHUP."""
    from wheelgate.process.master import GunicornMaster  # only serving needs gunicorn

    config = context.config
    make_folder(config.serverdir)
    lock = lock_folder(config.serverdir)
    prepare_server(config, context.plugins)
    GunicornMaster(load, lock).run()
    return 0
