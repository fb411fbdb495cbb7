"""API tokens, including narrowed ones, fulfil the contract of a token handler."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from tests.plugins.tokens.conftest import TokenOwner, identifier

from wheelgate.testing.token_handlers import TokenHandlerCase, TokenHandlerContract
from wheelgate_client.server.api_tokens import narrow
from wheelgate_tokens.handler import ApiTokenHandler


class TestTokens(TokenHandlerContract):
    """The bundled handler, with tokens that the bundled client narrows."""

    @pytest.fixture
    def case(self, alice: TokenOwner) -> TokenHandlerCase:
        """Return the handler, and a token of alice."""
        path = alice.index()
        _, secret = alice.token("read", "upload", indices=[path], projects=["demo"])
        less: list[Mapping[str, object]] = [
            {"scopes": ["read"]},
            {"scopes": ["read", "delete"], "indices": ["root/pypi"]},
            {"projects": ["other"], "expires": int(time.time()) + 60},
            {"read_projects": ["other"], "change_projects": ["demo", "other"]},
            {"expires": 2**40},
        ]
        return TokenHandlerCase(
            ApiTokenHandler(alice.site.server),
            secret,
            alice.name,
            [secret, *(narrow(secret, caveat) for caveat in less)],
            revoke=lambda: alice.site.request("DELETE", f"/+x/tokens/{identifier(secret)}", auth=alice.auth),
        )
