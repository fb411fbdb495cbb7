"""``devpi-server import DIR``: make a new server from the export of devpi, or of this server."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from wheelgate.commands.context import ServerContext
from wheelgate.errors import StartupError
from wheelgate.moving.decisions import add_decisions, read_decisions
from wheelgate.moving.file_check import Counts
from wheelgate.moving.findings import Findings
from wheelgate.moving.plan import ImportPlan, opened_plan
from wheelgate.moving.progress import Progress
from wheelgate.moving.report import write_report
from wheelgate.moving.writing import ImportWriter, begin_import, resumed
from wheelgate.plugin_host.events import Events
from wheelgate.process.first_start import refuse_remains
from wheelgate.process.startup import lock_folder, make_folder, open_services, prepare_database
from wheelgate.secret_file import make_secret
from wheelgate.services.opened_server import OpenedServer
from wheelgate.store.database import Database
from wheelgate.store.import_progress import ImportProgress
from wheelgate.values import Principal, RequestInfo

NOT_KEPT = "everybody has to log in again: logins, API tokens and the secret of a server are in no export"


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    written = "make a new server from this folder, which devpi-export or 'export' has written"
    parser.add_argument("source", metavar="DIR", type=Path, nargs="?", help=written)
    parser.add_argument("--dry-run", action="store_true", help="check everything and change nothing")
    add_decisions(parser)
    parser.add_argument("--hard-links", action="store_true", help="link the files instead of copying them")
    parser.add_argument("--report", metavar="FILE", type=Path, help="write counts and findings to this file, as JSON")


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Check the export, and import it into a new server or go on with the same import.

    Returns:
        0 if everything is imported, or nothing needs a decision in a dry run; 1 otherwise.
    """
    began = time.monotonic()
    if not arguments.dry_run:
        refuse_other_server(context)
    findings, counts = Findings(), Counts()
    source = arguments.source.absolute()
    decisions = read_decisions(arguments)
    progress = Progress("checked")
    with context.open_temporary() as temporary:
        types = temporary.indices.types
        with opened_plan(source, types, decisions, findings, progress) as plan:
            progress.end()
            print(findings.table(), end="")
            if plan is not None:
                counts = plan.counts
            code = 0 if plan is not None and not findings.undecided else 1
            if plan is not None and code == 0 and not arguments.dry_run:
                write(plan, context, links=arguments.hard_links)
    if arguments.report is not None:
        write_report(arguments.report, source, counts, findings, time.monotonic() - began)
    if findings.faults:
        refuse_faults(findings)
    print(summary(counts, findings, code, dry_run=arguments.dry_run))
    return code


def refuse_other_server(context: ServerContext) -> None:
    """Raise ``StartupError`` unless the folder is empty, or has an unfinished import: checks take long."""
    config = context.config
    if not context.was_started():
        if config.serverdir.is_dir():
            with closing(Database(config.database_url)) as database:
                refuse_remains(config, database)
        return
    with closing(Database(config.database_url, read_only=True)) as database:
        if not database.orm.table_exists("import_run") or ImportProgress(database).run() is None:
            raise StartupError(
                f"there is a server in {config.serverdir} already; an import needs an empty folder, which --serverdir"
                " names"
            )


def write(plan: ImportPlan, context: ServerContext, *, links: bool) -> None:
    """Write a plan into a new server, or go on with it."""
    config, plugins = context.config, context.plugins
    make_folder(config.serverdir)
    lock = lock_folder(config.serverdir, wait_seconds=0)
    try:
        make_secret(config.secret_path, given=config["secretfile"] is not None)

        def fill(database: Database) -> None:
            refuse_remains(config, database)
            server = OpenedServer(config, plugins, database).server
            with closing(server.files):
                begin_import(plan, database, server.users)

        prepare_database(config, plugins, fill)
        with open_services(config, plugins) as opened:
            resumed(plan, opened.server.database)
            writer = ImportWriter(plan, opened, plugins)
            with shown("stored", plan.counts.files) as progress:
                writer.store_files(opened.server.files.bulk(links=links), progress)
            writer.record()
            announce(plan, opened, context)
    finally:
        os.close(lock)


@contextmanager
def shown(verb: str, total: int) -> Iterator[Progress]:
    """Show progress until the end of the ``with`` block."""
    progress = Progress(verb, total)
    try:
        yield progress
    finally:
        progress.end()


def announce(plan: ImportPlan, opened: OpenedServer, context: ServerContext) -> None:
    """Tell the plugins that listen to events about the import."""
    with closing(Events(opened.server, context.plugins.implementations("wheelgate_on_event"))) as events:
        info = RequestInfo("", "", {}, "")
        events.announce("ServerImported", Principal(), info, plan.folder.path.name, asdict(plan.counts))


def refuse_faults(findings: Findings) -> None:
    """Raise ``StartupError`` about the faults, and print them if there are several."""
    if len(findings.faults) == 1:
        raise StartupError(f"{findings.faults[0]}; nothing was changed")
    for fault in findings.faults:
        print(f"devpi-server: {fault}", file=sys.stderr)
    raise StartupError(f"the export has {len(findings.faults)} faults or more; nothing was changed")


def summary(counts: Counts, findings: Findings, code: int, *, dry_run: bool) -> str:
    """Return the last lines of the output."""
    size = (
        f"{counts.users} users, {counts.indices} indices, {counts.projects} projects, {counts.versions} versions and "
        f"{counts.files} files ({counts.bytes} bytes)"
    )
    if code:
        options = "".join(f"\n  {line}" for line in sorted({finding.decision for finding in findings.undecided}))
        count = len(findings.undecided)
        needs = "1 finding needs" if count == 1 else f"{count} findings need"
        return f"{needs} a decision; nothing was changed. Repeat the command with:{options}"
    if dry_run:
        return f"{size} can be imported; nothing was changed"
    return f"imported {size}\n{NOT_KEPT}"
