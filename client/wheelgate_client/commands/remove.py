"""Remove projects, versions or single files from an index, after asking; what is removed cannot be brought back."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wheelgate_client import targets
from wheelgate_client.errors import ClientError
from wheelgate_client.server import urls

if TYPE_CHECKING:
    from wheelgate_client.session import Session


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "spec_or_url", help="NAME for a whole project, 'NAME==1.0' or 'NAME<2' for versions, a URL for a single file"
    )
    parser.add_argument("-f", "--force", action="store_true", help="remove from a non-volatile index too")
    targets.add_option(parser, "remove from")


def run(options: argparse.Namespace, session: Session) -> int:
    """Ask, and remove."""
    query = "?force=" if options.force else ""
    if urls.is_absolute(options.spec_or_url):
        _remove_file(session, session.resource_url(options.spec_or_url).partition("#")[0], query)
    else:
        _remove_releases(session, targets.index_url(options, session), options.spec_or_url, query)
    return 0


def _remove_file(session: Session, url: str, query: str) -> None:
    session.terminal.line("About to remove the following file:")
    session.terminal.line(url)
    if _is_sure(session):
        session.api.send("DELETE", url + query)


def _remove_releases(session: Session, index: str, text: str, query: str) -> None:
    from wheelgate_client.packages import releases
    from wheelgate_client.packages import requirements as specs

    name, is_meant = releases.matching(text)
    everything = releases.of_project(session, index, name, releases.NOT_INHERITED)
    found = [release for release in reversed(everything) if is_meant(release)]
    if not found:
        raise ClientError(f"No releases or distributions found matching '{text}'.")
    session.terminal.line("About to remove the following releases and distributions")
    for release in found:
        session.terminal.line(f"version: {release.version}")
        for link in release.links:
            if link.rel != releases.RESULT:
                session.terminal.line(f"  - {link.href}")
    if not _is_sure(session):
        return
    project = urls.join(index, specs.normalised(name))
    if not specs.wanted(text).specifier:
        session.api.send("DELETE", project + query)
        return
    for release in found:
        session.terminal.line(f"deleting release {release.version} of {name}")
        session.api.send("DELETE", urls.join(project, release.version) + query)


def _is_sure(session: Session) -> bool:
    sure = session.confirm("Are you sure")
    if not sure:
        session.terminal.line("not deleting anything")
    return sure
