"""Upload release files and documentation to an index; without a path, build them from the project in this folder."""

from __future__ import annotations

import argparse

from wheelgate_client import index_option
from wheelgate_client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from wheelgate_client.context import ClientContext
    from wheelgate_client.packages.distributions import Distribution


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "path", nargs="*", help="wheel, sdist, documentation (NAME-VERSION.doc.zip), or a folder with --from-dir"
    )
    index_option.add_index_option(parser, "upload to")
    parser.add_argument("--from-dir", action="store_true", help="upload the files in the given folders")
    parser.add_argument("--only-latest", action="store_true", help="upload only the newest version of each project")
    parser.add_argument("--no-docs", action="store_true", help="leave out documentation in the folders")
    parser.add_argument("--dry-run", action="store_true", help="upload nothing, show what would be uploaded")
    build = parser.add_argument_group("how to build, without a path")
    build.add_argument("-p", "--python", metavar="EXE", help="interpreter to build with")
    build.add_argument("--sdist", action="store_true", help="build an sdist (default: an sdist and a wheel)")
    build.add_argument("--wheel", action="store_true", help="build a wheel")
    build.add_argument(
        "--formats", help="deprecated, use --sdist and --wheel: sdist, bdist_wheel, or both with a comma"
    )
    build.add_argument("--no-isolation", action="store_true", help="build with the installed packages")
    build.add_argument(
        "--no-vcs", action="store_true", help="build in this folder, not from a copy of the files that git tracks"
    )
    build.add_argument("--setupdir-only", action="store_true", help="build from a copy without the git history")
    build.add_argument("--with-docs", action="store_true", help="also build the documentation with Sphinx")
    build.add_argument("--only-docs", action="store_true", help="build or upload only the documentation")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Find or build the files, and upload them."""
    import tempfile
    from pathlib import Path

    from wheelgate_client.packages import finding, uploading

    url = _upload_url(options, context)
    if options.path:
        files = finding.find_distributions(options, context)
        uploading.upload_files(context, url, files, options.index, dry_run=options.dry_run)
        return 0
    with tempfile.TemporaryDirectory(prefix="devpi-") as workdir:
        files = _build(options, context, Path(workdir))
        uploading.upload_files(context, url, files, options.index, dry_run=options.dry_run)
    return 0


def _upload_url(options: argparse.Namespace, context: ClientContext) -> str:
    # Ask before building or sending anything: report a mirror or an expired login at once.
    info = index_option.fetch_index_info(options, context)
    if info.pypisubmit is None:
        raise ClientError(f"The current index {info.index} does not support upload.\nMost likely, it is a mirror.")
    if info.rejected is not None:
        raise ClientError(f"{context.credentials.rejection(info.rejected)}; nothing was uploaded")
    return info.pypisubmit


def _build(options: argparse.Namespace, context: ClientContext, workdir: Path) -> list[Distribution]:
    from pathlib import Path

    from wheelgate_client.packages import build_settings, building

    settings = build_settings.choose_build_settings(options, context)
    source_tree = building.prepare_source_tree(Path.cwd().resolve(), workdir, settings, context.terminal)
    files = [] if options.only_docs else source_tree.release_files()
    if options.with_docs or options.only_docs:
        files = [*files, source_tree.documentation(files)]
    return files
