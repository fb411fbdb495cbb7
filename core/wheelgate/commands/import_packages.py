"""``devpi-server import --from-simple`` and ``--from-folder``: add releases to an index that exists."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from wheelgate.app import Application
from wheelgate.commands.context import ServerContext
from wheelgate.commands.password_input import add_password_stdin, read_password
from wheelgate.errors import BadInput, Conflict, NotFound, Refusal, StorageFull
from wheelgate.moving.adding.adding import Adder
from wheelgate.moving.adding.counts import AddedCounts
from wheelgate.moving.adding.folder import Folder
from wheelgate.moving.adding.simple import SimpleIndex
from wheelgate.moving.findings import Findings
from wheelgate.moving.progress import Progress
from wheelgate.moving.report import write_report
from wheelgate.process.startup import create_or_migrate, open_services
from wheelgate.secret_file import make_secret
from wheelgate.services.releases.uploads import upload_target
from wheelgate.sizes import readable_size

MAX_SHOWN_FINDINGS = 50
"""Findings that the command prints; the report has more."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--from-simple", metavar="URL", help="add the releases of another simple index to an index")
    parser.add_argument(
        "--from-folder", metavar="DIR", type=Path, help="add the wheels and sdists in a folder to an index"
    )
    parser.add_argument("--index", metavar="USER/INDEX", help="the index to add to; it must exist")
    parser.add_argument("--project", metavar="NAME", action="append", default=[], help="only this project; repeatable")
    parser.add_argument("--username", metavar="NAME", help="name to log in with at the other index")
    add_password_stdin(parser)
    parser.add_argument("--allow-unhashed", action="store_true", help="take files of which the index gives no hash")


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Add what the index lacks; the server may run.

    Returns:
        0 if the index has everything now, 1 if something was left out.

    Raises:
        Refusal: the index does not exist or takes no uploads, or the source cannot be read.
    """
    began, login = time.monotonic(), read_login(arguments)
    context.require_started_server()
    with closing(Application(context.config, context.plugins)) as application:
        path = arguments.index
        resolution = application.packages.inheritance.find(path)
        if resolution is None:
            raise NotFound(f"there is no index {path[:200]!a} on this server; create it first")
        index = resolution.index
        target = upload_target(application.indices.type_of(index), index)
        progress = Progress("added")
        adder = Adder(index, target, application.packages.uploads, application.server, progress)
        with opened_source(arguments, context, login) as source:
            add_all(adder, source, arguments)
        progress.end()
    counts, findings = adder.counts, adder.findings
    if arguments.report is not None:
        named = arguments.from_simple or arguments.from_folder.absolute()
        write_report(arguments.report, named, counts, findings, time.monotonic() - began)
    print_outcome(counts, findings, path)
    return 1 if counts.left_out else 0


def read_login(arguments: argparse.Namespace) -> tuple[str, str] | None:
    """Return the login at the other index; None if none is needed.

    Raises:
        BadInput: one of name and password is missing, or the options do not fit the source.
    """
    if arguments.from_folder is not None and (arguments.username or arguments.password_stdin or arguments.project):
        raise BadInput("--username, --password-stdin and --project belong to --from-simple")
    if arguments.username is None:
        if arguments.password_stdin:
            raise BadInput("--password-stdin needs --username")
        return None
    return arguments.username, read_password("password", from_stdin=arguments.password_stdin)


@contextmanager
def opened_source(
    arguments: argparse.Namespace, context: ServerContext, login: tuple[str, str] | None
) -> Iterator[Folder | SimpleIndex]:
    """Open the source: a folder, or a mirror of the other index in a temporary server beside the files of this one."""
    if arguments.from_folder is not None:
        yield Folder(arguments.from_folder)
        return
    config = context.config
    if config["offline"]:
        raise Conflict("this server is offline (--offline): run the import without that setting")
    with TemporaryDirectory(prefix="import-", dir=config.serverdir) as folder:
        changed = {"serverdir": folder, "database": None, "secretfile": None, "files": None, "files-endpoint": None}
        temporary = config.replace({**changed, "no-root-pypi": True})
        make_secret(temporary.secret_path, given=False)
        create_or_migrate(temporary, context.plugins, root_may_be_open=True)
        with open_services(temporary, context.plugins) as opened:
            yield SimpleIndex(opened, arguments.from_simple, login, arguments.project)


def add_all(adder: Adder, source: Folder | SimpleIndex, arguments: argparse.Namespace) -> None:
    """Add all projects of a source, one after the other.

    Raises:
        Refusal: the source cannot be read at all, or this server cannot store what it sends.
    """
    with asyncio.Runner() as runner:
        for name in source.names():
            try:
                offers = source.offers(name)
            except StorageFull:
                raise
            except Refusal as error:
                adder.report_project(name, error.message)
                continue
            runner.run(adder.add_project(name, offers, allow_unhashed=arguments.allow_unhashed))


def print_outcome(counts: AddedCounts, findings: Findings, index: str) -> None:
    """Print the findings and the counts."""
    print("".join(findings.table().splitlines(keepends=True)[:MAX_SHOWN_FINDINGS]), end="")
    if len(findings.found) > MAX_SHOWN_FINDINGS:
        print(f"… and {len(findings.found) - MAX_SHOWN_FINDINGS} more: see --report")
    added = (
        f"{counts.files} {'file' if counts.files == 1 else 'files'} of {readable_size(counts.bytes)} added to {index}"
    )
    print(f"{added}, {counts.present} were there, {counts.left_out} left out")
