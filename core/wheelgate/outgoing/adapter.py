"""Makes ``requests`` connect only to addresses that the policy has checked.

It is a separate module because importing ``requests`` costs 0.1 s and some megabytes, which a server without mirrors
saves.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from ssl import SSLContext
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from wheelgate.errors import BadInput
from wheelgate.outgoing.credentials import shares_login
from wheelgate.outgoing.policy import AddressPolicy
from wheelgate.outgoing.proxies import UpstreamProxy
from wheelgate.outgoing.response_heads import LimitedResponse

DEFAULT_TIMEOUTS_SECONDS = (5.0, 30.0)
"""For connecting, and between two pieces of an answer; the caller may set others."""
POOL_CONNECTIONS = 20
"""Hosts to which connections stay open, and connections that stay open to each."""


class CheckedAdapter(HTTPAdapter):
    """Resolves a host and connects to the very address that it checked: a name server may give another one later.

    Every step of a redirect is a request of its own, and is checked too.
    """

    def __init__(self, policy: AddressPolicy, proxy: UpstreamProxy, tls_context: SSLContext | None = None) -> None:
        """Take the policy, the proxy, and the context for TLS in place of the one that requests makes."""
        self._policy = policy
        self._proxy = proxy
        self._tls_options: dict[str, Any] = {} if tls_context is None else {"ssl_context": tls_context}
        super().__init__(pool_connections=POOL_CONNECTIONS, pool_maxsize=POOL_CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pool of checked connections."""
        super().init_poolmanager(*args, **(kwargs | self._tls_options))
        self.poolmanager.pool_classes_by_scheme = checked_pools(self._policy)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Create the pool of connections through a proxy."""
        return super().proxy_manager_for(proxy, **kwargs, **self._tls_options)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request, through the proxy if it needs that; the session has no proxies of its own.

        A proxy resolves names itself, so with a proxy only the URL is checked.
        """
        try:
            self._policy.check_request(str(request.url))
        except BadInput as wrong:
            raise requests.exceptions.InvalidURL(wrong.message, request=request) from None
        proxies = self._proxy.proxies_for(str(request.url))
        response = super().send(request, stream, timeout or DEFAULT_TIMEOUTS_SECONDS, verify, cert, proxies)
        if response.is_redirect and response.raw.length_remaining != 0:
            # requests reads and decompresses the whole body of a redirect: 400 KB can become a gigabyte, or never end.
            response.raw.close()
        return response


class CheckedSession(requests.Session):
    """A session that raises no other errors than those of requests, and keeps a login from http to https."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request, and follow redirects."""
        try:
            return super().send(request, **kwargs)
        except requests.RequestException:
            raise
        except ValueError as error:  # from a redirect to a malformed URL
            raise requests.exceptions.InvalidURL(str(error), request=request) from None

    def should_strip_auth(self, old_url: str, new_url: str) -> bool:
        """Return whether a redirect loses the login; requests keeps it from http to https on the default ports only."""
        return not shares_login(old_url, new_url)


def checked_pools(policy: AddressPolicy) -> dict[str, type[HTTPConnectionPool]]:
    """Return classes of connection pools that ask the policy. urllib3 takes only classes."""

    def connect(connection: HTTPConnection) -> socket.socket:
        """Connect as urllib3 does, with the same exceptions, to a checked address."""
        host, port = connection.host, connection.port or connection.default_port
        try:
            addresses = policy.resolve(host, port)
        except socket.gaierror as error:
            raise NameResolutionError(host, connection, error) from error
        except UnicodeError as error:
            raise NewConnectionError(connection, "the host name is malformed") from error
        sys.audit("http.client.connect", connection, host, port)
        problem: OSError | None = None
        for address in addresses:
            try:
                return create_connection(
                    (address, port), connection.timeout, connection.source_address, connection.socket_options
                )
            except OSError as error:
                problem = error
        if isinstance(problem, TimeoutError):
            raise ConnectTimeoutError(connection, f"no connection to {host} in time") from problem
        raise NewConnectionError(connection, f"no connection to {host}") from problem

    class Plain(HTTPConnection):
        response_class = LimitedResponse

        def _new_conn(self) -> socket.socket:
            return connect(self)

    class Encrypted(HTTPSConnection):
        response_class = LimitedResponse

        def _new_conn(self) -> socket.socket:
            return connect(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}
