"""Subcommands of ``devpi-server``: one module each with ``register`` and ``run``; without a subcommand, it serves."""

from wheelgate.commands import (
    apply,
    auth,
    backup,
    export_server,
    export_state,
    fsck,
    importing,
    init,
    passwd,
    plan,
    plugins,
    prefetch,
    restore,
    usage,
)
from wheelgate.commands.serve import serve
from wheelgate.subcommands import Command

__all__ = ["CORE_COMMANDS", "serve"]

CORE_COMMANDS = (
    Command("init", "make the server's folder and database before the first start", init.register, init.run),
    Command("passwd", "set a user's password, also while the server runs", passwd.register, passwd.run),
    Command("plugins", "list the installed plugins, their hooks and settings", plugins.register, plugins.run),
    Command("auth", "try the login services", auth.register, auth.run),
    Command(
        "backup",
        "copy database, files and secret into a folder, also while the server runs",
        backup.register,
        backup.run,
    ),
    Command("restore", "make a server from a backup, or check a backup", restore.register, restore.run),
    Command("plan", "show what a state file would change", plan.register, plan.run),
    Command("apply", "give the server the state that a file declares", apply.register, apply.run),
    Command("export-state", "print a state file of the server as it is", export_state.register, export_state.run),
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
