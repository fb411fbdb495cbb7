"""The tokens that a login hands out: signed, timed, and bound to the user's current password."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeTimedSerializer

from wheelgate.errors import NotAuthenticated
from wheelgate.store.keys import derive_key

PREFIX = "wgs_"
SHAPE = re.compile(r"wgs_\.?[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{4,12}\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
"""Payload, time and signature; itsdangerous puts a dot before a payload that it has compressed.

The last character holds two bits that base64 leaves out: with others than zero, two tokens would be one.
"""


@dataclass(frozen=True, slots=True)
class Session:
    """What a good token says."""

    username: str
    stamp: str
    """The user's stamp when the token was made."""
    id: str
    issued: int
    """Seconds since the epoch."""


class Sessions:
    """Makes tokens and reads them; whether a session still holds, the store must say."""

    def __init__(self, secret: bytes, server_uuid: str, lifetime: int) -> None:
        """Take the secret and the identity of this server, and the lifetime in seconds."""
        self.lifetime = lifetime
        self._serializer = URLSafeTimedSerializer(
            derive_key(secret, f"wheelgate session {server_uuid}"),
            signer_kwargs={"key_derivation": "none", "digest_method": hashlib.sha256},
        )

    def issue(self, username: str, stamp: str) -> str:
        """Make a token."""
        return PREFIX + str(self._serializer.dumps([username, stamp, secrets.token_urlsafe(9)]))

    def recognises(self, secret: str) -> bool:
        """Whether a secret has the form of a token, and so is no password."""
        return secret.startswith(PREFIX) and SHAPE.fullmatch(secret) is not None

    def read(self, token: str, username: str) -> Session:
        """Check signature, age and owner of a token.

        Raises:
            NotAuthenticated: it was changed, it is too old or from the future, or it is not ``username``'s.
        """
        session = self._verify(token)
        if session.username != username:
            raise NotAuthenticated("this login is not valid here; log in again")
        self.check_age(session)
        return session

    def check_age(self, session: Session) -> None:
        """Raise ``NotAuthenticated`` if a session is over, or has not begun."""
        age = time.time() - session.issued
        if age > self.lifetime:
            raise NotAuthenticated("this login has expired; log in again")
        if age < -1:  # a second of grace: the token's clock has whole seconds
            raise NotAuthenticated("this login is not valid here; log in again")

    def _verify(self, token: str) -> Session:
        try:
            (username, stamp, identifier), issued = self._serializer.loads(
                token.removeprefix(PREFIX), return_timestamp=True
            )
        except (BadData, ValueError, TypeError):
            raise NotAuthenticated("this login is not valid here; log in again") from None
        return Session(username, stamp, identifier, int(issued.timestamp()))
