"""Send a PATCH request with JSON from a file, and show the JSON that the server sends back."""

from __future__ import annotations

import argparse
import json

from wheelgate_client.commands.getjson import print_response
from wheelgate_client.errors import ClientError, os_reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("path", help="resource to change: '/USER', '/USER/INDEX', or relative to the index in use")
    parser.add_argument("jsonfile", help="file with the JSON to send; '-' for standard input")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Send the file."""
    url = context.resource_url(options.path)
    source = "standard input" if options.jsonfile == "-" else options.jsonfile
    try:
        text = context.terminal.read_input() if options.jsonfile == "-" else _read(options.jsonfile)
        body = json.loads(text)
    except OSError as error:
        raise ClientError(f"cannot read {source}: {os_reason(error)}; nothing was sent") from None
    except (ValueError, RecursionError) as error:
        raise ClientError(f"{source} is not JSON ({error}); nothing was sent") from None
    print_response(context, "PATCH", context.api.send("PATCH", url, body))
    return 0


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - importing pathlib would take longer than running this command
        return file.read()
