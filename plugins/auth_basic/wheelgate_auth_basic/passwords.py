"""Hashing and verifying passwords, so that an unknown user, a wrong password and no password look the same."""

from __future__ import annotations

import base64
import os
import unicodedata
from functools import cached_property
from typing import Self

import argon2

from wheelgate import Credentials, Ok, Outcome, RequestInfo, Server, Unknown, User
from wheelgate.config import Config
from wheelgate.providers import Authenticator, PasswordHasher
from wheelgate.values import ROOT

LONGEST = 4096


class Hasher(PasswordHasher):
    """argon2id with the parameters that argon2-cffi recommends (RFC 9106, section 4), unless the settings differ."""

    name = "argon2id"

    def __init__(self, memory_cost: int, time_cost: int, parallelism: int) -> None:
        """Take the memory in KiB, the passes and the threads of one hash."""
        self._argon2 = argon2.PasswordHasher(time_cost, memory_cost, parallelism)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make the hasher that the settings describe."""
        return cls(config["argon2-memory-cost"], config["argon2-time-cost"], config["argon2-parallelism"])

    def hash(self, password: str) -> str:
        """Return the hash with its parameters and salt."""
        return self._argon2.hash(password)

    def verify(self, stored: str, password: str) -> bool:
        """Whether the password is the one that was hashed; False for anything that is no hash."""
        try:
            return self._argon2.verify(stored, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(stored)

    @cached_property
    def dummy(self) -> str:
        """The hash of a password that nobody knows: verifying against it costs what a real one costs.

        It is put together from today's parameters, random salt and random digest, for making one costs 0.2 s.
        """
        made = self._argon2
        parameters = f"m={made.memory_cost},t={made.time_cost},p={made.parallelism}"
        salt, digest = (base64.b64encode(os.urandom(size)).rstrip(b"=").decode() for size in (16, 32))
        return f"$argon2id$v=19${parameters}${salt}${digest}"


class PasswordAuthenticator(Authenticator):
    """Judges passwords of local users."""

    name = "password"
    accepts = frozenset({"password"})
    local = True

    def __init__(self, server: Server, hasher: Hasher) -> None:
        self._server = server
        self._hasher = hasher

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Compare the password, in Unicode's normal form NFC, with the stored hash; renew an outdated hash."""
        secret = unicodedata.normalize("NFC", credentials.secret)
        too_long = len(secret.encode("utf-8", "surrogatepass")) > LONGEST
        stored = self._server.users.password_hash(credentials.username) if user is not None else None
        empty = stored == "" and credentials.username == ROOT and self._server.config.loopback
        good = self._hasher.verify(stored or self._hasher.dummy, "" if too_long else secret)
        if empty and not secret:
            return Ok(credentials.username)
        if not good or not stored or too_long:
            return Unknown()
        if self._hasher.outdated(stored) and not self._server.database.read_only:
            with self._server.database.transaction():
                self._server.users.rehash(credentials.username, stored, self._hasher.hash(secret))
        return Ok(credentials.username)
