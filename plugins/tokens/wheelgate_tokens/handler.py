"""Makes tokens and judges them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import replace

from wheelgate import Reject, Server, Token
from wheelgate.providers import TokenHandler
from wheelgate_tokens import caveats, chain
from wheelgate_tokens.caveats import Caveat
from wheelgate_tokens.queries import Record, Records

NOT_VALID = Reject("this token is not valid here: it was cut, changed, or made by another server")
EXPIRED = Reject("this token has expired; create a new one")
REVOKED = Reject("this token has been revoked; create a new one")
NOT_UNDERSTOOD = Reject("this token holds a condition that this server does not know")


class Handler(TokenHandler):
    """The tokens that begin with ``wgt_``.

    The key comes from the server's secret file, the record holds a hash of a random part: whoever has the database
    and the file, but not the token, still lacks that part.
    """

    name = "token"
    prefix = chain.PREFIX
    local = True

    def __init__(self, server: Server) -> None:
        self._key = server.derive_key("API tokens")
        self._records = Records(server.database)
        self._longest: int = server.config["token-longest-lifetime"]
        self.instant = server.database.instant

    def make(self, username: str, stamp: str, caveat: Caveat, comment: str, expires: int) -> tuple[str, Record]:
        """Make a token; return it with what is to be recorded."""
        identifier, random = secrets.token_urlsafe(9), secrets.token_urlsafe(16)
        written = replace(caveat, expires=expires).written()
        secret = chain.write(self._key, identifier, random, written)
        return secret, Record(identifier, digest(random), username, stamp, comment, written, int(time.time()), expires)

    def verify(self, secret: str) -> Token | Reject:
        """Judge a token: the chain, the conditions, the time and the record, in this order."""
        parts = chain.read(secret)
        if parts is None or not chain.holds(self._key, parts):
            return NOT_VALID
        read = [caveats.read(written) for written in parts.caveats]
        known = [caveat for caveat in read if caveat is not None]
        if len(known) != len(read):
            return NOT_UNDERSTOOD
        caveat, now = caveats.together(known), time.time()
        if caveat.expires is None or now >= caveat.expires:
            return EXPIRED
        record = self._records.get(parts.id)
        if record is None:
            return REVOKED
        if not hmac.compare_digest(record.digest, digest(parts.random)):
            return NOT_VALID
        expires = min(caveat.expires, record.created + self._longest)
        if now >= expires:
            return EXPIRED
        return Token(record.id, record.username, record.stamp, expires, caveats.restriction(caveat))


def digest(random: str) -> str:
    """Hash the random part of a token; with its 128 bits it needs no salt and no slow function."""
    return hashlib.sha256(random.encode()).hexdigest()
