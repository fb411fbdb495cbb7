"""Checks the responses of an index server: their version, type and status."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

import requests

from wheelgate_client import VERSION
from wheelgate_client.errors import ClientError, NotAnIndexServerError, RefusedError
from wheelgate_client.server.refusal_hints import proxy_hint, refusal_hint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.server.json_values import JsonObject

API_VERSION = "2"
VERSION_HEADER = "X-DEVPI-API-VERSION"
OUTCOME_HEADER = "X-Wheelgate-Upload"


class UploadResult(NamedTuple):
    """The answer of the server to an upload that it has accepted."""

    remark: str
    """The reason phrase, if it says more than the standard one."""
    outcome: str
    """``uploaded``, ``replaced`` or ``kept``; empty if the server does not say it, like the incumbent's."""


class LoginToken(NamedTuple):
    """The token that the server gives for a password, and how long it is valid."""

    token: str
    lifetime_seconds: float
    username: str | None = None
    """The user's name, if the server spells it otherwise than the client did."""


class ApiResponse(NamedTuple):
    """A successful response."""

    url: str
    headers: Mapping[str, str]
    content: JsonObject

    def result(self, kind: str) -> JsonObject:
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
        name = result.get("user")
        usable = isinstance(name, str) and name.isprintable() and name != "" and ":" not in name
        return LoginToken(token, lifetime, name if usable else None)


def checked_content(
    method: str, url: str, response: requests.Response, text: bytes, login_hint: str
) -> JsonObject | None:
    """Return the JSON object of a successful response, or None if it has another type of content.

    Raises:
        ClientError: if the server refuses the request, uses another version of the protocol, or is not an index server.
    """
    version = response.headers.get(VERSION_HEADER)
    if version not in {None, API_VERSION}:
        raise ClientError(
            f"devpi {VERSION} got a reply with API-VERSION {version}, acceptable are: {API_VERSION};"
            " install a client as new as the server"
        )
    kind, content = _media_type_and_json(response, text)
    # A proxy before an index server may send HTML, but a 200 or 404 in HTML does not come from an index server.
    if content is None and version is None and (response.ok or response.status_code == HTTPStatus.NOT_FOUND):
        raise NotAnIndexServerError(url, f"it sent {status_line(response)} with content of type {kind}")
    if not response.ok:
        raise refused_error(method, url, response, text, login_hint)
    return content


def _media_type_and_json(response: requests.Response, text: bytes) -> tuple[str, JsonObject | None]:
    kind = response.headers.get("Content-Type", "none").partition(";")[0].strip().lower()
    return kind, _json_object(text) if kind == "application/json" else None


def refused_error(method: str, url: str, response: requests.Response, text: bytes, login_hint: str) -> RefusedError:
    """Return the error for a response with a status of 400 or more; ``login_hint`` is what to do for a 401."""
    _, body = _media_type_and_json(response, text)
    content = body or {}
    message = content.get("message")
    # The incumbent's server spreads some messages over several lines.
    reason = " ".join(message.split()) if isinstance(message, str) else ""
    if body is None and VERSION_HEADER not in response.headers:
        hint = proxy_hint(response, text)
    else:
        hint = refusal_hint(response, reason, login_hint)
    shown_hint = f"({hint})" if hint else ""
    return RefusedError(method, url, response.status_code, _reason_phrase(response), reason, shown_hint, content)


def _json_object(text: bytes) -> JsonObject | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def status_line(response: requests.Response) -> str:
    """Return the status with its reason phrase."""
    return f"{response.status_code} {_reason_phrase(response)}".strip()


def _reason_phrase(response: requests.Response) -> str:
    return response.reason or _standard_phrase(response.status_code)


def special_reason(response: requests.Response) -> str:
    """Return the reason phrase if the server sends another one than the standard one, or else an empty text."""
    return "" if response.reason in {None, _standard_phrase(response.status_code)} else str(response.reason)


def _standard_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
