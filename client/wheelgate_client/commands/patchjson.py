"""Send a PATCH request with JSON from a file, and show the JSON that the server answers."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from wheelgate_client.commands.getjson import show
from wheelgate_client.errors import ClientError, reason

if TYPE_CHECKING:
    from wheelgate_client.session import Session


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("path", help="what to change: '/USER', '/USER/INDEX', or relative to the index in use")
    parser.add_argument("jsonfile", help="file with the JSON to send; '-' for standard input")


def run(options: argparse.Namespace, session: Session) -> int:
    """Send the file."""
    url = session.resource_url(options.path)
    source = "standard input" if options.jsonfile == "-" else options.jsonfile
    try:
        text = session.terminal.read() if options.jsonfile == "-" else _read(options.jsonfile)
        body = json.loads(text)
    except OSError as error:
        raise ClientError(f"cannot read {source}: {reason(error)}; nothing was sent") from None
    except (ValueError, RecursionError) as error:
        raise ClientError(f"{source} is not JSON ({error}); nothing was sent") from None
    show(session, "PATCH", session.api.send("PATCH", url, body))
    return 0


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib would cost more to import than this command to run
        return file.read()
