"""Remove projects, versions or single files from an index, after a confirmation; this cannot be undone."""

from __future__ import annotations

import argparse

from wheelgate_client import index_option
from wheelgate_client.errors import ClientError
from wheelgate_client.server import urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "spec_or_url", help="NAME for a whole project, 'NAME==1.0' or 'NAME<2' for versions, a URL for a single file"
    )
    parser.add_argument("-f", "--force", action="store_true", help="also remove from a non-volatile index")
    index_option.add_index_option(parser, "remove from")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Ask, and remove."""
    query = "?force=" if options.force else ""
    if urls.is_absolute(options.spec_or_url):
        _remove_file(context, context.resource_url(options.spec_or_url).partition("#")[0], query)
    else:
        _remove_releases(context, index_option.chosen_index_url(options, context), options.spec_or_url, query)
    return 0


def _remove_file(context: ClientContext, url: str, query: str) -> None:
    context.api.require(url)
    context.terminal.print_line("About to remove the following file:")
    context.terminal.print_line(url)
    if _confirm_removal(context):
        context.api.send("DELETE", url + query)


def _remove_releases(context: ClientContext, index: str, text: str, query: str) -> None:
    from wheelgate_client.packages import releases, requirements

    name, is_requested = releases.release_filter(text)
    all_releases = releases.fetch_releases(context, index, name, releases.WITHOUT_BASES)
    found = [release for release in reversed(all_releases) if is_requested(release)]
    if not found:
        raise ClientError(f"No releases or distributions found matching '{text}'.")
    if not query and context.api.get(f"{index}?no_projects=").result("indexconfig").get("volatile") is False:
        raise ClientError(f"{index} is not volatile, so nothing was removed: add --force to remove from it anyway")
    context.terminal.print_line("About to remove the following releases and distributions")
    for release in found:
        context.terminal.print_line(f"version: {release.version}")
        for link in release.links:
            if link.rel != releases.TOX_RESULT:
                context.terminal.print_line(f"  - {link.href}")
    if not _confirm_removal(context):
        return
    project = urls.join(index, requirements.normalize_name(name))
    if not requirements.parse_requirement(text).specifier:
        context.api.send("DELETE", project + query)
        return
    for release in found:
        context.terminal.print_line(f"deleting release {release.version} of {name}")
        context.api.send("DELETE", urls.join(project, release.version) + query)


def _confirm_removal(context: ClientContext) -> bool:
    confirmed = context.confirm("Are you sure")
    if not confirmed:
        context.terminal.print_line("not deleting anything")
    return confirmed
