"""``devpi-server export DIR``: write an export that devpi, and this server, can import."""

from __future__ import annotations

import argparse
from pathlib import Path

from wheelgate.commands.context import ServerContext
from wheelgate.disk import make_private_folder
from wheelgate.errors import StartupError
from wheelgate.moving.exporting import ExportChoice, ExportWriter
from wheelgate.moving.progress import Progress
from wheelgate.process.startup import open_services


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("target", metavar="DIR", type=Path, help="folder to write; it must be empty, or not exist")
    parser.add_argument(
        "--index",
        action="append",
        default=[],
        metavar="PATTERN",
        help="export these indices only, such as 'team/*'; can be repeated",
    )
    parser.add_argument("--hard-links", action="store_true", help="link the files instead of copying them")
    parser.add_argument(
        "--include-mirrored-files", action="store_true", help="also export the files that mirrors have downloaded"
    )


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Write the export; the server may run, and change, at the same time.

    Returns:
        0 if everything was written.
    """
    context.require_started_server()
    target = arguments.target.absolute()
    prepare_target(target)
    choice = ExportChoice(tuple(arguments.index), arguments.include_mirrored_files, arguments.hard_links)
    progress = Progress("exported")
    with open_services(context.config, context.plugins, read_only=True) as opened:
        writer = ExportWriter(target, opened, context.plugins, choice, progress)
        try:
            with opened.server.database.snapshot():
                writer.write()
        except OSError as error:
            raise StartupError(
                f"the export cannot be written to {target}: {error.strerror}; remove the folder, and repeat it"
            ) from None
    progress.end()
    for sentence in writer.notes.sentences:
        print(sentence)
    counts = writer.counts
    print(
        f"exported {counts.users} users, {counts.indices} indices, {counts.projects} projects, {counts.versions} "
        f"versions and {counts.files} files ({counts.bytes} bytes); the folder has the hashes of passwords"
    )
    return 0


def prepare_target(target: Path) -> None:
    """Make the folder of an export, for its owner only.

    Raises:
        StartupError: it is not empty, or cannot be made.
    """
    try:
        make_private_folder(target)
        if any(target.iterdir()):
            raise StartupError(f"{target} is not empty; name a folder that is, or that does not exist")
        target.chmod(0o700)
    except OSError as error:
        raise StartupError(f"the folder {target} cannot be used: {error.strerror}") from None
