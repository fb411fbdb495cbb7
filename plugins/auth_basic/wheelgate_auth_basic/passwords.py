"""Hashes and verifies passwords; an unknown user, a wrong password and a missing one look the same to clients."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import unicodedata
from functools import cached_property
from typing import Self

import argon2

from wheelgate import Credentials, Ok, Outcome, Reject, RequestInfo, Server, Unknown, User
from wheelgate.config import Config
from wheelgate.password_text import LEGACY_SHA256_PREFIX
from wheelgate.providers import Authenticator, PasswordHasher
from wheelgate.values import MAX_PASSWORD_BYTES, ROOT


class Argon2Hasher(PasswordHasher):
    """Hashes with argon2id, by default with the parameters that argon2-cffi recommends (RFC 9106, section 4)."""

    name = "argon2id"

    def __init__(self, memory_cost: int, time_cost: int, parallelism: int) -> None:
        """Set the memory in KiB, the passes and the threads that one hash takes."""
        self._argon2 = argon2.PasswordHasher(time_cost, memory_cost, parallelism)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Return a hasher with the parameters from the settings."""
        return cls(config["argon2-memory-cost"], config["argon2-time-cost"], config["argon2-parallelism"])

    def hash(self, password: str) -> str:
        """Return the hash with its parameters and salt."""
        return self._argon2.hash(password)

    def verify(self, stored: str, password: str) -> bool:
        """Whether the password matches the hash; False if ``stored`` is not a hash."""
        try:
            return self._argon2.verify(stored, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than the current ones, or is no argon2 hash."""
        return stored.startswith(LEGACY_SHA256_PREFIX) or self._argon2.check_needs_rehash(stored)

    @cached_property
    def dummy(self) -> str:
        """A hash that no password matches; verifying against it costs as much as against a real one.

        It is put together from the current parameters, a random salt and a random digest, because hashing takes 0.2 s.
        """
        argon2id = self._argon2
        parameters = f"m={argon2id.memory_cost},t={argon2id.time_cost},p={argon2id.parallelism}"
        salt, digest = (base64.b64encode(os.urandom(size)).rstrip(b"=").decode() for size in (16, 32))
        return f"$argon2id$v=19${parameters}${salt}${digest}"


class PasswordAuthenticator(Authenticator):
    """Verifies the passwords of local users."""

    name = "password"
    accepts = frozenset({"password"})
    local = True

    def __init__(self, server: Server, hasher: Argon2Hasher) -> None:
        self._server = server
        self._hasher = hasher

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Compare the password, in Unicode's normal form NFC, with the stored hash; renew an outdated hash.

        An imported hash may be that of the password as it was typed: that is compared, too, and the hash renewed.
        """
        secret = unicodedata.normalize("NFC", credentials.secret)
        too_long = len(secret.encode("utf-8", "surrogatepass")) > MAX_PASSWORD_BYTES
        stored = self._server.users.password_hash(credentials.username) if user is not None else None
        good = self._verify(stored, "" if too_long else secret)
        typed = credentials.secret
        as_typed = typed != secret and not too_long and self._verify(stored, typed) and not good
        if stored == "" and not secret and credentials.username == ROOT:
            if self._server.config.loopback and request.from_this_machine:
                return Ok(ROOT)
            return Reject(
                "the empty password of root is good on the server's own machine only, and not through a proxy; set one "
                f"with '{self._server.config.command('passwd', ROOT)}'"
            )
        if not (good or as_typed) or not stored or too_long or not secret:
            return Unknown()
        if (as_typed or self._hasher.outdated(stored)) and not self._server.database.read_only:
            with self._server.database.transaction():
                self._server.users.rehash(credentials.username, stored, self._hasher.hash(secret))
        return Ok(credentials.username)

    def _verify(self, stored: str | None, secret: str) -> bool:
        """Whether a password matches a stored hash; it takes as long for every user, and for none."""
        if stored is not None and stored.startswith(LEGACY_SHA256_PREFIX):
            self._hasher.verify(self._hasher.dummy, secret)
            return matches_sha256(stored, secret)
        return self._hasher.verify(stored or self._hasher.dummy, secret)


def matches_sha256(stored: str, secret: str) -> bool:
    """Whether a password matches an imported hash from before devpi 4.2: SHA-256 of the salt, as text, and of it."""
    salt, _, expected = stored.removeprefix(LEGACY_SHA256_PREFIX).rpartition("$")
    digest = hashlib.sha256(salt.encode() + secret.encode("utf-8", "surrogatepass")).hexdigest()
    return hmac.compare_digest(digest, expected)
