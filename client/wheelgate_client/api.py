"""One request to an index server, its answer, and what may be wrong with it."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urljoin

import requests

from wheelgate_client import VERSION, urls
from wheelgate_client.errors import ClientError, NotAnIndexServerError, RefusedError, UnreachableError

API_VERSION = "2"
VERSION_HEADER = "X-DEVPI-API-VERSION"
CONNECT_SECONDS = 10
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
        self._timeout = (min(CONNECT_SECONDS, seconds), seconds)
        self._warn = warn
        self._log = log
        self._warned = False
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
        for _ in range(REDIRECT_LIMIT):
            response, text = self._exchange(method, url, data, sender)
            self._log(f"{method} {url}: {_status_line(response)}")
            if not response.is_redirect:
                reply = _reply(method, url, response, text, sender)
                self._check_version(reply)
                return reply
            url = _redirected(method, url, response)
        raise ClientError(f"'{url}' is redirected again and again: the server, or a proxy before it, is misconfigured")

    def _exchange(
        self, method: str, url: str, data: bytes | None, credentials: Credentials
    ) -> tuple[requests.Response, bytes]:
        try:
            with self._http.request(
                method,
                url,
                data=data,
                headers=credentials.headers(),
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                text = bytearray()
                for chunk in response.iter_content(65536):
                    text += chunk
                    if len(text) > ANSWER_LIMIT:
                        raise UnreachableError(url, f"the answer is longer than {ANSWER_LIMIT} bytes")
                return response, bytes(text)
        except requests.ConnectTimeout:
            raise UnreachableError(url, f"no connection within {self._timeout[0]:g} seconds") from None
        except requests.Timeout:
            raise UnreachableError(url, f"no answer within {self._timeout[1]:g} seconds") from None
        except requests.exceptions.ProxyError as error:
            raise UnreachableError(url, f"through the proxy: {_innermost(error)}") from None
        except (requests.RequestException, ValueError) as error:
            # ValueError: neither requests nor urllib3 wraps what the standard library finds wrong with an address.
            raise UnreachableError(url, _innermost(error)) from None

    def _check_version(self, reply: Reply) -> None:
        if VERSION_HEADER not in reply.headers and not self._warned:
            self._warned = True
            self._warn(f"warning: '{reply.url}' does not say which version of the API it speaks")


def _reply(method: str, url: str, response: requests.Response, text: bytes, credentials: Credentials) -> Reply:
    version = response.headers.get(VERSION_HEADER)
    if version not in {None, API_VERSION}:
        raise ClientError(
            f"devpi {VERSION} got a reply with API-VERSION {version}, acceptable are: {API_VERSION};"
            " install a client as new as the server"
        )
    kind = response.headers.get("Content-Type", "none").partition(";")[0].strip().lower()
    content = _json_object(text) if kind == "application/json" else None
    # A proxy before an index server may speak HTML, but what says 404 or 200 in HTML is no index server.
    if content is None and version is None and (response.ok or response.status_code == HTTPStatus.NOT_FOUND):
        raise NotAnIndexServerError(url, f"it answered {_status_line(response)} with content of type {kind}")
    if not response.ok:
        raise RefusedError(method, url, response.status_code, _refusal(response, content or {}, credentials))
    if content is None:
        raise NotAnIndexServerError(url, "it answered without a JSON object")
    return Reply(url, response.headers, content)


def _refusal(response: requests.Response, content: Json, credentials: Credentials) -> str:
    message = content.get("message")
    # The incumbent's server spreads some messages over several lines.
    reason = " ".join(message.split()) if isinstance(message, str) else ""
    answer = _status_line(response) + (f": {reason}" if reason else "")
    if response.status_code == HTTPStatus.UNAUTHORIZED and not response.url.endswith("/+login"):
        answer += f" (type 'devpi login {credentials.username or 'USER'}')"
    return answer


def _redirected(method: str, url: str, response: requests.Response) -> str:
    target = urljoin(url, response.headers["Location"])
    if not _is_same_server(url, target):
        raise ClientError(
            f"'{url}' refers to another server, '{urls.masked(target)}':"
            " nothing was sent there; type 'devpi use URL' with that server's URL if you trust it"
        )
    if method != "GET" and response.status_code not in {
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }:
        raise ClientError(
            f"'{url}' has moved to '{target}', nothing was changed: type 'devpi use URL' with the new URL"
        )
    return target


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
    reason = response.reason
    if not reason:
        try:
            reason = HTTPStatus(response.status_code).phrase
        except ValueError:
            reason = ""
    return f"{response.status_code} {reason}".strip()


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


def _base64(username: str, secret: str) -> str:
    return base64.b64encode(f"{username}:{secret}".encode(errors="surrogateescape")).decode()
