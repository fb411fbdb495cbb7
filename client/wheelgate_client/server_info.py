"""The addresses and features of a server and of one of its indices, as its ``+api`` page lists them."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from wheelgate_client.context import ClientContext
from wheelgate_client.errors import ClientError, NotAnIndexServerError, RefusedError
from wheelgate_client.server import urls
from wheelgate_client.server.api import Login
from wheelgate_client.server.responses import ApiResponse


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """The content of ``+api``."""

    login: str
    """The URL to log in at."""
    index: str | None
    simpleindex: str | None
    pypisubmit: str | None
    """The URL to upload to; None for an index that takes no uploads."""
    features: list[str]
    username: str | None
    """The user that the server authenticated; None if it did not."""
    rejected: str | None
    """The user whose login was sent, if the server does not accept it any more."""


def fetch_server_info(context: ClientContext, url: str, basic: tuple[str, str] | None) -> ServerInfo:
    """Ask the server or index at ``url``; ``basic`` replaces the stored login for HTTP basic authentication.

    Raises:
        ClientError: if it is not an index server, refuses the request, or asks for passwords without TLS.
    """
    login = context.credentials.login_for(url)
    if basic is not None:
        login = login._replace(basic=basic)
    info = _server_info(*_get_with_or_without_login(context, urls.join(url, "+api"), login))
    if url.startswith("https:") and not info.login.startswith("https:"):
        raise ClientError(
            f"'{url}' asks clients to send passwords unencrypted to '{info.login}': its administrator has to set its"
            " outside URL"
        )
    return info


def _get_with_or_without_login(context: ClientContext, url: str, login: Login) -> tuple[ApiResponse, Login]:
    try:
        return context.api.get(url, login), login
    except RefusedError as refused:
        # A server may refuse an expired login everything, even pages that anybody may read.
        expired = refused.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and login.token is not None
        if not expired:
            raise
        first_refusal = refused
    try:
        return context.api.get(url, Login(basic=login.basic)), login
    except RefusedError:
        raise first_refusal from None  # users need to see what the server says about their login


def _server_info(response: ApiResponse, login: Login) -> ServerInfo:
    result = response.result("apiconfig")
    login_url = _url(response, "login")
    if login_url is None:
        raise NotAnIndexServerError(response.url, "it does not say where to log in")
    features = result.get("features")
    username = _authenticated_user(result.get("authstatus"))
    return ServerInfo(
        login=login_url,
        index=_url(response, "index"),
        simpleindex=_url(response, "simpleindex"),
        pypisubmit=_url(response, "pypisubmit"),
        features=[name for name in features if isinstance(name, str)] if isinstance(features, list) else [],
        username=username,
        rejected=login.username if username is None else None,
    )


def _url(response: ApiResponse, key: str) -> str | None:
    value = response.result("apiconfig").get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise NotAnIndexServerError(response.url, f"its '{key}' is not a URL")
    return value


def _authenticated_user(status: Any) -> str | None:
    if isinstance(status, list) and len(status) > 1 and status[0] == "ok" and isinstance(status[1], str):
        return status[1]
    return None
