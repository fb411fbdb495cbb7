"""``devpi-server fsck``: check that stored package files are present, undamaged and needed."""

from __future__ import annotations

import argparse
import os
from contextlib import closing

from wheelgate.commands.context import ServerContext
from wheelgate.process.startup import create_or_migrate, lock_folder, open_application
from wheelgate.secret_file import make_secret

UNRECORDED_GRACE_SECONDS = 3600.0
"""A file in a bucket that has no record may be an upload that another node is about to record."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--repair", action="store_true", help="remove unneeded files, and set damaged ones aside")
    parser.add_argument(
        "--accept-losses",
        action="store_true",
        help="repair even if files and database do not seem to belong together",
    )
    parser.add_argument("--no-hashes", action="store_true", help="compare sizes only, without reading every file")


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Compare stored files with the records and print the differences; the server must be stopped.

    Returns:
        0 if nothing is wrong or everything was repaired, 1 otherwise.
    """
    context.require_started_server()
    lock = lock_folder(context.config.serverdir, wait_seconds=0)
    try:
        return check_files(
            context,
            hashes=not arguments.no_hashes,
            repair=arguments.repair,
            accept_losses=arguments.accept_losses,
        )
    finally:
        os.close(lock)


def check_files(context: ServerContext, *, hashes: bool, repair: bool = False, accept_losses: bool = False) -> int:
    """Do the work of :func:`run`; this process holds the lock of the folder."""
    config, repaired = context.config, 0
    make_secret(config.secret_path, given=config["secretfile"] is not None)
    create_or_migrate(config, context.plugins, root_may_be_open=config.loopback)
    with closing(open_application(config, context.plugins)) as application:
        grace = 0.0 if config["files"] is None else UNRECORDED_GRACE_SECONDS
        check = application.files.check(hashes=hashes, repair=repair, grace=grace, accept_losses=accept_losses)
        found = 0
        for finding in check.findings():
            found += 1
            repaired += finding.repaired
            print(f"{finding.subject}: {finding.problem}{' (repaired)' if finding.repaired else ''}")
        complete = check.complete
    if not complete:
        print("the plugin of an index is missing: fsck did not look for unneeded files")
    checked = f"{count_of(check.checked, 'stored file')} checked"
    if not found:
        print(f"{checked}, nothing is wrong")
    elif repaired:
        print(f"{checked}, {found} found and repaired; damaged files are now in 'damaged', next to the good ones")
    elif check.mismatch:
        command = config.command("fsck", "--repair", "--accept-losses")
        print(
            f"{checked}, {found} found; nothing was changed: {check.mismatch}. Restore a database and files that "
            f"belong together; if the files are really lost, run '{command}'"
        )
    else:
        command = config.command("fsck", "--repair")
        print(f"{checked}, {found} found; nothing was changed: run '{command}' to repair them")
    return 1 if found and not repaired else 0


def count_of(number: int, noun: str) -> str:
    """Return a number with a noun in singular or plural."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
