"""Logs in with client certificates that a proxy checks; it sends the subject in a header (``$ssl_client_s_dn``)."""

import re
from typing import Any

from wheelgate import Credentials, Ok, Option, Outcome, RequestInfo, Server, Unknown, User, hookimpl
from wheelgate.errors import NotAuthenticated
from wheelgate.hookspecs import instant
from wheelgate.option_types import network
from wheelgate.providers import Authenticator, CredentialExtractor

NAME = "tiny_mtls"
KIND = "client-cert"


@instant
class Subject(CredentialExtractor):
    """Reads the single common name of the subject; only the listed proxies may send it."""

    name = NAME
    header = "x-client-subject"
    scheme = ""
    ambient = True
    rank = 15

    def __init__(self, server: Server) -> None:
        self._proxies = server.config["tiny-mtls-from"]

    def extract(self, request: RequestInfo) -> Credentials | None:
        subject = request.headers[self.header]
        if not subject or not any(network(request.peer_address).subnet_of(proxy) for proxy in self._same(request)):
            return None
        names = re.findall(r"(?:^|,)CN=([^,+\\]*)", subject)
        if len(names) != 1:
            raise NotAuthenticated("the certificate does not contain one user name")
        return Credentials(KIND, names[0], "", self.name, trusted=True)

    def _same(self, request: RequestInfo) -> list[Any]:
        return [proxy for proxy in self._proxies if proxy.version == network(request.peer_address).version]


@instant
class Certificate(Authenticator):
    """Trusts the name that the proxy sends."""

    name = NAME
    accepts = frozenset({KIND})
    local = False

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        return Ok(credentials.username) if credentials.trusted and credentials.source == NAME else Unknown()


@hookimpl
def wheelgate_options() -> list[Option]:
    return [
        Option("from", "proxy that checks certificates", (), network, metavar="NETWORK", many=True, section="tiny-mtls")
    ]


@hookimpl
def wheelgate_credential_extractors(server: Server) -> list[CredentialExtractor]:
    return [Subject(server)]


@hookimpl
def wheelgate_authenticators(server: Server) -> list[Authenticator]:
    return [Certificate()]
