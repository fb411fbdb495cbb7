"""Upload release files and documentation to an index; without a path, build those of the project in this folder."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wheelgate_client import targets
from wheelgate_client.errors import ClientError

if TYPE_CHECKING:
    from pathlib import Path

    from wheelgate_client.packages.distributions import Distribution
    from wheelgate_client.session import Session


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "path", nargs="*", help="wheel, sdist, documentation (NAME-VERSION.doc.zip), or a folder with --from-dir"
    )
    targets.add_option(parser, "upload to")
    parser.add_argument("--from-dir", action="store_true", help="upload what lies in the folders given")
    parser.add_argument(
        "--only-latest", action="store_true", help="of each project only the files of its newest version"
    )
    parser.add_argument("--no-docs", action="store_true", help="leave out documentation that lies in the folders")
    parser.add_argument("--dry-run", action="store_true", help="upload nothing, say what would be")
    build = parser.add_argument_group("how to build, without a path")
    build.add_argument("-p", "--python", metavar="EXE", help="interpreter that runs 'python -m build'")
    build.add_argument("--sdist", action="store_true", help="build an sdist (default: an sdist and a wheel)")
    build.add_argument("--wheel", action="store_true", help="build a wheel")
    build.add_argument(
        "--formats", help="deprecated, use --sdist and --wheel: sdist, bdist_wheel, or both with a comma"
    )
    build.add_argument("--no-isolation", action="store_true", help="build with the packages that are installed")
    build.add_argument("--no-vcs", action="store_true", help="build in this folder, not from a copy of what git tracks")
    build.add_argument("--setupdir-only", action="store_true", help="let the copy know nothing of the git repository")
    build.add_argument("--with-docs", action="store_true", help="build the documentation with Sphinx too")
    build.add_argument("--only-docs", action="store_true", help="build the documentation alone")


def run(options: argparse.Namespace, session: Session) -> int:
    """Find or build the files, and upload them."""
    import tempfile
    from pathlib import Path

    from wheelgate_client.packages import finding as gathering
    from wheelgate_client.packages import uploading

    url = _upload_url(options, session)
    if options.path:
        uploading.upload(session, url, gathering.given(options, session), dry_run=options.dry_run)
        return 0
    with tempfile.TemporaryDirectory(prefix="devpi-") as workdir:
        files = _built(options, session, Path(workdir))
        uploading.upload(session, url, files, dry_run=options.dry_run)
    return 0


def _upload_url(options: argparse.Namespace, session: Session) -> str:
    # Asked before anything is built or sent: a mirror, or a login that has expired, is told at once.
    info = targets.described(options, session)
    if info.pypisubmit is None:
        raise ClientError(f"The current index {info.index} does not support upload.\nMost likely, it is a mirror.")
    if info.rejected is not None:
        raise ClientError(
            f"the login of '{info.rejected}' is no longer valid; nothing was uploaded,"
            f" type 'devpi login {info.rejected}' and try again"
        )
    return info.pypisubmit


def _built(options: argparse.Namespace, session: Session, workdir: Path) -> list[Distribution]:
    from pathlib import Path

    from wheelgate_client.packages import build_settings as buildsettings
    from wheelgate_client.packages import building

    settings = buildsettings.chosen(options, session)
    project = building.project(Path.cwd().resolve(), workdir, settings, session.terminal)
    files = [] if options.only_docs else project.release_files()
    if options.with_docs or options.only_docs:
        files = [*files, project.documentation(files)]
    return files
