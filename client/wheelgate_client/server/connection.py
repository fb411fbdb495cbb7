"""HTTP as such: one request, its answer as it comes in, and what may go wrong between the two ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests

from wheelgate_client import VERSION
from wheelgate_client.errors import UnreachableError

CONNECT_SECONDS = 10
CHUNK = 1 << 20


class Connection:
    """Keeps the connection between two requests."""

    def __init__(self, seconds: float) -> None:
        self._timeout = (min(CONNECT_SECONDS, seconds), seconds)
        self._http = requests.Session()
        # requests would otherwise send passwords from ~/.netrc beside, or instead of, the login.
        self._http.auth = _unchanged
        self._http.headers.update(
            {
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": f"devpi/{VERSION} (wheelgate; py{sys.version.partition(' ')[0]}; {sys.platform})",
            }
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    @contextmanager
    def opened(self, method: str, url: str, data: Any, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        """Send a request and yield the answer, whose body is read inside; redirects are answers too.

        Raises:
            UnreachableError: if no answer comes, or it breaks off.
        """
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
            raise UnreachableError(url, f"through the proxy: {_innermost(error)}") from None
        except (requests.RequestException, ValueError) as error:
            # ValueError: neither requests nor urllib3 wraps what the standard library finds wrong with an address.
            raise UnreachableError(url, _innermost(error)) from None


def _innermost(error: BaseException) -> str:
    reason = str(error) if isinstance(error, ValueError) else type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            reason = cause.strerror
        cause = cause.__cause__ or cause.__context__
    return reason


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
