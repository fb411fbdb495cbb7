"""Finds the files to upload: those that the command line names, and those in folders."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from wheelgate_client.context import ClientContext
from wheelgate_client.errors import ClientError, DamagedFileError
from wheelgate_client.packages import distributions
from wheelgate_client.packages.distributions import Distribution


def find_distributions(options: argparse.Namespace, context: ClientContext) -> list[Distribution]:
    """Return the files at the given paths, and the files in the given folders.

    Raises:
        ClientError: if a path is not a distribution, a release in a folder is damaged, or no file is found.
    """
    paths = list(map(Path, options.path))
    for path in paths:
        if not path.exists():
            raise ClientError(f"path does not exist: {path}; {_BUILD_ADVICE}")
        if path.is_dir() and not options.from_dir:
            raise ClientError(f"{path}: is a directory but --from-dir not specified")
    found: list[Distribution] = []
    for path in paths:
        found += (
            _distributions_in(path, context, documentation=not options.no_docs)
            if path.is_dir()
            else [distributions.read_distribution(path)]
        )
    if options.only_docs:
        found = [file for file in found if file.action == "doc_upload"]
    if not found:
        searched = ", ".join(options.path)
        if options.only_docs:
            raise ClientError(f"no documentation (NAME-VERSION.doc.zip) found in {searched}")
        raise ClientError(f"no release files found in {searched}; {_BUILD_ADVICE}")
    return distributions.keep_newest(found) if options.only_latest else found


def _distributions_in(folder: Path, context: ClientContext, *, documentation: bool) -> Iterator[Distribution]:
    for path in distributions.find_archives(folder):
        if distributions.is_documentation(path) and not documentation:
            continue
        try:
            yield distributions.read_distribution(path)
        except DamagedFileError:
            raise
        except ClientError as error:
            context.terminal.note(f"left out: {error}")


_BUILD_ADVICE = "to build the project in this folder and upload it, type 'devpi upload' without a path"
