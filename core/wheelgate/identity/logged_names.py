"""The names that the log and the events show: somebody may have typed a password where the name belongs."""

from __future__ import annotations

import hmac

from wheelgate.values import User

DIGEST_CHARS = 8
"""Hexadecimal digits that stand for a name: enough to see that two attempts used the same one."""


class LoggedNames:
    """Shows the names of users, and a digest in place of all other names."""

    def __init__(self, key: bytes) -> None:
        """Take the secret key of the digests: without it, nobody can search for a name that has one of them."""
        self._key = key

    def of(self, name: str, user: User | None) -> str:
        """Return a name for the log.

        Args:
            name: the name in the credentials.
            user: the user of that name; None if there is none.
        """
        if user is not None:
            return name
        digest = hmac.digest(self._key, name.encode("utf-8", "surrogatepass"), "sha256")
        return f"unknown:{digest.hex()[:DIGEST_CHARS]}"
