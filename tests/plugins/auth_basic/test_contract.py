"""The bundled password login fulfils the contract of an authenticator, on both databases."""

from __future__ import annotations

import pytest

from wheelgate import Credentials
from wheelgate.testing.authenticators import AuthenticatorCase, AuthenticatorContract
from wheelgate.testing.site import Site
from wheelgate_auth_basic.passwords import Argon2Hasher, PasswordAuthenticator


class TestPasswords(AuthenticatorContract):
    """The authenticator for passwords of local users."""

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, shared: Site) -> AuthenticatorCase:
        """Return the authenticator, and a user with a password."""
        shared.add_user("alice", "correct horse")
        authenticator = PasswordAuthenticator(shared.server, Argon2Hasher.from_config(shared.config))
        good = Credentials("password", "alice", "correct horse", "test")
        return AuthenticatorCase(authenticator, good, shared.server.users.get("alice"))
