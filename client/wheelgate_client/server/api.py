"""One request to an index server, its answer, and what may be wrong with it."""

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
from wheelgate_client.server.connection import CHUNK, Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.server.forms import Form

API_VERSION = "2"
VERSION_HEADER = "X-DEVPI-API-VERSION"
ANSWER_LIMIT = 64 * 1024 * 1024
"""Bytes; the project list of a full mirror has some 20 million."""
REDIRECT_LIMIT = 5

Json = dict[str, Any]


class Credentials(NamedTuple):
    """What one request carries to say who sends it."""

    username: str | None = None
    token: str | None = None
    basic: tuple[str, str] | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers; a token may hold any character, hence base64."""
        headers = {}
        if self.username is not None and self.token is not None:
            headers["X-Devpi-Auth"] = _base64(self.username, self.token)
        if self.basic is not None:
            headers["Authorization"] = f"Basic {_base64(*self.basic)}"
        return headers


class Login(NamedTuple):
    """A token that proves who one is, for so many seconds."""

    token: str
    seconds: float


class Reply(NamedTuple):
    """A successful answer."""

    url: str
    headers: Mapping[str, str]
    content: Json

    def result(self, kind: str) -> Json:
        """Return the object of the announced ``type``.

        Raises:
            NotAnIndexServerError: if the answer holds anything else.
        """
        result = self.content.get("result")
        if self.content.get("type") != kind or not isinstance(result, dict):
            raise NotAnIndexServerError(self.url, f"it answered {self.content.get('type')!r} where {kind!r} belongs")
        return result

    def login(self) -> Login | None:
        """Return the token that the server gave for a password, or in the place of one that has changed."""
        result = self.content.get("result")
        if not isinstance(result, dict):
            return None
        token, seconds = result.get("password"), result.get("expiration")
        if not isinstance(token, str) or not isinstance(seconds, int | float):
            return None
        return Login(token, seconds)


class Api:
    """Sends requests as the user who is logged in at their server."""

    def __init__(
        self,
        credentials: Callable[[str], Credentials],
        seconds: float,
        warn: Callable[[str], None],
        log: Callable[[str], None],
    ) -> None:
        self._credentials = credentials
        self._warn = warn
        self._log = log
        self._warned = False
        self._connection = Connection(seconds)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def get(self, url: str, credentials: Credentials | None = None) -> Reply:
        """Ask for what stands at the URL; see :meth:`send` for the errors."""
        return self.send("GET", url, credentials=credentials)

    def send(self, method: str, url: str, body: object = None, *, credentials: Credentials | None = None) -> Reply:
        """Send a request; ``credentials`` are those stored for the server if not given.

        Raises:
            UnreachableError: if no answer comes.
            NotAnIndexServerError: if the answer is not one of an index server.
            RefusedError: if the server says no.
            ClientError: if the server speaks another version of the protocol, or refers to another server.
        """
        sender = self._credentials(url) if credentials is None else credentials
        data = None if body is None else json.dumps(body).encode()
        final, response, text = self._converse(method, url, data, sender.headers())
        content = _content(method, final, response, text, sender)
        if content is None:
            raise NotAnIndexServerError(final, "it answered without a JSON object")
        reply = Reply(final, response.headers, content)
        self._check_version(reply)
        return reply

    def post_form(self, url: str, form: Form) -> str:
        """Upload a file; return what the server says about it beyond that all is well.

        Raises:
            ClientError: as :meth:`send` does.
        """
        sender = self._credentials(url)
        headers = {**sender.headers(), "Content-Type": form.content_type}
        final, response, text = self._converse("POST", url, form, headers)
        _content("POST", final, response, text, sender)
        return "" if response.reason in {None, "", _phrase(response.status_code)} else str(response.reason)

    def post_and_look(self, url: str) -> None:
        """POST nothing, and ask for the page that the answer refers to, if it does.

        Raises:
            ClientError: as :meth:`send` does, for either request.
        """
        sender = self._credentials(url)
        headers = {**sender.headers(), "Accept": "application/vnd.pypi.simple.v1+json, application/json"}
        response, text = self._exchange("POST", url, None, headers)
        method, final = "POST", url
        if response.is_redirect:
            method, final, response, text = "GET", *self._converse("GET", _target(url, response), None, headers)
        _content(method, final, response, text, sender)

    def fetch(self, url: str, take: Callable[[bytes], object]) -> None:
        """Give the bytes that stand at the URL to ``take``, piece by piece.

        Raises:
            ClientError: as :meth:`send` does.
        """
        sender = self._credentials(url)
        headers = {**sender.headers(), "Accept": "*/*", "Accept-Encoding": "identity"}
        for _ in range(REDIRECT_LIMIT):
            with self._connection.opened("GET", url, None, headers) as response:
                self._log(f"GET {url}: {_status_line(response)}")
                if response.ok and not response.is_redirect:
                    for chunk in response.iter_content(CHUNK):
                        take(chunk)
                    return
                if not response.is_redirect:
                    raise _refused("GET", url, response, _read(url, response), sender)
                url = _target(url, response)
        raise _runaround(url)

    def _converse(
        self, method: str, url: str, data: bytes | Form | None, headers: Mapping[str, str]
    ) -> tuple[str, requests.Response, bytes]:
        for _ in range(REDIRECT_LIMIT):
            response, text = self._exchange(method, url, data, headers)
            if not response.is_redirect:
                return url, response, text
            url = _redirected(method, url, response)
        raise _runaround(url)

    def _exchange(
        self, method: str, url: str, data: bytes | Form | None, headers: Mapping[str, str]
    ) -> tuple[requests.Response, bytes]:
        with self._connection.opened(method, url, data, headers) as response:
            text = _read(url, response)
        self._log(f"{method} {url}: {_status_line(response)}")
        return response, text

    def _check_version(self, reply: Reply) -> None:
        if VERSION_HEADER not in reply.headers and not self._warned:
            self._warned = True
            self._warn(f"warning: '{reply.url}' does not say which version of the API it speaks")


def _read(url: str, response: requests.Response) -> bytes:
    text = bytearray()
    for chunk in response.iter_content(65536):
        text += chunk
        if len(text) > ANSWER_LIMIT:
            raise UnreachableError(url, f"the answer is longer than {ANSWER_LIMIT} bytes")
    return bytes(text)


def _content(method: str, url: str, response: requests.Response, text: bytes, credentials: Credentials) -> Json | None:
    """Return the JSON object of an answer that is no refusal, or None if it is one of another kind."""
    version = response.headers.get(VERSION_HEADER)
    if version not in {None, API_VERSION}:
        raise ClientError(
            f"devpi {VERSION} got a reply with API-VERSION {version}, acceptable are: {API_VERSION};"
            " install a client as new as the server"
        )
    kind, content = _typed(response, text)
    # A proxy before an index server may speak HTML, but what says 404 or 200 in HTML is no index server.
    if content is None and version is None and (response.ok or response.status_code == HTTPStatus.NOT_FOUND):
        raise NotAnIndexServerError(url, f"it answered {_status_line(response)} with content of type {kind}")
    if not response.ok:
        raise _refused(method, url, response, text, credentials)
    return content


def _typed(response: requests.Response, text: bytes) -> tuple[str, Json | None]:
    kind = response.headers.get("Content-Type", "none").partition(";")[0].strip().lower()
    return kind, _json_object(text) if kind == "application/json" else None


def _refused(method: str, url: str, response: requests.Response, text: bytes, credentials: Credentials) -> RefusedError:
    content = _typed(response, text)[1] or {}
    message = content.get("message")
    # The incumbent's server spreads some messages over several lines.
    reason = " ".join(message.split()) if isinstance(message, str) else ""
    hint = ""
    if response.status_code == HTTPStatus.UNAUTHORIZED and not response.url.endswith("/+login"):
        hint = f"(type 'devpi login {credentials.username or 'USER'}')"
    return RefusedError(method, url, response.status_code, _phrase_of(response), reason, hint, content)


def _redirected(method: str, url: str, response: requests.Response) -> str:
    target = _target(url, response)
    if method != "GET" and response.status_code not in {
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }:
        raise ClientError(
            f"'{url}' has moved to '{target}', nothing was changed: type 'devpi use URL' with the new URL"
        )
    return target


def _target(url: str, response: requests.Response) -> str:
    target = urljoin(url, response.headers["Location"])
    if not _is_same_server(url, target):
        raise ClientError(
            f"'{url}' refers to another server, '{urls.masked(target)}':"
            " nothing was sent there; type 'devpi use URL' with that server's URL if you trust it"
        )
    return target


def _runaround(url: str) -> ClientError:
    return ClientError(f"'{url}' is redirected again and again: the server, or a proxy before it, is misconfigured")


def _is_same_server(url: str, target: str) -> bool:
    """Compare scheme, host and port; the same host by https is as good."""
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
    return f"{response.status_code} {_phrase_of(response)}".strip()


def _phrase_of(response: requests.Response) -> str:
    return response.reason or _phrase(response.status_code)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _base64(username: str, secret: str) -> str:
    return base64.b64encode(f"{username}:{secret}".encode(errors="surrogateescape")).decode()
