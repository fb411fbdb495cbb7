"""Reads a name with a password or a login token from the two headers that clients send them in."""

from __future__ import annotations

import base64
import binascii

from wheelgate import Credentials, RequestInfo
from wheelgate.errors import NotAuthenticated
from wheelgate.hookspecs import instant
from wheelgate.providers import CredentialExtractor


@instant
class DevpiAuthExtractor(CredentialExtractor):
    """Reads ``X-Devpi-Auth``, which the ``devpi`` command sends."""

    name = "x-devpi-auth"
    header = "x-devpi-auth"
    rank = 10
    scheme = ""
    ambient = False

    def extract(self, request: RequestInfo) -> Credentials | None:
        """Decode the header."""
        return decode_credentials(request.headers[self.header], self.name)


@instant
class BasicExtractor(CredentialExtractor):
    """Reads ``Authorization: Basic`` (RFC 7617), which installers, upload tools and browsers send."""

    name = "basic"
    header = "authorization"
    rank = 20
    scheme = "Basic"
    ambient = True

    def extract(self, request: RequestInfo) -> Credentials | None:
        """Decode the header if its scheme is Basic."""
        scheme, _, encoded = request.headers[self.header].partition(" ")
        return decode_credentials(encoded.strip(), self.name) if scheme.lower() == "basic" else None


def decode_credentials(encoded: str, source: str) -> Credentials:
    """Decode ``base64(name:secret)``.

    Raises:
        NotAuthenticated: the value has another form.
    """
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NotAuthenticated(f"the credentials in '{source}' are not base64") from None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    name, colon, secret = text.partition(":")
    if not colon or not name:
        raise NotAuthenticated(f"the credentials in '{source}' are not of the form name:password")
    return Credentials("password", name, secret, source)
