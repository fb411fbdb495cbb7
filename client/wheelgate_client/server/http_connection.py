"""One HTTP request, its response as a stream, and the errors on the way."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests

from wheelgate_client import VERSION
from wheelgate_client.errors import UnreachableError
from wheelgate_client.server import tls, transport_errors

CONNECT_TIMEOUT_SECONDS = 10
DOWNLOAD_CHUNK_BYTES = 1 << 20


class HttpConnection:
    """Keeps the connection open between requests."""

    def __init__(
        self, timeout_seconds: float, ca_path: str | None, certificate_for: Callable[[str], str | None]
    ) -> None:
        """Take the time to wait, the certificate authorities to trust, and what returns the certificate for a URL.

        Without ``ca_path``, the client trusts the authorities of the system and those that requests comes with.
        """
        self._certificate_for = certificate_for
        self._timeout = (min(CONNECT_TIMEOUT_SECONDS, timeout_seconds), timeout_seconds)
        self._http = requests.Session()
        # requests would otherwise send passwords from ~/.netrc in addition to the login, or instead of it.
        self._http.auth = _without_netrc
        if ca_path is not None:
            self._http.verify = ca_path  # REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE take precedence
        named = (ca_path, os.environ.get("REQUESTS_CA_BUNDLE"), os.environ.get("CURL_CA_BUNDLE"))
        self._trust_system = not any(named)
        self._http.headers.update(
            {
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": f"devpi/{VERSION} (wheelgate; py{sys.version.partition(' ')[0]}; {sys.platform})",
            }
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    @contextmanager
    def stream_response(
        self, method: str, url: str, data: Any, headers: Mapping[str, str]
    ) -> Iterator[requests.Response]:
        """Send a request and yield the response, whose body is read inside the block; redirects are not followed.

        Raises:
            UnreachableError: if no response arrives, or it breaks off.
            ClientError: if the client's certificate cannot be used.
        """
        self._prepare_tls(url)
        try:
            with self._http.request(
                method,
                url,
                data=data,
                headers=dict(headers),
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                yield response
        except requests.ConnectTimeout:
            raise UnreachableError(url, f"no connection within {self._timeout[0]:g} seconds") from None
        except requests.Timeout:
            raise UnreachableError(url, f"no answer within {self._timeout[1]:g} seconds") from None
        except requests.exceptions.ProxyError as error:
            raise UnreachableError(url, f"through the proxy: {transport_errors.innermost_reason(error)}") from None
        except (requests.RequestException, ValueError) as error:
            # ValueError: neither requests nor urllib3 wraps what the standard library raises for an invalid URL.
            raise transport_errors.unreachable(url, error) from None

    def _prepare_tls(self, url: str) -> None:
        """Load the authorities and the certificate at the first request to a server, which takes some 30 ms."""
        parts = urlsplit(url)
        server_url = f"{parts.scheme}://{parts.netloc}/"
        if parts.scheme == "https" and server_url not in self._http.adapters:
            adapter = tls.TlsAdapter(self._certificate_for(url), trust_system=self._trust_system)
            self._http.mount(server_url, adapter)


def _without_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
