"""Logs in with access tokens of an identity provider, which tells whose they are (OpenID Connect Core, 5.3)."""

import base64
import json
import re

import requests

from wheelgate import Credentials, Ok, Option, Outcome, Reject, RequestInfo, Server, Unavailable, User, hookimpl
from wheelgate.errors import NotAuthenticated
from wheelgate.hookspecs import instant
from wheelgate.option_types import http_url
from wheelgate.providers import Authenticator, CredentialExtractor

NAME = "tiny_oidc"


@instant
class Bearer(CredentialExtractor):
    """Reads ``Authorization: Bearer`` with a JWT; the authenticator asks the provider whether its name is true."""

    name = NAME
    header = "authorization"
    scheme = "Bearer"
    ambient = False
    rank = 30

    def extract(self, request: RequestInfo) -> Credentials | None:
        scheme, _, token = request.headers["authorization"].partition(" ")
        if scheme.lower() != "bearer" or token.count(".") != 2:
            return None
        try:
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
            return Credentials("bearer", str(claims["preferred_username"]), token, self.name)
        except (ValueError, KeyError, TypeError):
            raise NotAuthenticated("the bearer token contains no user name") from None


class Provider(Authenticator):
    """Asks the provider's userinfo endpoint."""

    name = NAME
    accepts = frozenset({"bearer"})
    local = False

    def __init__(self, server: Server, url: str) -> None:
        self._url = url
        self._session = server.outgoing.session()

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        if not re.fullmatch(r"[!-~]{1,4096}", credentials.secret):
            return Reject("this is not an access token")
        try:
            answer = self._session.get(
                self._url, headers={"Authorization": f"Bearer {credentials.secret}"}, timeout=4, allow_redirects=False
            )
        except requests.RequestException as error:
            return Unavailable(type(error).__name__)
        if answer.status_code in (400, 401, 403):
            return Reject("the provider does not know this token")
        if answer.status_code != 200:
            return Unavailable(f"the provider answers {answer.status_code}")
        said = answer.json()
        if said.get("preferred_username") != credentials.username:
            return Reject("the token belongs to another user")
        return Ok(credentials.username, frozenset(map(str, said.get("groups", ()))), said.get("email"))


@hookimpl
def wheelgate_options() -> list[Option]:
    return [
        Option("userinfo", "address of the provider's userinfo endpoint", None, http_url, "URL", section="tiny-oidc")
    ]


@hookimpl
def wheelgate_credential_extractors(server: Server) -> list[CredentialExtractor]:
    return [Bearer()] if server.config["tiny-oidc-userinfo"] else []


@hookimpl
def wheelgate_authenticators(server: Server) -> list[Authenticator]:
    url = server.config["tiny-oidc-userinfo"]
    return [Provider(server, url)] if url else []
