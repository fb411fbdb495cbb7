"""Connections with TLS: the authorities that the client trusts, and the certificate that it shows."""

from __future__ import annotations

import ssl
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from wheelgate_client.errors import ClientError, os_reason


class TlsAdapter(HTTPAdapter):
    """Connects to one server; the certificate of the client must get to no other."""

    def __init__(self, certificate: str | None, *, trust_system: bool) -> None:
        """Take the PEM file of the client's certificate and key, and whether to trust the system's authorities.

        requests adds its own authorities, or those of the file that ``verify`` names.

        Raises:
            ClientError: if the file cannot be used.
        """
        self._context = create_urllib3_context()
        if trust_system:
            self._context.load_default_certs()
        if certificate is not None:
            _load_certificate(self._context, certificate)
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Use the context for direct connections."""
        super().init_poolmanager(*arguments, **options, ssl_context=self._context)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Use the context for connections through a proxy."""
        return super().proxy_manager_for(proxy, **options, ssl_context=self._context)


def _load_certificate(context: ssl.SSLContext, path: str) -> None:
    try:
        # Without a function for the password, OpenSSL would ask for it on the terminal.
        context.load_cert_chain(path, password=_no_password)
    except ssl.SSLError:
        reason = "it is no PEM file with a certificate and its unencrypted key"
    except OSError as error:
        reason = os_reason(error)
    else:
        return
    raise ClientError(
        f"the client certificate {path} cannot be used: {reason}; name another file with"
        " 'devpi use URL --client-cert FILE', or none with 'devpi use URL --client-cert -'"
    )


def _no_password() -> bytes:
    return b""
