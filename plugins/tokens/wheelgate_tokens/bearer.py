"""``Authorization: Bearer`` (RFC 6750, section 2.1) with one of our tokens."""

from __future__ import annotations

from wheelgate import Credentials, RequestInfo
from wheelgate.hookspecs import instant
from wheelgate.providers import CredentialExtractor
from wheelgate_tokens.chain import PREFIX


@instant
class Bearer(CredentialExtractor):
    """Finds tokens; what begins otherwise is left to whoever knows it."""

    name = "bearer"
    header = "authorization"
    rank = 30
    scheme = ""
    ambient = False

    def extract(self, request: RequestInfo) -> Credentials | None:
        """Read the header, if it is of this scheme."""
        scheme, _, secret = request.headers[self.header].partition(" ")
        if scheme.lower() != "bearer" or not secret.strip().startswith(PREFIX):
            return None
        return Credentials("bearer", "", secret.strip(), self.name)
