"""Header login fulfils the contract of an authenticator, above all that no password counts as a trusted header."""

from __future__ import annotations

import pytest

from wheelgate import Credentials, RequestInfo
from wheelgate.testing.authenticators import AuthenticatorCase, AuthenticatorContract
from wheelgate_remote_user.proxy import RemoteUserAuthenticator


class TestRemoteUser(AuthenticatorContract):
    """The authenticator that trusts a proxy's header."""

    @pytest.fixture
    def case(self) -> AuthenticatorCase:
        """Return the authenticator, and credentials from the header."""
        good = Credentials("remote-user", "alice", "", "remote_user", trusted=True)
        request = RequestInfo("GET", "/", {"x-groups": "admins, devs, a:b"}, "10.1.2.3", peer_address="10.1.2.3")
        return AuthenticatorCase(RemoteUserAuthenticator("x-groups"), good, request=request)
