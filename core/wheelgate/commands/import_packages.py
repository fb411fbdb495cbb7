"""``devpi-server import --from-simple`` and ``--from-folder``: add releases to an index that exists."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from wheelgate.app import Application
from wheelgate.commands.context import ServerContext
from wheelgate.commands.password_input import add_password_stdin, read_password
from wheelgate.disk import create_private_file, write_all
from wheelgate.errors import BadInput, Conflict, NotFound, Refusal, StartupError, StorageFull
from wheelgate.logs import escape_unprintable
from wheelgate.process.startup import create_or_migrate
from wheelgate.secret_file import make_secret
from wheelgate.services.adding.adding import Adder, Outcome
from wheelgate.services.adding.folder import Folder
from wheelgate.services.adding.simple import SimpleIndex
from wheelgate.services.opened_server import OpenedServer
from wheelgate.services.releases.uploads import upload_target
from wheelgate.sizes import readable_size
from wheelgate.store.database import Database

MAX_SHOWN_FINDINGS = 50
"""Findings that the command prints; the report has more."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--from-simple", metavar="URL", help="read another simple index, as pip does")
    source.add_argument("--from-folder", metavar="DIR", type=Path, help="read the wheels and sdists in a folder")
    parser.add_argument("--index", metavar="USER/INDEX", required=True, help="the index to add to; it must exist")
    parser.add_argument("--project", metavar="NAME", action="append", default=[], help="only this project; repeatable")
    parser.add_argument("--username", metavar="NAME", help="name to log in with at the other index")
    add_password_stdin(parser)
    parser.add_argument("--allow-unhashed", action="store_true", help="take files of which the index gives no hash")
    parser.add_argument("--report", metavar="FILE", type=Path, help="write counts and findings to this file, as JSON")


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
        adder = Adder(index, target, application.packages.uploads, application.server)
        with opened_source(arguments, context, login) as source:
            add_all(adder, source, arguments)
    outcome = adder.outcome
    if arguments.report is not None:
        write_report(arguments.report, arguments, outcome, time.monotonic() - began)
    print_outcome(outcome, path)
    return 1 if outcome.left_out else 0


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
        with closing(Database(temporary.database_url)) as database:
            opened = OpenedServer(temporary, context.plugins, database)
            with closing(opened.server.files), closing(opened.server.deferred):
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
            show_progress(adder.outcome)


def show_progress(outcome: Outcome) -> None:
    """Print the counts to standard error, if that is a terminal."""
    if sys.stderr.isatty():
        print(f"\r{outcome.projects} projects, {outcome.files} files added", end="", file=sys.stderr, flush=True)


def print_outcome(outcome: Outcome, index: str) -> None:
    """Print the findings and the counts."""
    if sys.stderr.isatty():
        print(file=sys.stderr)
    width = max((len(finding.kind) for finding in outcome.findings), default=0)
    for finding in outcome.findings[:MAX_SHOWN_FINDINGS]:
        print(escape_unprintable(f"{finding.kind:<{width}}  {finding.subject}: {finding.sentence}"))
    if len(outcome.findings) > MAX_SHOWN_FINDINGS:
        print(f"… and {len(outcome.findings) - MAX_SHOWN_FINDINGS} more: see --report")
    files = f"{outcome.files} {'file' if outcome.files == 1 else 'files'}"
    added = f"{files} of {readable_size(outcome.bytes)} added to {index}"
    print(f"{added}, {outcome.present} were there, {outcome.left_out} left out")


def write_report(path: Path, arguments: argparse.Namespace, outcome: Outcome, seconds: float) -> None:
    """Write the report, a JSON file that only its owner can read.

    Raises:
        StartupError: the file cannot be written.
    """
    counts = {name: value for name, value in asdict(outcome).items() if name != "findings"}
    report = {
        "source": arguments.from_simple or str(arguments.from_folder.absolute()),
        "index": arguments.index,
        "counts": counts,
        "findings": [finding.as_json() for finding in outcome.findings],
        "seconds": round(seconds, 3),
    }
    try:
        with suppress(FileNotFoundError):
            path.unlink()
        descriptor = create_private_file(str(path))
        try:
            write_all(descriptor, json.dumps(report, indent=2).encode() + b"\n")
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StartupError(f"--report: cannot write {path}: {error.strerror}") from None
