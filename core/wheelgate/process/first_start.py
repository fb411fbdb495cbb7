"""The first start: it fills a new database, but never one that is empty because the old one was lost."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from wheelgate.config import Config
from wheelgate.errors import Refusal, StartupError
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.services.opened_server import OpenedServer
from wheelgate.store.database import Database
from wheelgate.values import ROOT, User

NAMED_REMAINS = 3
"""Names in a message; a folder may have many."""
LOCK_NAME = ".lock"
"""The file by which a server locks its folder."""
RESTORING_NAME = ".restoring"
"""The file that marks a folder into which a backup is being restored."""
HARMLESS_PATTERNS = ("lost+found", "*.log")
"""What others put into a folder before a server uses it: the file system, and the program that starts the server."""


def fill_new_database(config: Config, plugins: Plugins, database: Database, *, root_may_be_open: bool) -> None:
    """Fill a new database; inside the transaction that creates it.

    Args:
        config: the settings.
        plugins: the plugins.
        database: the database, with its tables.
        root_may_be_open: whether root may have an empty password if the settings give none.

    Raises:
        StartupError: the folder has remains of a server, root has no password and needs one, or a plugin fails.
    """
    refuse_remains(config, database)
    if config["root-passwd"] is None and not root_may_be_open:
        raise StartupError(
            f"root has no password yet, and {config.exposed_by} lets other machines reach the server; set one "
            f"with '{config.command('passwd', ROOT, new=True)}', or give --root-passwd at the first start"
        )
    fill_database(config, plugins, database)


def refuse_remains(config: Config, database: Database) -> None:
    """Refuse to begin an empty server beside the remains of another one: its database was lost, or is elsewhere.

    Raises:
        StartupError: the folder has such remains; the text names some of them.
    """
    folder = config.serverdir
    if (folder / RESTORING_NAME).exists():
        raise StartupError(
            f"a backup was being restored into {folder}, but not to the end; run 'devpi-server restore' again with the "
            "same backup, or use an empty folder"
        )
    if database.kind == "sqlite":
        # With another database, a folder that was used with SQLite is no sign of a loss.
        if names := sorted(remains(config)):
            shown = ", ".join(names[:NAMED_REMAINS]) + (" and more" if len(names) > NAMED_REMAINS else "")
            raise StartupError(
                f"there is no database, but {folder} is not empty: it has {shown}. If a server has used it, restore "
                "its database from a backup, or name the right folder with --serverdir. To begin with an empty server, "
                "use an empty folder, or move these away"
            )
    elif any_file(folder / "files"):
        raise StartupError(
            f"the database is empty, but {folder / 'files'} has package files. Restore the database from a backup, or "
            "name the right one with --database. To begin with an empty server, use an empty folder, or move the files "
            "away"
        )


def remains(config: Config) -> Iterator[str]:
    """Yield the names in the server's folder that a first start does not expect there.

    A first start that was refused or killed leaves locks, a secret, and the database that it was building. They are
    worth nothing without a database.
    """
    named = {config.secret_path, *(Path(config[key]).absolute() for key in ("config", "access-log") if config[key])}
    database = Path(config.database_url.removeprefix("sqlite:///")).name
    patterns = (LOCK_NAME, f"{config.secret_path.name}.*", f"{database}.lock", f"{database}.new*", *HARMLESS_PATTERNS)
    for path in config.serverdir.iterdir():
        expected = path in named or any(path.match(pattern) for pattern in patterns)
        if not expected and not is_empty_folder(path):
            yield path.name


def is_empty_folder(path: Path) -> bool:
    """Return whether a path is a folder without anything in it, such as a disk that was just mounted."""
    return path.is_dir() and all(entry.name == "lost+found" for entry in path.iterdir())


def any_file(folder: Path) -> bool:
    """Return whether a folder, or one below it, has a file."""
    return any(names for _, _, names in os.walk(folder))


def fill_database(config: Config, plugins: Plugins, database: Database) -> None:
    """Give a new database root and the first indices; inside the transaction that creates it.

    Raises:
        StartupError: the password of root is not allowed, or a plugin fails.
    """
    password = config["root-passwd"]
    opened = OpenedServer(config, plugins, database)
    server = opened.server
    with contextlib.closing(server.files):
        try:
            # Plugins that check passwords run in threads, which do not see the database before it is complete.
            password_hash = "" if password is None else opened.passwords.hash_without_vetoes(password)
        except Refusal as error:
            raise StartupError(f"--root-passwd: {error}") from None
        if server.users.get(ROOT) is None:
            now = datetime.now(UTC).replace(microsecond=0)
            server.users.create(User(ROOT, stamp=secrets.token_urlsafe(12), created=now), password_hash)
        for _, indices in plugins.ask("wheelgate_first_indices", server=server):
            for index in indices:
                if server.indices.get(index.owner, index.name) is None:
                    server.indices.create(index)
