"""What a server says about itself and one of its indices, which is what ``devpi use`` remembers."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from wheelgate_client.errors import ClientError, NotAnIndexServerError, RefusedError
from wheelgate_client.server import urls
from wheelgate_client.server.api import Credentials, Reply
from wheelgate_client.session import Session


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """The answer of ``+api``."""

    login: str
    index: str | None
    simpleindex: str | None
    pypisubmit: str | None
    features: list[str]
    username: str | None
    """The user that the server takes us for."""
    rejected: str | None
    """The user whose login was sent, if the server does not accept it any more."""


def ask(session: Session, url: str, basic: tuple[str, str] | None) -> ServerInfo:
    """Ask the server or index at ``url``, with these credentials for HTTP basic authentication if any.

    Raises:
        ClientError: if it is no index server, does not let us in, or wants passwords sent in the clear.
    """
    credentials = session.credentials(url)
    if basic is not None:
        credentials = credentials._replace(basic=basic)
    info = _info(*_answer(session, urls.join(url, "+api"), credentials))
    if url.startswith("https:") and not info.login.startswith("https:"):
        raise ClientError(
            f"'{url}' wants passwords sent unencrypted to '{info.login}': its administrator has to set its outside URL"
        )
    return info


def _answer(session: Session, url: str, credentials: Credentials) -> tuple[Reply, Credentials]:
    try:
        return session.api.get(url, credentials), credentials
    except RefusedError as refused:
        # A server may refuse everything to a login that has expired, even what anybody may read.
        expired = refused.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and credentials.token is not None
        if not expired:
            raise
        told = refused
    try:
        return session.api.get(url, Credentials(basic=credentials.basic)), credentials
    except RefusedError:
        raise told from None  # what the server said to the login is what its user has to know


def _info(reply: Reply, credentials: Credentials) -> ServerInfo:
    result = reply.result("apiconfig")
    login = _url(reply, "login")
    if login is None:
        raise NotAnIndexServerError(reply.url, "it does not say where to log in")
    features = result.get("features")
    username = _authenticated(result.get("authstatus"))
    return ServerInfo(
        login=login,
        index=_url(reply, "index"),
        simpleindex=_url(reply, "simpleindex"),
        pypisubmit=_url(reply, "pypisubmit"),
        features=[name for name in features if isinstance(name, str)] if isinstance(features, list) else [],
        username=username,
        rejected=credentials.username if username is None else None,
    )


def _url(reply: Reply, key: str) -> str | None:
    value = reply.result("apiconfig").get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise NotAnIndexServerError(reply.url, f"its '{key}' is no URL")
    return value


def _authenticated(status: Any) -> str | None:
    if isinstance(status, list) and len(status) > 1 and status[0] == "ok" and isinstance(status[1], str):
        return status[1]
    return None
