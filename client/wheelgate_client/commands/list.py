"""List the projects of an index, or the files of one project: those of its newest three versions, or all."""

from __future__ import annotations

import argparse

from wheelgate_client import index_option
from wheelgate_client.errors import NotAnIndexServerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext
    from wheelgate_client.packages.releases import ProjectRelease, ReleaseLink

DEFAULT_SHOWN_VERSIONS = 3


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("spec", nargs="?", help="project, or versions of one: NAME or 'NAME>=1.0'")
    parser.add_argument(
        "--all",
        action="store_true",
        help="show every version, not only the newest three of a project, or with -v the newest of each",
    )
    parser.add_argument("-t", "--toxresults", action="store_true", help="also show the results of 'devpi test'")
    parser.add_argument("-f", "--failures", action="store_true", help="same as -t, with the output of failing commands")
    parser.add_argument("--ignore-bases", action="store_true", help="leave out the files that the index inherits")
    index_option.add_index_option(parser, "list")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """List projects, or files."""
    index = index_option.chosen_index_url(options, context)
    if options.spec is None:
        _list_projects(options, context, index)
    else:
        _list_files(options, context, index)
    return 0


def _list_projects(options: argparse.Namespace, context: ClientContext, index: str) -> None:
    response = context.api.get(index)
    projects = response.result("indexconfig").get("projects")
    if not isinstance(projects, list):
        raise NotAnIndexServerError(response.url, "it does not list its projects")
    if not projects:
        context.terminal.note(f"{index} has no projects of its own; 'devpi upload' adds some, unless it is a mirror")
    for name in sorted(map(str, projects)):
        if not context.verbose:
            context.terminal.print_line(name)
            continue
        for version in _versions(options, context, index, name):
            context.terminal.print_line(f"{name}=={version}")


def _versions(options: argparse.Namespace, context: ClientContext, index: str, name: str) -> list[str]:
    """Return the newest version of a project; with ``--all``, all of them, the newest first."""
    from wheelgate_client.packages import releases

    found = releases.fetch_releases(context, index, name, _query(options))
    versions = [release.version for release in found] or ["(no release)"]
    return versions if options.all else versions[:1]


def _list_files(options: argparse.Namespace, context: ClientContext, index: str) -> None:
    from wheelgate_client.packages import releases

    name, is_requested = releases.release_filter(options.spec)
    found = [
        release for release in releases.fetch_releases(context, index, name, _query(options)) if is_requested(release)
    ]
    if not found:
        context.terminal.note(f"{index} has no files that match '{options.spec}'")
    shown = found if options.all else found[:DEFAULT_SHOWN_VERSIONS]
    for release in shown:
        _show(options, context, release)
    if len(shown) < len(found):
        context.terminal.print_line(f"{len(found) - len(shown)} older versions not shown, use --all to see")


def _show(options: argparse.Namespace, context: ClientContext, release: ProjectRelease) -> None:
    for file in release.files:
        context.terminal.print_line(file.href)
        if options.toxresults or options.failures:
            _show_results(options, context, release.tox_results(file))
    for link in release.shadowed:
        if link.rel == "releasefile":
            context.terminal.print_line(link.href, red=True)


def _show_results(options: argparse.Namespace, context: ClientContext, results: list[ReleaseLink]) -> None:
    from wheelgate_client.packages import tox_results

    for link in results:
        for line in tox_results.result_lines(tox_results.fetch_result(context, link), details=options.failures):
            context.terminal.print_line(line)


def _query(options: argparse.Namespace) -> str:
    from wheelgate_client.packages.releases import WITHOUT_BASES

    return WITHOUT_BASES if options.ignore_bases else ""
