"""Sends requests to an index server, with the login for each URL."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import requests

from wheelgate_client.errors import NotAnIndexServerError, UnreachableError
from wheelgate_client.server.http_connection import DOWNLOAD_CHUNK_BYTES, HttpConnection
from wheelgate_client.server.redirects import MAX_REDIRECTS, redirect_loop, redirect_target, redirect_url
from wheelgate_client.server.responses import (
    OUTCOME_HEADER,
    VERSION_HEADER,
    ApiResponse,
    UploadResult,
    checked_content,
    refused_error,
    special_reason,
    status_line,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.server.upload_form import MultipartUpload

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
"""The project list of a full mirror has some 20 million bytes."""
_READ_CHUNK_BYTES = 1 << 16


class Login(NamedTuple):
    """The credentials of one request: a user with a token, and those for HTTP basic authentication."""

    username: str | None = None
    token: str | None = None
    basic: tuple[str, str] | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers; they use base64 because a token may contain any character."""
        headers = {}
        if self.username is not None and self.token is not None:
            headers["X-Devpi-Auth"] = _base64(self.username, self.token)
        if self.basic is not None:
            headers["Authorization"] = f"Basic {_base64(*self.basic)}"
        return headers


class LoginSource(Protocol):
    """Chooses the login for a URL."""

    def login_for(self, url: str) -> Login:
        """Return the login to send."""

    def login_hint(self, url: str, login: Login) -> str:
        """Return what to do if the server does not accept that login."""

    def certificate_for(self, url: str) -> str | None:
        """Return the PEM file with the client's certificate and key for the server of the URL, or None."""


class Api:
    """Sends requests, each with the login for its URL."""

    def __init__(
        self,
        credentials: LoginSource,
        timeout_seconds: float,
        warn: Callable[[str], None],
        log: Callable[[str], None],
        ca_path: str | None,
    ) -> None:
        """Take the logins, how long to wait, where to warn and log, and the certificate authorities to trust."""
        self._credentials = credentials
        self._warn = warn
        self._log = log
        self._warned = False
        self._connection = HttpConnection(timeout_seconds, ca_path, credentials.certificate_for)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def get(self, url: str, login: Login | None = None) -> ApiResponse:
        """Send a GET request; see :meth:`send` for the errors."""
        return self.send("GET", url, login=login)

    def send(self, method: str, url: str, body: object = None, *, login: Login | None = None) -> ApiResponse:
        """Send a request, by default with the login stored for the server.

        Raises:
            UnreachableError: if no response arrives.
            NotAnIndexServerError: if the response does not come from an index server.
            RefusedError: if the server refuses the request.
            ClientError: if the server speaks another version of the protocol, or redirects to another server.
        """
        used_login = self._credentials.login_for(url) if login is None else login
        data = None if body is None else json.dumps(body).encode()
        final, response, text = self._follow_redirects(method, url, data, used_login.headers())
        content = checked_content(method, final, response, text, self._credentials.login_hint(url, used_login))
        if content is None:
            raise NotAnIndexServerError(final, "it sent no JSON object")
        result = ApiResponse(final, response.headers, content)
        self._warn_without_version(result)
        return result

    def post_form(self, url: str, form: MultipartUpload) -> UploadResult:
        """Upload a file.

        Raises:
            ClientError: as :meth:`send` does.
        """
        used_login = self._credentials.login_for(url)
        headers = {**used_login.headers(), "Content-Type": form.content_type}
        final, response, text = self._follow_redirects("POST", url, form, headers)
        checked_content("POST", final, response, text, self._credentials.login_hint(url, used_login))
        return UploadResult(special_reason(response), response.headers.get(OUTCOME_HEADER, ""))

    def post_and_follow(self, url: str) -> None:
        """Send a POST request without a body, and GET the page that the response redirects to, if it does.

        Raises:
            ClientError: as :meth:`send` does, for either request.
        """
        used_login = self._credentials.login_for(url)
        headers = {**used_login.headers(), "Accept": "application/vnd.pypi.simple.v1+json, application/json"}
        response, text = self._exchange("POST", url, None, headers)
        method, final = "POST", url
        if response.is_redirect:
            method, target = "GET", redirect_target(url, response)
            final, response, text = self._follow_redirects("GET", target, None, headers)
        checked_content(method, final, response, text, self._credentials.login_hint(url, used_login))

    def require(self, url: str) -> None:
        """Make sure that there is something at the URL, without reading it.

        Raises:
            RefusedError: if the server refuses the request.
            UnreachableError: if no response arrives.
        """
        used_login = self._credentials.login_for(url)
        with self._connection.stream_response("GET", url, None, used_login.headers()) as response:
            if not response.ok:
                hint = self._credentials.login_hint(url, used_login)
                raise refused_error("GET", url, response, _read(url, response), hint)

    def download(self, url: str, write: Callable[[bytes], object]) -> None:
        """Pass the bytes at the URL to ``write``, chunk by chunk.

        Raises:
            ClientError: as :meth:`send` does.
        """
        used_login = self._credentials.login_for(url)
        headers = {**used_login.headers(), "Accept": "*/*", "Accept-Encoding": "identity"}
        for _ in range(MAX_REDIRECTS):
            with self._connection.stream_response("GET", url, None, headers) as response:
                self._log(f"GET {url}: {status_line(response)}")
                if response.ok and not response.is_redirect:
                    for chunk in response.iter_content(DOWNLOAD_CHUNK_BYTES):
                        write(chunk)
                    return
                if not response.is_redirect:
                    raise refused_error(
                        "GET", url, response, _read(url, response), self._credentials.login_hint(url, used_login)
                    )
                url = redirect_target(url, response)
        raise redirect_loop(url)

    def _follow_redirects(
        self, method: str, url: str, data: bytes | MultipartUpload | None, headers: Mapping[str, str]
    ) -> tuple[str, requests.Response, bytes]:
        for _ in range(MAX_REDIRECTS):
            response, text = self._exchange(method, url, data, headers)
            if not response.is_redirect:
                return url, response, text
            url = redirect_url(method, url, response)
        raise redirect_loop(url)

    def _exchange(
        self, method: str, url: str, data: bytes | MultipartUpload | None, headers: Mapping[str, str]
    ) -> tuple[requests.Response, bytes]:
        with self._connection.stream_response(method, url, data, headers) as response:
            text = _read(url, response)
        self._log(f"{method} {url}: {status_line(response)}")
        return response, text

    def _warn_without_version(self, response: ApiResponse) -> None:
        if VERSION_HEADER not in response.headers and not self._warned:
            self._warned = True
            self._warn(f"warning: '{response.url}' does not say which version of the API it speaks")


def _read(url: str, response: requests.Response) -> bytes:
    text = bytearray()
    for chunk in response.iter_content(_READ_CHUNK_BYTES):
        text += chunk
        if len(text) > MAX_RESPONSE_BYTES:
            raise UnreachableError(url, f"the response is longer than {MAX_RESPONSE_BYTES} bytes")
    return bytes(text)


def _base64(username: str, secret: str) -> str:
    return base64.b64encode(f"{username}:{secret}".encode(errors="surrogateescape")).decode()
