"""Decides which URLs get the login of another one."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
"""The ports of URLs without a port, by scheme."""


def shares_login(url: str, target: str) -> bool:
    """Return whether a login for ``url`` may be sent to ``target``, the target of a redirect or of a link.

    That is so for the same scheme, host and port, and from http to https on the same host, on any port: an index behind
    http that sends its clients to https is one index, and the login has crossed the network unencrypted before.

    Raises:
        ValueError: one of them is no URL.
    """
    old, new = urlsplit(url), urlsplit(target)
    if not old.hostname or old.hostname != new.hostname:
        return False
    return (old.scheme, new.scheme) == ("http", "https") or (old.scheme == new.scheme and _port(old) == _port(new))


def _port(parts: SplitResult) -> int | None:
    return parts.port or DEFAULT_PORTS.get(parts.scheme)
