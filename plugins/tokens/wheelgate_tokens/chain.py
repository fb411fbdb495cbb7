"""The format of a token: an identifier and a chain of signed caveats; any holder can add one, but none can remove one.

::

    wgt_IDENTIFIER.RANDOM.CAVEAT.….CAVEAT.SIGNATURE

Each signature is the HMAC-SHA256 of the next part, with the signature before it as the key. Only the last signature is
in the token, and no earlier one can be computed from it. Only the server knows the first key. (Birgisson et al.,
"Macaroons: Cookies with Contextual Caveats for Decentralized Authorization in the Cloud", 2014, section II.)
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass, field

API_TOKEN_PREFIX = "wgt_"  # noqa: S105 - the start of every token, no secret
MAX_API_TOKEN_CHARS = 4000
"""Length that still fits into a header of 8190 bytes with Basic's base64."""
MAX_API_TOKEN_CAVEATS = 20
API_TOKEN_PATTERN = re.compile(
    r"wgt_(?P<id>[A-Za-z0-9_-]{12})\.(?P<random>[A-Za-z0-9_-]{22})"
    r"(?P<caveats>(?:\.[A-Za-z0-9_-]{2,3000}){1,20})\.(?P<signature>[A-Za-z0-9_-]{43})"
)


@dataclass(frozen=True, slots=True)
class TokenParts:
    """The parts of a token, not yet verified."""

    id: str
    random: str = field(repr=False)
    caveats: tuple[str, ...]
    """In the encoding of the token."""
    signature: str = field(repr=False)


def parse_token(token: str) -> TokenParts | None:
    """Split a token into its parts; None if it is malformed."""
    found = API_TOKEN_PATTERN.fullmatch(token) if len(token) <= MAX_API_TOKEN_CHARS else None
    if found is None:
        return None
    return TokenParts(found["id"], found["random"], tuple(found["caveats"][1:].split(".")), found["signature"])


def make_token(key: bytes, identifier: str, random: str, caveat: str) -> str:
    """Return a new token with its first caveat."""
    return f"{API_TOKEN_PREFIX}{identifier}.{random}.{caveat}.{sign(key, identifier, random, (caveat,))}"


def is_genuine(key: bytes, parts: TokenParts) -> bool:
    """Whether this server made the token, and no caveat has been changed or removed since."""
    # Compares the encoded signatures: the last character of base64 has two bits that decoding drops.
    return hmac.compare_digest(sign(key, parts.id, parts.random, parts.caveats), parts.signature)


def sign(key: bytes, identifier: str, random: str, caveats: tuple[str, ...]) -> str:
    """Return the last signature of the chain."""
    # Each token has its own key, so that no chain reveals anything about another.
    link = hmac.digest(key, identifier.encode(), "sha256")
    for part in (f"{API_TOKEN_PREFIX}{identifier}.{random}", *caveats):
        link = hmac.digest(link, part.encode(), "sha256")
    return encode_base64(link)


def encode_base64(data: bytes) -> str:
    """Encode bytes as base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64(encoded: str) -> bytes:
    """Decode what :func:`encode_base64` encoded. Raise ``ValueError`` for anything else."""
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True)
