"""Password login: hashes and verifies passwords, and reads the two headers that contain credentials."""

import argon2

from wheelgate import Option, Server, hookimpl
from wheelgate.config import Config
from wheelgate.option_types import whole_number
from wheelgate.providers import Authenticator, CredentialExtractor, PasswordHasher
from wheelgate_auth_basic.headers import BasicExtractor, DevpiAuthExtractor
from wheelgate_auth_basic.passwords import Argon2Hasher, PasswordAuthenticator

RECOMMENDED_ARGON2 = argon2.profiles.RFC_9106_LOW_MEMORY


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare the parameters of argon2id; a hash made with other parameters is renewed at the next login."""
    return [
        Option(
            "argon2-memory-cost",
            "memory for hashing a password, in KiB",
            RECOMMENDED_ARGON2.memory_cost,
            whole_number(8, 2**22),
            "KIB",
        ),
        Option(
            "argon2-time-cost", "passes for hashing a password", RECOMMENDED_ARGON2.time_cost, whole_number(1, 100), "N"
        ),
        Option(
            "argon2-parallelism",
            "threads for hashing a password",
            RECOMMENDED_ARGON2.parallelism,
            whole_number(1, 64),
            "N",
        ),
    ]


@hookimpl
def wheelgate_credential_extractors(server: Server) -> list[CredentialExtractor]:
    """Read ``X-Devpi-Auth`` and ``Authorization: Basic``."""
    return [DevpiAuthExtractor(), BasicExtractor()]


@hookimpl
def wheelgate_authenticators(server: Server) -> list[Authenticator]:
    """Compare passwords with the hashes in the store."""
    return [PasswordAuthenticator(server, Argon2Hasher.from_config(server.config))]


@hookimpl
def wheelgate_password_hasher(config: Config) -> PasswordHasher:
    """Hash with argon2id."""
    return Argon2Hasher.from_config(config)
