"""``devpi-server backup DIR``: copy database, files and secret into a folder, while the server runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from wheelgate.app import SERVER_VERSION
from wheelgate.backups.database_copies import copy_sqlite, dump_postgresql
from wheelgate.backups.file_copies import CopiedFiles, FileCopies, Links
from wheelgate.backups.folder import BackupFolder, backup_folder, newest_sibling, remove_others, require_previous
from wheelgate.backups.manifest import FILES_FOLDER, Manifest, file_name
from wheelgate.commands.context import ServerContext
from wheelgate.commands.fsck import count_of
from wheelgate.errors import StartupError
from wheelgate.files.backends import path_in_store
from wheelgate.files.local import LocalBackend
from wheelgate.packages import StoredFile
from wheelgate.process.startup import has_current_tables, open_server
from wheelgate.server import Server
from wheelgate.store.engines import Sqlite
from wheelgate.store.server_state import ServerState

MAX_ROUNDS = 20
"""How often the database is copied anew because files that its copy needs were deleted in the meantime."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("folder", metavar="DIR", help="folder for the backup; it must be new, empty or unfinished")
    parser.add_argument(
        "--previous",
        metavar="DIR",
        help="finished backup whose files are linked instead of copied again; if not given, the newest beside DIR",
    )
    parser.add_argument(
        "--copy-all", action="store_true", help="copy every file, so that this backup shares none with another one"
    )
    parser.add_argument(
        "--hard-links",
        action="store_true",
        help="link the server's own files instead of copying them; quick, but no protection from a failing disk",
    )
    parser.add_argument("--compact", action="store_true", help="leave free pages out of the copy of a SQLite database")


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Make a backup; go on with one that was interrupted.

    Returns:
        0; 1 if the server itself has lost files that its packages need. The backup is then finished without them.

    Raises:
        StartupError: no backup was made, or it is unfinished; the text says why.
    """
    context.require_started_server()
    check_arguments(arguments, context)
    path = Path(arguments.folder).expanduser().absolute()
    began = datetime.now(UTC).isoformat(timespec="seconds")
    with backup_folder(path) as folder:
        folder.write_secret(context.config.read_secret())
        needed, manifest = copy_server(arguments, context, folder, began)
        remove_others(folder.files, {path_in_store(sha256) for sha256 in needed})
        folder.finish(manifest)
    lost = manifest.lost
    for sha256 in lost:
        print(f"the server itself has lost the file {sha256}, or has it damaged", file=sys.stderr)
    if lost:
        print(f"stop the server and run '{context.config.command('fsck')}' to learn which packages need them")
    context.record("server.backup", str(path), files=manifest.files, lost=len(lost), database=manifest.database)
    print(f"backup finished: {count_of(manifest.files, 'file')}, database and secret in {path}")
    return 1 if lost else 0


def check_arguments(arguments: argparse.Namespace, context: ServerContext) -> None:
    """Refuse a folder, or links, that cannot be used.

    Raises:
        StartupError: the text says why.
    """
    config = context.config
    store = (config.serverdir / "files").resolve()
    if Path(arguments.folder).expanduser().resolve().is_relative_to(store):
        raise StartupError(f"{arguments.folder} is among the package files of the server; name another folder")
    if arguments.hard_links and config["files"] is not None:
        raise StartupError("--hard-links: the package files are in a bucket, so they can only be copied")
    if arguments.copy_all and (arguments.hard_links or arguments.previous is not None):
        raise StartupError("--copy-all contradicts --hard-links and --previous; leave one of them out")


def copy_server(
    arguments: argparse.Namespace, context: ServerContext, folder: BackupFolder, began: str
) -> tuple[set[str], Manifest]:
    """Copy database and files until every file that the copy of the database needs is there.

    A file can be deleted after the database was copied and before the file is. A newer copy then no longer needs it.

    Returns:
        the hashes of the files that are in the backup, and the manifest.

    Raises:
        StartupError: files are deleted faster than they can be copied.
    """
    for _ in range(MAX_ROUNDS):
        with copied_database(context, folder, compact=arguments.compact) as (server, wanted, schema):
            identity, kind = ServerState(server.database).uuid, server.database.kind
            links = Links(link_sources(arguments, context, folder, identity), folder.files)
            result = FileCopies(server.files.backend, LocalBackend(folder.files), folder.drafts, links).copy(wanted)
        report(result, links)
        if not result.absent or all_lost(result.absent, context):
            break
    else:
        command = context.config.command("backup", arguments.folder)
        raise StartupError(f"files are deleted faster than they can be copied; run '{command}' again")
    lost = sorted(stored.sha256 for stored in (*result.absent, *result.damaged))
    needed = {stored.sha256 for stored in wanted}.difference(lost)
    sums = folder.write_hashes(kind, {file_name(sha256): sha256 for sha256 in sorted(needed)})
    return needed, Manifest(identity, SERVER_VERSION, began, kind, schema, len(needed), sums, lost)


def all_lost(absent: Iterable[StoredFile], context: ServerContext) -> bool:
    """Return whether the running server needs all of these files and lacks them, so that none was deleted just now."""
    with open_server(context.config, context.plugins) as server:
        return all(server.files.is_lost(stored) for stored in absent)


def link_sources(
    arguments: argparse.Namespace, context: ServerContext, folder: BackupFolder, identity: str
) -> list[Path]:
    """Return the folders with files that can be linked instead of copied."""
    if arguments.copy_all:
        return []
    if arguments.previous is not None:
        previous: Path | None = require_previous(Path(arguments.previous).expanduser().absolute())
    else:
        previous = newest_sibling(folder.path, identity)
    sources = [context.config.serverdir / FILES_FOLDER] if arguments.hard_links else []
    return sources if previous is None else [*sources, previous / FILES_FOLDER]


@contextmanager
def copied_database(
    context: ServerContext, folder: BackupFolder, *, compact: bool
) -> Iterator[tuple[Server, list[StoredFile], str]]:
    """Copy the database, and open the server that tells which files the copy needs.

    Yields:
        the server, the files, and the schema of the tables in PostgreSQL, which is empty for SQLite.
    """
    config = context.config
    if config.database_url.startswith("sqlite:"):
        copy = folder.database("sqlite")
        copy.unlink(missing_ok=True)
        copy_sqlite(Sqlite(config.database_url).path, copy, compact=compact)
        with open_server(config.replace({"database": f"sqlite:///{copy}"}), context.plugins, read_only=True) as server:
            yield server, wanted_files(server, context), ""
        return
    copy = folder.database("postgresql")
    copy.unlink(missing_ok=True)
    with open_server(config, context.plugins, read_only=True) as server:
        with server.database.exported_snapshot() as (snapshot, found):
            schema = found or ""
            wanted = wanted_files(server, context)
            dump_postgresql(config.database_url, copy, schema=schema, snapshot=snapshot)
        yield server, wanted, schema


def wanted_files(server: Server, context: ServerContext) -> list[StoredFile]:
    """Return the files that the database needs; all stored files if it is one of another version, before an upgrade."""
    current = has_current_tables(server.database, context.plugins)
    return list(server.files.needed() if current else server.files.stored())


def report(result: CopiedFiles, links: Links) -> None:
    """Print what was done with the files."""
    parts = [f"{count_of(result.copied, 'file')} copied"]
    if result.linked:
        parts.append(f"{result.linked} linked to {' and '.join(str(source.parents[1]) for source in links.sources)}")
    if result.present:
        parts.append(f"{result.present} there already")
    print(f"database copied; {', '.join(parts)}")
