"""Download a package, test it with tox and its own tox.ini, and store the result on the index."""

from __future__ import annotations

import argparse

from wheelgate_client import index_option
from wheelgate_client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext
    from wheelgate_client.packages.releases import ProjectRelease, ReleaseLink


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("specs", nargs="+", metavar="SPEC", help="package, or versions of one: NAME or 'NAME==1.0'")
    index_option.add_index_option(parser, "get packages from")
    parser.add_argument(
        "-e", dest="environments", action="append", default=[], metavar="ENV", help="tox environment to run"
    )
    parser.add_argument("-c", dest="config", metavar="PATH", help="tox configuration, as a path in the package")
    parser.add_argument("--fallback-ini", metavar="PATH", help="tox configuration for packages that have none")
    parser.add_argument("--tox-args", metavar="ARGS", help="more arguments for tox, in quotes")
    parser.add_argument("--no-upload", action="store_true", help="do not store the result on the index")
    parser.add_argument(
        "-s",
        "--select",
        metavar="REGEX",
        help="test the files whose names match (default: the sdist, and the wheel that every Python 3 can install)",
    )
    parser.add_argument("-l", "--list", action="store_true", help="test nothing, list the files that would be tested")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Test the newest release that each spec allows; exit code 1 if a test failed."""
    import tempfile
    from pathlib import Path

    from wheelgate_client.packages.tox_runs import ToxRun
    from wheelgate_client.tools import installers

    info = index_option.fetch_index_info(options, context)
    selected = [_release_to_test(context, str(info.index), spec, options.select) for spec in options.specs]
    if options.list:
        context.terminal.print_line("would test:")
        for _, files in selected:
            for link in files:
                context.terminal.print_line(f"   {link.href}")
        return 0
    variables = installers.index_variables(context, info)
    passed = True
    for release, files in selected:
        with tempfile.TemporaryDirectory(prefix="devpi-test-") as folder:
            passed &= ToxRun(context, options, Path(folder), variables).test(release, files)
    return 0 if passed else 1


def _release_to_test(
    context: ClientContext, index: str, spec: str, selector: str | None
) -> tuple[ProjectRelease, list[ReleaseLink]]:
    from wheelgate_client.packages import releases, tox_runs

    name, is_requested = releases.release_filter(spec)
    for release in releases.fetch_releases(context, index, name):
        if is_requested(release) and (files := tox_runs.select_files(release, selector)):
            return release, files
    raise ClientError(f"could not find release files for {spec}")
