"""Header login keeps every promise of an authenticator: above all, that a password is no proxy's word."""

from __future__ import annotations

import pytest

from wheelgate import Credentials, RequestInfo
from wheelgate.testing.authenticators import AuthenticatorCase, AuthenticatorContract
from wheelgate_remote_user.proxy import RemoteUser


class TestRemoteUser(AuthenticatorContract):
    """A proxy's word."""

    @pytest.fixture
    def case(self) -> AuthenticatorCase:
        """Return the authenticator under test, and the credentials that the header makes."""
        good = Credentials("remote-user", "alice", "", "remote_user", trusted=True)
        request = RequestInfo("GET", "/", {"x-groups": "admins, devs, a:b"}, "10.1.2.3", peer_address="10.1.2.3")
        return AuthenticatorCase(RemoteUser("x-groups"), good, request=request)
