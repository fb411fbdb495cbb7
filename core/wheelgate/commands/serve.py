"""``devpi-server`` without a subcommand: prepare the folder, and serve until a signal ends the process."""

from __future__ import annotations

from collections.abc import Callable

from wheelgate.commands.context import ServerContext
from wheelgate.config import Config
from wheelgate.logs import configure_logging
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.process.listeners import bind_addresses, open_listeners, start_listening
from wheelgate.process.passed_sockets import refuse_other_addresses
from wheelgate.process.startup import lock_folder, make_folder, prepare_server
from wheelgate.process.temporary_files import choose_temporary_folder, keep_files_private


def serve(context: ServerContext, load: Callable[[], tuple[Config, Plugins]]) -> int:
    """Run the server; ``load`` reads settings and plugins anew, at the start and at each SIGHUP."""
    from wheelgate.process.master import GunicornMaster  # only serving needs gunicorn

    config = context.config
    configure_logging(config["log-level"], config["log-format"])
    addresses = bind_addresses(config["host"], config["port"])
    refuse_other_addresses(addresses)
    keep_files_private()
    make_folder(config.serverdir)
    choose_temporary_folder(config.serverdir)
    lock = lock_folder(config.serverdir)
    listeners = open_listeners(addresses)
    prepare_server(config, context.plugins)
    GunicornMaster(load, lock, start_listening(listeners)).run()
    return 0
