"""Requests to an index server: sends them, checks the responses, and raises errors that say what is wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urljoin

import requests

from wheelgate_client import VERSION
from wheelgate_client.errors import ClientError, NotAnIndexServerError, RefusedError, UnreachableError
from wheelgate_client.server import urls
from wheelgate_client.server.http_connection import DOWNLOAD_CHUNK_BYTES, HttpConnection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.server.upload_form import UploadForm

API_VERSION = "2"
VERSION_HEADER = "X-DEVPI-API-VERSION"
MAX_RESPONSE_BYTES = 64 * 1024 * 1024
"""The project list of a full mirror has some 20 million bytes."""
MAX_REDIRECTS = 5
_READ_CHUNK_BYTES = 1 << 16

Json = dict[str, Any]


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


class LoginToken(NamedTuple):
    """The token that the server gives for a password, and how long it is valid."""

    token: str
    lifetime_seconds: float


class ApiResponse(NamedTuple):
    """A successful response."""

    url: str
    headers: Mapping[str, str]
    content: Json

    def result(self, kind: str) -> Json:
        """Return the result, an object whose ``type`` has to be ``kind``.

        Raises:
            NotAnIndexServerError: if the response contains anything else.
        """
        result = self.content.get("result")
        if self.content.get("type") != kind or not isinstance(result, dict):
            raise NotAnIndexServerError(self.url, f"it sent {self.content.get('type')!r} instead of {kind!r}")
        return result

    def login_token(self) -> LoginToken | None:
        """Return the token that the server sends for a login or a changed password; None if there is none."""
        result = self.content.get("result")
        if not isinstance(result, dict):
            return None
        token, lifetime = result.get("password"), result.get("expiration")
        if not isinstance(token, str) or not isinstance(lifetime, int | float):
            return None
        return LoginToken(token, lifetime)


class Api:
    """Sends requests, each with the login for its URL."""

    def __init__(
        self,
        login_for: Callable[[str], Login],
        timeout_seconds: float,
        warn: Callable[[str], None],
        log: Callable[[str], None],
    ) -> None:
        self._login_for = login_for
        self._warn = warn
        self._log = log
        self._warned = False
        self._connection = HttpConnection(timeout_seconds)

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
        sender = self._login_for(url) if login is None else login
        data = None if body is None else json.dumps(body).encode()
        final, response, text = self._follow_redirects(method, url, data, sender.headers())
        content = _content(method, final, response, text, sender)
        if content is None:
            raise NotAnIndexServerError(final, "it sent no JSON object")
        checked = ApiResponse(final, response.headers, content)
        self._warn_without_version(checked)
        return checked

    def post_form(self, url: str, form: UploadForm) -> str:
        """Upload a file; return the reason phrase of the server if it says more than the standard one.

        Raises:
            ClientError: as :meth:`send` does.
        """
        sender = self._login_for(url)
        headers = {**sender.headers(), "Content-Type": form.content_type}
        final, response, text = self._follow_redirects("POST", url, form, headers)
        _content("POST", final, response, text, sender)
        return "" if response.reason in {None, "", _standard_phrase(response.status_code)} else str(response.reason)

    def post_and_follow(self, url: str) -> None:
        """Send a POST request without a body, and GET the page that the response redirects to, if it does.

        Raises:
            ClientError: as :meth:`send` does, for either request.
        """
        sender = self._login_for(url)
        headers = {**sender.headers(), "Accept": "application/vnd.pypi.simple.v1+json, application/json"}
        response, text = self._exchange("POST", url, None, headers)
        method, final = "POST", url
        if response.is_redirect:
            method, final, response, text = (
                "GET",
                *self._follow_redirects("GET", _redirect_target(url, response), None, headers),
            )
        _content(method, final, response, text, sender)

    def download(self, url: str, write: Callable[[bytes], object]) -> None:
        """Pass the bytes at the URL to ``write``, chunk by chunk.

        Raises:
            ClientError: as :meth:`send` does.
        """
        sender = self._login_for(url)
        headers = {**sender.headers(), "Accept": "*/*", "Accept-Encoding": "identity"}
        for _ in range(MAX_REDIRECTS):
            with self._connection.stream_response("GET", url, None, headers) as response:
                self._log(f"GET {url}: {_status_line(response)}")
                if response.ok and not response.is_redirect:
                    for chunk in response.iter_content(DOWNLOAD_CHUNK_BYTES):
                        write(chunk)
                    return
                if not response.is_redirect:
                    raise _refusal("GET", url, response, _read(url, response), sender)
                url = _redirect_target(url, response)
        raise _redirect_loop(url)

    def _follow_redirects(
        self, method: str, url: str, data: bytes | UploadForm | None, headers: Mapping[str, str]
    ) -> tuple[str, requests.Response, bytes]:
        for _ in range(MAX_REDIRECTS):
            response, text = self._exchange(method, url, data, headers)
            if not response.is_redirect:
                return url, response, text
            url = _redirect_url(method, url, response)
        raise _redirect_loop(url)

    def _exchange(
        self, method: str, url: str, data: bytes | UploadForm | None, headers: Mapping[str, str]
    ) -> tuple[requests.Response, bytes]:
        with self._connection.stream_response(method, url, data, headers) as response:
            text = _read(url, response)
        self._log(f"{method} {url}: {_status_line(response)}")
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


def _content(method: str, url: str, response: requests.Response, text: bytes, login: Login) -> Json | None:
    """Return the JSON object of a successful response, or None if it has another type of content."""
    version = response.headers.get(VERSION_HEADER)
    if version not in {None, API_VERSION}:
        raise ClientError(
            f"devpi {VERSION} got a reply with API-VERSION {version}, acceptable are: {API_VERSION};"
            " install a client as new as the server"
        )
    kind, content = _media_type_and_json(response, text)
    # A proxy before an index server may send HTML, but a 200 or 404 in HTML does not come from an index server.
    if content is None and version is None and (response.ok or response.status_code == HTTPStatus.NOT_FOUND):
        raise NotAnIndexServerError(url, f"it sent {_status_line(response)} with content of type {kind}")
    if not response.ok:
        raise _refusal(method, url, response, text, login)
    return content


def _media_type_and_json(response: requests.Response, text: bytes) -> tuple[str, Json | None]:
    kind = response.headers.get("Content-Type", "none").partition(";")[0].strip().lower()
    return kind, _json_object(text) if kind == "application/json" else None


def _refusal(method: str, url: str, response: requests.Response, text: bytes, login: Login) -> RefusedError:
    content = _media_type_and_json(response, text)[1] or {}
    message = content.get("message")
    # The incumbent's server spreads some messages over several lines.
    reason = " ".join(message.split()) if isinstance(message, str) else ""
    hint = ""
    if response.status_code == HTTPStatus.UNAUTHORIZED and not response.url.endswith("/+login"):
        hint = f"(type 'devpi login {login.username or 'USER'}')"
    return RefusedError(method, url, response.status_code, _reason_phrase(response), reason, hint, content)


def _redirect_url(method: str, url: str, response: requests.Response) -> str:
    target = _redirect_target(url, response)
    if method != "GET" and response.status_code not in {
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }:
        raise ClientError(
            f"'{url}' has moved to '{target}', nothing was changed: type 'devpi use URL' with the new URL"
        )
    return target


def _redirect_target(url: str, response: requests.Response) -> str:
    target = urljoin(url, response.headers["Location"])
    if not _is_same_server(url, target):
        raise ClientError(
            f"'{url}' redirects to another server, '{urls.mask_passwords(target)}':"
            " nothing was sent there; type 'devpi use URL' with that server's URL if you trust it"
        )
    return target


def _redirect_loop(url: str) -> ClientError:
    return ClientError(
        f"'{url}' redirects more than {MAX_REDIRECTS} times: the server, or a proxy before it, is misconfigured"
    )


def _is_same_server(url: str, target: str) -> bool:
    """Compare scheme, host and port; a redirect to https on the same host is fine too."""
    try:
        return urls.origin(target) in {urls.origin(url), urls.origin(url.replace("http:", "https:", 1))}
    except ValueError:
        return False


def _json_object(text: bytes) -> Json | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _status_line(response: requests.Response) -> str:
    return f"{response.status_code} {_reason_phrase(response)}".strip()


def _reason_phrase(response: requests.Response) -> str:
    return response.reason or _standard_phrase(response.status_code)


def _standard_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _base64(username: str, secret: str) -> str:
    return base64.b64encode(f"{username}:{secret}".encode(errors="surrogateescape")).decode()
