"""What to do if no response arrives: the wrong scheme, a certificate that is not trusted, or no server at all."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from http.client import BadStatusLine
from urllib.parse import urlsplit

from urllib3.exceptions import ProtocolError

from wheelgate_client.errors import UnreachableError

TLS_PROBE_TIMEOUT_SECONDS = 2.0
"""Time for the handshake that tells whether a port speaks TLS, after it has dropped a request without TLS."""
NO_TLS_REASONS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNSUPPORTED_PROTOCOL"})
"""OpenSSL's reasons for an answer that is not TLS at all."""
CLIENT_CERTIFICATE_REASONS = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the server requires a client certificate",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the server refuses the connection without a client certificate it trusts",
    "TLSV1_ALERT_UNKNOWN_CA": "the server does not know the authority of the client certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the client certificate has expired",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "the client certificate is revoked",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the server does not accept the client certificate",
}
"""OpenSSL's reasons for a handshake that the server breaks off because of the client's certificate."""
UNKNOWN_ISSUER_CODES = frozenset({18, 19, 20, 21})
"""OpenSSL's codes for a certificate that no trusted authority has signed (X509_V_ERR_*)."""


def unreachable(url: str, error: Exception) -> UnreachableError:
    """Return the error for a request without a response: the reason, and what to do about it."""
    parts, reason = urlsplit(url), innermost_reason(error)
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = f"certificate verify failed: {cause.verify_message}"
            return UnreachableError(url, reason, _certificate_advice(cause, parts.hostname or ""))
        if isinstance(cause, ssl.SSLError) and cause.reason in NO_TLS_REASONS:
            advice = f"this port does not speak TLS: is the URL {_with_scheme(url, 'http')}?"
            return UnreachableError(url, reason, advice)
        if isinstance(cause, ssl.SSLError) and cause.reason in CLIENT_CERTIFICATE_REASONS:
            return UnreachableError(url, CLIENT_CERTIFICATE_REASONS[cause.reason], _name_certificate(url))
        if isinstance(cause, ssl.SSLEOFError):
            # With TLS 1.3, the alert of a server that misses a certificate can get lost when it closes the connection.
            reason = "the server broke off the connection"
            return UnreachableError(url, reason, f"if it requires a client certificate, {_name_certificate(url)}")
        dropped = isinstance(cause, ConnectionResetError | BadStatusLine | ProtocolError)
        if dropped and parts.scheme == "http" and _speaks_tls(parts.hostname or "", parts.port or 80):
            return UnreachableError(url, reason, f"this port speaks TLS: is the URL {_with_scheme(url, 'https')}?")
    return UnreachableError(url, reason)


def innermost_reason(error: BaseException) -> str:
    """Return the text of the operating system if it caused the error, otherwise the name of the error."""
    reason = str(error) if isinstance(error, ValueError) else type(error).__name__
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.strerror:
            reason = cause.strerror
    return reason


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        # urllib3 keeps an error that it gets while it reads in the arguments only.
        wrapped = next((item for item in cause.args if isinstance(item, BaseException)), None)
        cause = cause.__cause__ or cause.__context__ or wrapped


def _certificate_advice(error: ssl.SSLCertVerificationError, host: str) -> str:
    if error.verify_code in UNKNOWN_ISSUER_CODES:
        return (
            f"if you trust {host}, get the certificate of its authority from its administrator, and set"
            " SSL_CERT_FILE to the path of that file"
        )
    return f"the administrator of {host} has to renew or correct its certificate"


def _name_certificate(url: str) -> str:
    parts = urlsplit(url)
    return f"name the file of yours with 'devpi use {parts.scheme}://{parts.netloc} --client-cert FILE'"


def _with_scheme(url: str, scheme: str) -> str:
    return urlsplit(url)._replace(scheme=scheme).geturl().removesuffix("/+api")


def _speaks_tls(host: str, port: int) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent over this connection
    try:
        with (
            socket.create_connection((host, port), TLS_PROBE_TIMEOUT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except (OSError, ValueError):
        return False
