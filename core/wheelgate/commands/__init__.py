"""Subcommands of ``devpi-server``: one module each with ``register`` and ``run``; without a subcommand, it serves."""

from wheelgate.commands import auth, export_server, fsck, importing, init, passwd, plugins, prefetch, usage
from wheelgate.commands.serve import serve
from wheelgate.subcommands import Command

__all__ = ["CORE_COMMANDS", "serve"]

CORE_COMMANDS = (
    Command("init", "make the server's folder and database before the first start", init.register, init.run),
    Command("passwd", "set a user's password, also while the server runs", passwd.register, passwd.run),
    Command("plugins", "list the installed plugins, their hooks and settings", plugins.register, plugins.run),
    Command("auth", "try the login services", auth.register, auth.run),
    Command("fsck", "check the stored files of a server that is stopped", fsck.register, fsck.run),
    Command(
        "prefetch",
        "fill the cache of a mirror with all that requirements need, also while the server runs",
        prefetch.register,
        prefetch.run,
    ),
    Command(
        "import",
        "make a new server from an export of devpi, or add releases to an index",
        importing.register,
        importing.run,
    ),
    Command("export", "write an export for devpi or for 'import'", export_server.register, export_server.run),
    Command(
        "usage", "show which package files take how much space, also while the server runs", usage.register, usage.run
    ),
)
"""The subcommands of the server itself; plugins provide theirs with ``wheelgate_commands``."""
