"""Download a package, test it with tox as its own tox.ini says, and keep the result on the index."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wheelgate_client import targets
from wheelgate_client.errors import ClientError

if TYPE_CHECKING:
    from wheelgate_client.packages.releases import Link, Release
    from wheelgate_client.session import Session


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("specs", nargs="+", metavar="SPEC", help="package, or versions of one: NAME or 'NAME==1.0'")
    targets.add_option(parser, "get packages from")
    parser.add_argument(
        "-e", dest="environments", action="append", default=[], metavar="ENV", help="tox environment to run"
    )
    parser.add_argument("-c", dest="config", metavar="PATH", help="tox configuration, as a path in the package")
    parser.add_argument("--fallback-ini", metavar="PATH", help="tox configuration for packages that have none")
    parser.add_argument("--tox-args", metavar="ARGS", help="further arguments of tox, in quotes")
    parser.add_argument("--no-upload", action="store_true", help="do not keep the result on the index")
    parser.add_argument(
        "-s",
        "--select",
        metavar="REGEX",
        help="test the files with such names (default: the sdist, and the wheel that every Python 3 can install)",
    )
    parser.add_argument("-l", "--list", action="store_true", help="test nothing, list the files that would be tested")


def run(options: argparse.Namespace, session: Session) -> int:
    """Test the newest release that each spec allows; exit code 1 if a test failed."""
    import tempfile
    from pathlib import Path

    from wheelgate_client.packages.tox_runs import Workbench
    from wheelgate_client.tools import installers

    info = targets.described(options, session)
    chosen = [_chosen(session, str(info.index), spec, options.select) for spec in options.specs]
    if options.list:
        session.terminal.line("would test:")
        for _, files in chosen:
            for link in files:
                session.terminal.line(f"   {link.href}")
        return 0
    variables = installers.environment(session, info)
    passed = True
    for release, files in chosen:
        with tempfile.TemporaryDirectory(prefix="devpi-test-") as folder:
            passed &= Workbench(session, options, Path(folder), variables).test(release, files)
    return 0 if passed else 1


def _chosen(session: Session, index: str, spec: str, selector: str | None) -> tuple[Release, list[Link]]:
    from wheelgate_client.packages import releases
    from wheelgate_client.packages import tox_runs as testing

    name, is_meant = releases.matching(spec)
    for release in releases.of_project(session, index, name):
        if is_meant(release) and (files := testing.selected(release, selector)):
            return release, files
    raise ClientError(f"could not find release files for {spec}")
