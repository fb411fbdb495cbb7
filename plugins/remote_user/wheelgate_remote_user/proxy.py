"""Reads a proxy's header only from the proxy's own connections, and trusts only a header read here."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence

from wheelgate import Credentials, Ok, Outcome, RequestInfo, Unknown, User
from wheelgate.errors import NotAuthenticated
from wheelgate.hookspecs import instant
from wheelgate.providers import Authenticator, CredentialExtractor
from wheelgate.values import MAX_NAME_CHARS

PROVIDER_NAME = "remote_user"
CREDENTIALS_KIND = "remote-user"

log = logging.getLogger("wheelgate.remote_user")


@instant
class ProxyHeader(CredentialExtractor):
    """Reads the header in which a proxy sends the user's name.

    A login of the ``devpi`` command goes before it, because people type it on purpose. ``Authorization`` comes after
    it, because a proxy that asked for a password itself passes that on.
    """

    name = PROVIDER_NAME
    scheme = ""
    ambient = True
    rank = 15

    def __init__(self, proxies: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network], header: str) -> None:
        self.header = header
        self._proxies = proxies
        self._warned = False

    def extract(self, request: RequestInfo) -> Credentials | None:
        """Return the name, or None if the header is empty or does not come from a proxy.

        Raises:
            NotAuthenticated: the header contains several names, or an impossible one.
        """
        value = request.headers[self.header].strip()
        if not value:
            return None
        if not self._is_proxy(request.peer_address):
            if not self._warned:
                self._warned = True
                log.warning(
                    "'%s' from %s ignored: --remote-user-from does not list it", self.header, request.peer_address
                )
            return None
        name = decode_header(value)
        if name is None or not name.isprintable() or set(name) & set(", :/"):
            raise NotAuthenticated(f"the proxy's header '{self.header}' does not contain one user name")
        return Credentials(CREDENTIALS_KIND, name, "", self.name, trusted=True)

    def _is_proxy(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        # A socket for both IPv4 and IPv6 reports 10.0.0.1 as ::ffff:10.0.0.1 (RFC 4291, section 2.5.5.2).
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        return any((mapped or found) in network for network in self._proxies)


@instant
class RemoteUserAuthenticator(Authenticator):
    """Accepts the credentials that :class:`ProxyHeader` made, and no others."""

    name = PROVIDER_NAME
    accepts = frozenset({CREDENTIALS_KIND})
    local = False

    def __init__(self, groups_header: str | None) -> None:
        self._groups_header = groups_header

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Accept the name from the header."""
        if (credentials.kind, credentials.source, credentials.trusted) != (CREDENTIALS_KIND, PROVIDER_NAME, True):
            return Unknown()
        return Ok(credentials.username, self._groups(request))

    def _groups(self, request: RequestInfo) -> frozenset[str] | None:
        """Return the groups that the proxy lists, without impossible names."""
        if self._groups_header is None:
            return None
        listed = decode_header(request.headers.get(self._groups_header, "")) or ""
        names = {name.strip() for name in listed.split(",")}
        return frozenset(
            name for name in names if 1 <= len(name) <= MAX_NAME_CHARS and name.isprintable() and ":" not in name
        )


def decode_header(value: str) -> str | None:
    """Read a header as UTF-8, which proxies send, from Latin-1 (RFC 9110, section 5.5); None if it is not UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return None
