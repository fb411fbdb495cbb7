"""Makes and verifies tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import replace

from wheelgate import Reject, Server, Token
from wheelgate.clocks import MAX_CLOCK_SKEW_SECONDS
from wheelgate.providers import TokenHandler
from wheelgate_tokens import caveats, chain
from wheelgate_tokens.caveats import Caveat
from wheelgate_tokens.queries import TokenRecord, TokenTable

NOT_VALID = Reject("this token is not valid here: it is incomplete, was changed, or comes from another server")
EXPIRED = Reject("this token has expired; create a new one")
REVOKED = Reject("this token has been revoked; create a new one")
FROM_THE_FUTURE = Reject("this token is not valid yet: it was made while the clock of this server was ahead")
NOT_UNDERSTOOD = Reject("this token contains a condition that this server does not know")


class ApiTokenHandler(TokenHandler):
    """Handles the tokens that start with ``wgt_``.

    The key comes from the server's secret file, and the record contains a hash of the token's random part: the database
    and the file together are not enough to make a token, because neither contains that part.
    """

    name = "token"
    prefix = chain.API_TOKEN_PREFIX
    local = True

    def __init__(self, server: Server) -> None:
        self._key = server.derive_key("API tokens")
        self._table = TokenTable(server.database)
        self._max_lifetime: int = server.config["token-longest-lifetime"]
        self.instant = server.database.instant

    def make(self, username: str, stamp: str, caveat: Caveat, comment: str, expires: int) -> tuple[str, TokenRecord]:
        """Make a token; return it with the record to store."""
        identifier, random = new_identifier(), secrets.token_urlsafe(16)
        encoded = replace(caveat, expires=expires).encode()
        secret = chain.make_token(self._key, identifier, random, encoded)
        created = int(time.time())
        return secret, TokenRecord(identifier, digest(random), username, stamp, comment, encoded, created, expires)

    def verify(self, secret: str) -> Token | Reject:
        """Verify a token: the chain, the conditions, the time and the record, in this order."""
        parts = chain.parse_token(secret)
        if parts is None or not chain.is_genuine(self._key, parts):
            return NOT_VALID
        decoded = [caveats.decode_caveat(encoded) for encoded in parts.caveats]
        understood = [caveat for caveat in decoded if caveat is not None]
        if len(understood) != len(decoded):
            return NOT_UNDERSTOOD
        caveat, now = caveats.combine(understood), time.time()
        if caveat.expires is None or now >= caveat.expires:
            return EXPIRED
        record = self._table.get(parts.id)
        if record is None:
            return REVOKED
        if not hmac.compare_digest(record.digest, digest(parts.random)):
            return NOT_VALID
        if record.created > now + MAX_CLOCK_SKEW_SECONDS:
            return FROM_THE_FUTURE
        expires = min(caveat.expires, record.created + self._max_lifetime)
        if now >= expires:
            return EXPIRED
        return Token(record.id, record.username, record.stamp, expires, caveats.to_restriction(caveat))


def digest(random: str) -> str:
    """Hash the random part of a token; because it has 128 bits, it needs no salt and no slow hash."""
    return hashlib.sha256(random.encode()).hexdigest()


def new_identifier() -> str:
    """Return a random ID of 12 characters; never one that a command line would take for an option."""
    while (identifier := secrets.token_urlsafe(9)).startswith("-"):
        pass
    return identifier
