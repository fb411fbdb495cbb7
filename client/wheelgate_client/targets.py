"""The index that a command is about: the one in use, or the one that ``--index`` names."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wheelgate_client.errors import ClientError
from wheelgate_client.server import urls

if TYPE_CHECKING:
    from wheelgate_client.serverinfo import ServerInfo
    from wheelgate_client.session import Session


def add_option(parser: argparse._ActionsContainer, purpose: str) -> None:
    """Add ``--index``."""
    parser.add_argument("--index", help=f"index to {purpose}, as NAME, USER/NAME or URL (default: the one in use)")


def index_url(options: argparse.Namespace, session: Session) -> str:
    """Return the URL of the index that is meant.

    Raises:
        ClientError: if there is none, or no request can be sent there.
    """
    name: str | None = options.index
    if name is None or not urls.is_absolute(name):
        return session.index_url(name)
    address = urls.parse(name)
    if address.basic is not None:
        raise ClientError("the URL carries a password: give that to 'devpi use', and leave it out here")
    return address.url


def described(options: argparse.Namespace, session: Session) -> ServerInfo:
    """Ask the index for its addresses and for what its server can do.

    What ``devpi use`` stored may be of another index (``DEVPI_INDEX``, ``--index``) or of an older server.
    """
    from wheelgate_client import serverinfo

    info = serverinfo.ask(session, index_url(options, session), None)
    if info.index is None:
        raise ClientError(f"{index_url(options, session)} is a server, no index: name one as USER/NAME")
    return info


def with_feature(options: argparse.Namespace, session: Session, *features: str) -> ServerInfo:
    """Like :func:`described`, for commands that not every server understands.

    Raises:
        ClientError: if the server lacks one of the features.
    """
    info = described(options, session)
    missing = ", ".join(feature for feature in features if feature not in info.features)
    if missing:
        raise ClientError(
            f"the server at {urls.parent(info.login)} cannot do this (it lacks: {missing}); nothing was changed"
        )
    return info
