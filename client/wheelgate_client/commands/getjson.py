"""Show the JSON that the server sends for a path: '/', '/USER', '/USER/INDEX', or relative to the index in use."""

from __future__ import annotations

import argparse
import json

from wheelgate_client.errors import NotAnIndexServerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext
    from wheelgate_client.server.responses import ApiResponse


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "path_or_url", help="path or URL to show; with -v also the headers of the response, on standard error"
    )


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Show the response."""
    print_response(context, "GET", context.api.get(context.resource_url(options.path_or_url)))
    return 0


def print_response(context: ClientContext, method: str, response: ApiResponse) -> None:
    """Print the content of a response as JSON with sorted keys, for people and programs."""
    if context.verbose:
        context.terminal.note(f"{method} REQUEST sent to {response.url}")
        for name, value in sorted(response.headers.items(), key=lambda header: header[0].upper()):
            context.terminal.note(f"{name.upper()}: {value}")
        context.terminal.note("")
    try:
        text = json.dumps(response.content, indent=4, sort_keys=True)
    except RecursionError:
        raise NotAnIndexServerError(response.url, "its response is nested too deeply to be shown") from None
    context.terminal.print_block(text)
