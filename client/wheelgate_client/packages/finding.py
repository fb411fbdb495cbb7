"""Finds the files to upload among the paths of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from wheelgate_client.errors import ClientError
from wheelgate_client.packages import distributions
from wheelgate_client.packages.distributions import Distribution
from wheelgate_client.session import Session


def given(options: argparse.Namespace, session: Session) -> list[Distribution]:
    """Return the files that the paths name, and those in the folders among them.

    Raises:
        ClientError: if a path names no distribution, or there are none at all.
    """
    paths = list(map(Path, options.path))
    for path in paths:
        if not path.exists():
            raise ClientError(f"path does not exist: {path}")
        if path.is_dir() and not options.from_dir:
            raise ClientError(f"{path}: is a directory but --from-dir not specified")
    found: list[Distribution] = []
    for path in paths:
        found += (
            _in_folder(path, session, documentation=not options.no_docs)
            if path.is_dir()
            else [distributions.read(path)]
        )
    if not found:
        raise ClientError(f"no release files found in {', '.join(options.path)}")
    return distributions.newest(found) if options.only_latest else found


def _in_folder(folder: Path, session: Session, *, documentation: bool) -> Iterator[Distribution]:
    for path in distributions.found_in(folder):
        if distributions.is_documentation(path) and not documentation:
            continue
        try:
            yield distributions.read(path)
        except ClientError as error:
            session.terminal.note(f"left out: {error}")
