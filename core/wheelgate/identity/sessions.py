"""Login tokens: signed, limited in time, and bound to the user's current password."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeTimedSerializer

from wheelgate.clocks import MAX_CLOCK_SKEW_SECONDS
from wheelgate.errors import NotAuthenticated
from wheelgate.store.keys import derive_key
from wheelgate.store.server_state import ServerState

LOGIN_TOKEN_PREFIX = "wgs_"  # noqa: S105 - the beginning of every token, not a secret
"""How every login token begins."""
LOGIN_TOKEN_PATTERN = re.compile(
    r"wgs_\.?[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{4,12}\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"
)
"""Payload, time and signature; itsdangerous writes a dot before a payload that it has compressed.

Base64 ignores two bits of the last character. They must be zero; otherwise several spellings would be the same token.
"""


@dataclass(frozen=True, slots=True)
class Session:
    """The content of a login token."""

    username: str
    stamp: str
    """The user's stamp at the time of the login."""
    id: str
    issued: int
    """When the token was made, in seconds since 1970."""
    epoch: int = 0
    """See :meth:`ServerState.session_epoch`; 0 for a token from before there were epochs."""
    typed_name: str = ""
    """The name that was typed, if the login service spells it otherwise. Clients go on sending it with the token."""


class Sessions:
    """Makes and reads login tokens; only the store knows which sessions ended early."""

    def __init__(self, secret: bytes, state: ServerState, lifetime: int) -> None:
        """Take the secret and the state of this server, and the lifetime of a session in seconds."""
        self.lifetime = lifetime
        self.epoch = state.session_epoch
        """Reads the epoch for :meth:`issue` from the store."""
        self._serializer = URLSafeTimedSerializer(
            derive_key(secret, f"wheelgate session {state.uuid}"),
            signer_kwargs={"key_derivation": "none", "digest_method": hashlib.sha256},
        )

    def issue(self, username: str, stamp: str, epoch: int, typed_name: str = "") -> str:
        """Return a new token for a user; ``typed_name`` is :attr:`Session.typed_name`."""
        content = [username, stamp, secrets.token_urlsafe(9), epoch]
        if typed_name not in ("", username):
            content.append(typed_name)
        return LOGIN_TOKEN_PREFIX + str(self._serializer.dumps(content))

    def recognises(self, secret: str) -> bool:
        """Return whether a secret has the form of a login token, and therefore is not a password."""
        return secret.startswith(LOGIN_TOKEN_PREFIX) and LOGIN_TOKEN_PATTERN.fullmatch(secret) is not None

    def read(self, token: str, username: str) -> Session:
        """Check the signature and the owner of a token, and return its content; :meth:`check_age` checks the rest.

        An empty name stands for the owner.

        Raises:
            NotAuthenticated: the token was changed, or belongs to another user.
        """
        session = self._verify(token)
        if username not in ("", session.username, session.typed_name):
            raise NotAuthenticated("this login is not valid here; log in again")
        return session

    def check_age(self, session: Session) -> None:
        """Raise ``NotAuthenticated`` if a session is too old, or from the future."""
        age = time.time() - session.issued
        if age > self.lifetime:
            raise NotAuthenticated("this login has expired; log in again")
        if age < -MAX_CLOCK_SKEW_SECONDS:
            raise NotAuthenticated("this login is not valid here; log in again")

    def _verify(self, token: str) -> Session:
        try:
            (username, stamp, identifier, *rest), issued = self._serializer.loads(
                token.removeprefix(LOGIN_TOKEN_PREFIX), return_timestamp=True
            )
        except (BadData, ValueError, TypeError):
            raise NotAuthenticated("this login is not valid here; log in again") from None
        return Session(username, stamp, identifier, int(issued.timestamp()), *rest)
