"""Logs in with the passwords of a login service that speaks HTTP."""

import json
from typing import Any
from urllib.parse import quote

import requests

from wheelgate import Credentials, Ok, Option, Outcome, Reject, RequestInfo, Server, Unknown, User, hookimpl
from wheelgate.errors import BackendUnavailable, Refusal
from wheelgate.option_types import http_url
from wheelgate.providers import Authenticator, GroupSource, UserDirectory

TIMEOUT_SECONDS = (2.0, 2.5)
"""For the connection, and for each wait for a byte: together less than the five seconds that the server waits."""
MAX_ANSWER_BYTES = 100_000


class LoginService(Authenticator, UserDirectory, GroupSource):
    """Asks the service. It keeps nothing about a login, because several threads call it at once."""

    name = "login_service"
    accepts = frozenset({"password"})

    def __init__(self, server: Server, url: str) -> None:
        self._url = url
        self._outgoing = server.outgoing
        self._session = server.outgoing.session()  # threads may share it

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        if not credentials.secret:
            return Reject("without a password")
        status, answer = self._ask("POST", "/login", {"user": credentials.username, "password": credentials.secret})
        if status == 404:
            return Unknown()
        if status == 401:
            return Reject("this is not the password that the service has")
        # The service takes GRACE for grace. Its own spelling is the user.
        return Ok(answer["user"], email=answer.get("email"))

    def exists(self, username: str) -> bool:
        status, answer = self._ask("GET", f"/people/{quote(username, safe='')}")
        return status == 200 and answer["user"] == username

    def groups(self, username: str) -> frozenset[str]:
        status, answer = self._ask("GET", f"/people/{quote(username, safe='')}")
        return frozenset(answer["groups"]) if status == 200 and answer["user"] == username else frozenset()

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        """Return status and body; raise ``BackendUnavailable`` if the service does not say yes or no."""
        try:
            # A redirect would carry the password elsewhere.
            with self._session.request(
                method, self._url + path, json=body, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
            ) as answer:
                content = b""
                for piece in answer.iter_content(10_000):
                    content += piece
                    if len(content) > MAX_ANSWER_BYTES:
                        raise BackendUnavailable("its answer is too long")
        except (requests.RequestException, Refusal) as error:
            raise BackendUnavailable(self._outgoing.refusal(error, self._url).message) from None
        if answer.status_code not in (200, 401, 404):
            raise BackendUnavailable(f"it answers {answer.status_code}")
        return answer.status_code, json.loads(content) if answer.status_code == 200 else {}


@hookimpl
def wheelgate_options() -> list[Option]:
    return [Option("url", "address of the login service", None, http_url, "URL", section="login-service")]


@hookimpl
def wheelgate_authenticators(server: Server) -> list[LoginService]:
    return services(server)


@hookimpl
def wheelgate_group_sources(server: Server) -> list[LoginService]:
    return services(server)


def services(server: Server) -> list[LoginService]:
    url = server.config["login-service-url"]
    return [LoginService(server, url)] if url else []
