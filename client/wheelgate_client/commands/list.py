"""List the projects of an index; given a project, its files: those of the newest three versions, or all."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wheelgate_client import targets
from wheelgate_client.errors import NotAnIndexServerError

if TYPE_CHECKING:
    from wheelgate_client.packages.releases import Link, Release
    from wheelgate_client.session import Session

SHOWN = 3


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("spec", nargs="?", help="project, or versions of one: NAME or 'NAME>=1.0'")
    parser.add_argument("--all", action="store_true", help="show every version, not only the newest three")
    parser.add_argument("-t", "--toxresults", action="store_true", help="show the results of 'devpi test' too")
    parser.add_argument("-f", "--failures", action="store_true", help="like -t, with what failing commands printed")
    parser.add_argument("--ignore-bases", action="store_true", help="leave out what the index inherits")
    targets.add_option(parser, "look at")


def run(options: argparse.Namespace, session: Session) -> int:
    """List projects, or files."""
    index = targets.index_url(options, session)
    if options.spec is None:
        _list_projects(options, session, index)
    else:
        _list_files(options, session, index)
    return 0


def _list_projects(options: argparse.Namespace, session: Session, index: str) -> None:
    reply = session.api.get(index)
    projects = reply.result("indexconfig").get("projects")
    if not isinstance(projects, list):
        raise NotAnIndexServerError(reply.url, "it does not list its projects")
    for name in sorted(map(str, projects)):
        session.terminal.line(f"{name}=={_newest(options, session, index, name)}" if session.verbose else name)


def _newest(options: argparse.Namespace, session: Session, index: str, name: str) -> str:
    from wheelgate_client.packages import releases

    found = releases.of_project(session, index, name, _query(options))
    return found[0].version if found else "(no release)"


def _list_files(options: argparse.Namespace, session: Session, index: str) -> None:
    from wheelgate_client.packages import releases

    name, is_meant = releases.matching(options.spec)
    found = [release for release in releases.of_project(session, index, name, _query(options)) if is_meant(release)]
    shown = found if options.all else found[:SHOWN]
    for release in shown:
        _show(options, session, release)
    if len(shown) < len(found):
        session.terminal.line(f"{len(found) - len(shown)} older versions not shown, use --all to see")


def _show(options: argparse.Namespace, session: Session, release: Release) -> None:
    for file in release.files:
        session.terminal.line(file.href)
        if options.toxresults or options.failures:
            _show_results(options, session, release.results(file))
    for link in release.shadowed:
        if link.rel == "releasefile":
            session.terminal.line(link.href, red=True)


def _show_results(options: argparse.Namespace, session: Session, results: list[Link]) -> None:
    from wheelgate_client.packages import tox_results as toxresults

    for link in results:
        for line in toxresults.lines(toxresults.fetch(session, link), details=options.failures):
            session.terminal.line(line)


def _query(options: argparse.Namespace) -> str:
    from wheelgate_client.packages.releases import NOT_INHERITED

    return NOT_INHERITED if options.ignore_bases else ""
