"""``devpi-server restore DIR``: make a server from a backup in an empty folder, or only check the backup."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from contextlib import closing
from pathlib import Path

from wheelgate.backups.database_copies import load_postgresql, place_sqlite
from wheelgate.backups.file_copies import FileCopies
from wheelgate.backups.verification import VerifiedBackup, verify
from wheelgate.commands.context import ServerContext
from wheelgate.commands.fsck import check_files, count_of
from wheelgate.disk import create_private_file, sync, sync_and_close, write_all
from wheelgate.errors import StartupError
from wheelgate.files.local import LocalBackend
from wheelgate.files.server_files import file_backend
from wheelgate.process.first_start import RESTORING_NAME, remains
from wheelgate.process.startup import lock_folder, make_folder
from wheelgate.secret_file import read_secret
from wheelgate.store.database import Database
from wheelgate.store.engines import Sqlite


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("folder", metavar="DIR", help="folder with a finished backup")
    parser.add_argument("--check", action="store_true", help="read the backup, compare its hashes, and write nothing")
    parser.add_argument(
        "--accept-losses", action="store_true", help="restore what is left of a backup whose package files are damaged"
    )


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Verify a backup, restore it and run ``fsck``; or only verify it.

    Returns:
        0 if nothing is wrong, 1 otherwise.
    """
    folder = Path(arguments.folder).expanduser().absolute()
    backup = verify(folder)
    for problem in backup.problems:
        print(problem, file=sys.stderr)
    checked = f"the backup of {backup.manifest.began}: {count_of(len(backup.files), 'file')}, database and secret are"
    if arguments.check:
        print(f"{checked} intact" + (f", {count_of(len(backup.problems), 'file')} not" if backup.problems else ""))
        return 1 if backup.problems else 0
    if backup.problems and not arguments.accept_losses:
        raise StartupError(
            f"{count_of(len(backup.problems), 'file')} of the backup missing or damaged, so nothing was restored; "
            "restore another backup, or what is left of this one with --accept-losses"
        )
    config = context.config
    check_kind(backup, context)
    check_target(backup, context)
    make_folder(config.serverdir)
    lock = lock_folder(config.serverdir, wait_seconds=0)
    try:
        place(backup, context)
        context.record("server.restore", str(folder), files=len(backup.files), lost=len(backup.problems))
        code = check_files(context, hashes=True)
    finally:
        os.close(lock)
    print(f"restored into {config.serverdir}; start the server with '{config.command()}'")
    return code


def check_kind(backup: VerifiedBackup, context: ServerContext) -> None:
    """Check that the database of the backup fits the settings.

    Raises:
        StartupError: it is one for PostgreSQL and the settings name none, or the reverse.
    """
    wants_sqlite = context.config.database_url.startswith("sqlite:")
    if wants_sqlite and backup.manifest.database != "sqlite":
        raise StartupError("the backup is one of a PostgreSQL database: name an empty database with --database")
    if not wants_sqlite and backup.manifest.database == "sqlite":
        raise StartupError(
            "the backup is one of a SQLite database, which cannot be restored into the one of --database"
        )


def place(backup: VerifiedBackup, context: ServerContext) -> None:
    """Put files, secret and database in their places; the database last, because without one nothing starts.

    A restore that was interrupted goes on if the same backup is restored again.

    Raises:
        StartupError: the folder or the database is not empty, or something cannot be written.
    """
    config = context.config
    marker = config.serverdir / RESTORING_NAME
    mark(marker, backup, context)
    try:
        if not context.was_started():
            drafts = config.serverdir / "files" / "drafts"
            shutil.rmtree(drafts, ignore_errors=True)  # of a run that was killed
            copies = FileCopies(LocalBackend(backup.store), file_backend(config), drafts)
            result = copies.copy(backup.files)
            if result.absent or result.damaged:
                raise StartupError(f"{backup.folder} has changed while it was read; run the command again")
            # A secret in the folder is of a start that was refused, and worth nothing without a database.
            secret = config.secret_path
            write_file(secret, secret.with_name(f"{secret.name}.new"), backup.secret.read_bytes())
            place_database(backup, config.database_url)
        marker.unlink()
    except OSError as error:
        raise StartupError(f"the backup could not be restored: {error.strerror}; run the command again") from None


def check_target(backup: VerifiedBackup, context: ServerContext) -> None:
    """Check that nothing is in the way: neither in the folder and the database nor where the secret belongs.

    Raises:
        StartupError: something is; a restore of the same backup that was interrupted is not.
    """
    config, marker = context.config, context.config.serverdir / RESTORING_NAME
    check_schema(backup, config.database_url)
    secret = config.secret_path
    given = config["secretfile"] is not None and secret.exists()
    if given and read_secret(secret, given=True) != backup.secret.read_bytes():
        raise StartupError(
            f"{secret} has another secret than the backup, so all logins would end; move it away, and run the "
            "command again"
        )
    if marker.exists():
        if marker.read_bytes() != backup.manifest.to_json():
            raise StartupError(
                f"another backup was being restored into {config.serverdir}; restore that one, or use an empty folder"
            )
        return
    if context.was_started():
        raise StartupError(
            f"there is a server in {config.serverdir}, or in its database, already; a backup is restored into an empty "
            "folder: name another one with --serverdir, and with PostgreSQL another database with --database"
        )
    if config.serverdir.is_dir() and (names := sorted(remains(config))):
        raise StartupError(f"{config.serverdir} is not empty: it has {names[0]}; name an empty folder with --serverdir")


def check_schema(backup: VerifiedBackup, url: str) -> None:
    """Check that the tables would be where the server looks for them.

    Raises:
        StartupError: the first schema of the ``search_path`` is another than that of the backup.
    """
    wanted = backup.manifest.schema
    if not wanted:
        return
    with closing(Database(url, read_only=True)) as database, database.exported_snapshot() as (_, schema):
        found = schema
    if found != wanted:
        raise StartupError(
            f"the backup is one of the schema {wanted!a}, but the first of the search_path is {found!a}: create the "
            "schema, and set the search_path as the page about PostgreSQL says"
        )


def mark(marker: Path, backup: VerifiedBackup, context: ServerContext) -> None:
    """Mark the folder as one that a backup is being restored into, unless it is marked already."""
    check_target(backup, context)  # once more, because the folder is locked now
    if not marker.exists():
        # A name that is no remains of a server.
        write_file(marker, marker.with_name(f"{context.config.secret_path.name}.new"), backup.manifest.to_json())


def write_file(path: Path, draft: Path, content: bytes) -> None:
    """Write a file that is there as a whole or not at all; one of that name is replaced."""
    draft.unlink(missing_ok=True)
    descriptor = create_private_file(draft)
    try:
        write_all(descriptor, content)
    finally:
        sync_and_close(descriptor)
    draft.rename(path)
    sync(path.parent)


def place_database(backup: VerifiedBackup, url: str) -> None:
    """Put the database in its place, as a whole or not at all."""
    database = Database(url)
    if isinstance(database.orm, Sqlite):
        place_sqlite(backup.database, database.orm.path)
    else:
        load_postgresql(url, backup.database, schema=backup.manifest.schema)
