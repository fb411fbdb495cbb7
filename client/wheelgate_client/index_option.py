"""The index that a command works on: the one in use, or the one that ``--index`` names."""

from __future__ import annotations

import argparse

from wheelgate_client.errors import ClientError
from wheelgate_client.server import urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext
    from wheelgate_client.server_info import ServerInfo


def add_index_option(parser: argparse._ActionsContainer, purpose: str) -> None:
    """Add ``--index``."""
    parser.add_argument("--index", help=f"index to {purpose}, as NAME, USER/NAME or URL (default: the one in use)")


def chosen_index_url(options: argparse.Namespace, context: ClientContext) -> str:
    """Return the URL of the index that ``--index`` names, by default of the one in use.

    Raises:
        ClientError: if there is none, or its URL is invalid or contains a password.
    """
    name: str | None = options.index
    if name is None or not urls.is_absolute(name):
        return context.index_url(name)
    return context.named_index_url(name)


def fetch_index_info(options: argparse.Namespace, context: ClientContext) -> ServerInfo:
    """Ask the index for its addresses and its server's features.

    What ``devpi use`` stored may belong to another index (``DEVPI_INDEX``, ``--index``) or to an older server.
    """
    from wheelgate_client.server_info import fetch_server_info

    info = fetch_server_info(context, chosen_index_url(options, context), None)
    if info.index is None:
        raise ClientError(f"{chosen_index_url(options, context)} is a server, not an index: name one as USER/NAME")
    return info


def require_features(options: argparse.Namespace, context: ClientContext, *features: str) -> ServerInfo:
    """Do the same as :func:`fetch_index_info`, for commands that not every server supports.

    Raises:
        ClientError: if the server lacks one of the features.
    """
    info = fetch_index_info(options, context)
    missing = ", ".join(feature for feature in features if feature not in info.features)
    if missing:
        raise ClientError(
            f"the server at {urls.parent(info.login)} cannot do this (it lacks: {missing}); nothing was changed"
        )
    return info
