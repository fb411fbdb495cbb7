"""The form of a token: an identifier, and a chain of signed caveats to which anybody can add, and nobody take away.

::

    wgt_IDENTIFIER.RANDOM.CAVEAT.….CAVEAT.SIGNATURE

Each signature is the HMAC-SHA256 of the next part under the one before; only the last is in the token, and from it no
earlier one can be computed. The first key is the server's and known to nobody else. (Birgisson et al., "Macaroons:
Cookies with Contextual Caveats for Decentralized Authorization in the Cloud", 2014, section II.)
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass, field

PREFIX = "wgt_"
LONGEST = 4000
"""Characters; with Basic's base64 it still fits into a header of 8190 bytes."""
MOST_CAVEATS = 20
SHAPE = re.compile(
    r"wgt_(?P<id>[A-Za-z0-9_-]{12})\.(?P<random>[A-Za-z0-9_-]{22})"
    r"(?P<caveats>(?:\.[A-Za-z0-9_-]{2,3000}){1,20})\.(?P<signature>[A-Za-z0-9_-]{43})"
)


@dataclass(frozen=True, slots=True)
class Parts:
    """A token, taken apart; nothing of it is proven."""

    id: str
    random: str = field(repr=False)
    caveats: tuple[str, ...]
    """As they stand in the token."""
    signature: str = field(repr=False)


def read(token: str) -> Parts | None:
    """Take a token apart; None if it has not the form of one."""
    found = SHAPE.fullmatch(token) if len(token) <= LONGEST else None
    if found is None:
        return None
    return Parts(found["id"], found["random"], tuple(found["caveats"][1:].split(".")), found["signature"])


def write(key: bytes, identifier: str, random: str, caveat: str) -> str:
    """Make a token with its first caveat."""
    return f"{PREFIX}{identifier}.{random}.{caveat}.{signature(key, identifier, random, (caveat,))}"


def holds(key: bytes, parts: Parts) -> bool:
    """Whether the server made this token, and every caveat since was added to it."""
    # The texts are compared: the last character of base64 has two bits that decoding drops.
    return hmac.compare_digest(signature(key, parts.id, parts.random, parts.caveats), parts.signature)


def signature(key: bytes, identifier: str, random: str, caveats: tuple[str, ...]) -> str:
    """Return the last signature of the chain."""
    # A key for each token, so that no chain says anything about another.
    link = hmac.digest(key, identifier.encode(), "sha256")
    for part in (f"{PREFIX}{identifier}.{random}", *caveats):
        link = hmac.digest(link, part.encode(), "sha256")
    return text(link)


def text(data: bytes) -> str:
    """Write bytes as base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def data(written: str) -> bytes:
    """Read what :func:`text` wrote. Raise ``ValueError`` for anything else."""
    return base64.b64decode(written + "=" * (-len(written) % 4), b"-_", validate=True)
