"""Reads API tokens from ``Authorization: Bearer`` (RFC 6750, section 2.1)."""

from __future__ import annotations

from wheelgate import Credentials, RequestInfo
from wheelgate.hookspecs import instant
from wheelgate.providers import CredentialExtractor
from wheelgate_tokens.chain import API_TOKEN_PREFIX


@instant
class BearerExtractor(CredentialExtractor):
    """Reads tokens with this plugin's prefix, and leaves others to other plugins."""

    name = "bearer"
    header = "authorization"
    rank = 30
    scheme = ""
    ambient = False

    def extract(self, request: RequestInfo) -> Credentials | None:
        """Read the header if its scheme is Bearer."""
        scheme, _, secret = request.headers[self.header].partition(" ")
        if scheme.lower() != "bearer" or not secret.strip().startswith(API_TOKEN_PREFIX):
            return None
        return Credentials("bearer", "", secret.strip(), self.name)
