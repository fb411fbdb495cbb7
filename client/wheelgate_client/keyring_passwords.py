"""A plugin of the client itself: passwords from the ``keyring`` library, if that is installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from wheelgate_client.hookspecs import hookimpl


@hookimpl
def wheelgate_client_get_password(url: str, username: str) -> str | None:
    """Return the password that ``keyring get URL USER`` would print."""
    if find_spec("keyring") is None:
        return None
    try:
        password: str | None = import_module("keyring").get_password(url, username)
    except import_module("keyring.errors").NoKeyringError:
        # A machine without a desktop has the library but no store; users there need no message about that.
        return None
    return password
