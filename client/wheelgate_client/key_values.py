"""The ``key=value`` arguments of the command line."""

from __future__ import annotations

from collections.abc import Sequence

from wheelgate_client.errors import ClientError


def split_name(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the name and the settings; the name is the first argument, if that contains no ``=``."""
    if arguments and "=" not in arguments[0]:
        return arguments[0], list(arguments[1:])
    return None, list(arguments)


def parse_settings(arguments: Sequence[str]) -> dict[str, str]:
    """Return the settings by their keys; the last one of a key counts.

    Raises:
        ClientError: if an argument is not of the form ``key=value``.
    """
    check_settings(arguments)
    return {key: value for key, _, value in (argument.partition("=") for argument in arguments)}


def check_settings(arguments: Sequence[str]) -> None:
    """Make sure that every argument has a key and an equal sign.

    Raises:
        ClientError: if one does not.
    """
    if any(argument.find("=") < 1 for argument in arguments):
        raise ClientError(f"arguments must be format NAME=VALUE: {list(arguments)}")
