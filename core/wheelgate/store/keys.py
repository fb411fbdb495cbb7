"""Keys for one purpose each, derived from the secret of the server."""

from __future__ import annotations

import hmac


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Derive a key of 32 bytes for one purpose (RFC 5869, HKDF-SHA256, without salt)."""
    extracted = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")
