"""Password login: hashing, verifying, and the two headers that credentials come in."""

import argon2

from wheelgate import Option, Server, hookimpl
from wheelgate.config import Config
from wheelgate.option_types import whole_number
from wheelgate.providers import Authenticator, CredentialExtractor, PasswordHasher
from wheelgate_auth_basic.headers import Basic, XDevpiAuth
from wheelgate_auth_basic.passwords import Hasher, PasswordAuthenticator

RECOMMENDED = argon2.profiles.RFC_9106_LOW_MEMORY


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare the parameters of argon2id; a hash made with others is renewed at the next login."""
    return [
        Option(
            "argon2-memory-cost",
            "memory that hashing a password takes, in KiB",
            RECOMMENDED.memory_cost,
            whole_number(8, 2**22),
            "KIB",
        ),
        Option(
            "argon2-time-cost", "passes that hashing a password takes", RECOMMENDED.time_cost, whole_number(1, 100), "N"
        ),
        Option(
            "argon2-parallelism",
            "threads that hashing a password uses",
            RECOMMENDED.parallelism,
            whole_number(1, 64),
            "N",
        ),
    ]


@hookimpl
def wheelgate_credential_extractors(server: Server) -> list[CredentialExtractor]:
    """Read ``X-Devpi-Auth`` and ``Authorization: Basic``."""
    return [XDevpiAuth(), Basic()]


@hookimpl
def wheelgate_authenticators(server: Server) -> list[Authenticator]:
    """Compare passwords with the hashes in the store."""
    return [PasswordAuthenticator(server, Hasher.from_config(server.config))]


@hookimpl
def wheelgate_password_hasher(config: Config) -> PasswordHasher:
    """Hash with argon2id."""
    return Hasher.from_config(config)
