"""The header of a proxy: found only where the connection comes from it, and believed only if found here."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence

from wheelgate import Credentials, Ok, Outcome, RequestInfo, Unknown, User
from wheelgate.errors import NotAuthenticated
from wheelgate.hookspecs import instant
from wheelgate.providers import Authenticator, CredentialExtractor
from wheelgate.values import MAX_NAME_CHARS

NAME = "remote_user"
KIND = "remote-user"

log = logging.getLogger("wheelgate.remote_user")


@instant
class ProxyHeader(CredentialExtractor):
    """Reads the header in which a proxy names the user.

    A login of ``devpi``, which people type on purpose, goes before it; the password that a proxy asked for itself,
    and that it passes on as ``Authorization``, comes after it.
    """

    name = NAME
    scheme = ""
    ambient = True
    rank = 15

    def __init__(self, proxies: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network], header: str) -> None:
        self.header = header
        self._proxies = proxies
        self._warned = False

    def extract(self, request: RequestInfo) -> Credentials | None:
        """Return the name, or None if it is empty, or does not come from a proxy.

        Raises:
            NotAuthenticated: there are several names, or none that a user could have.
        """
        value = request.headers[self.header].strip()
        if not value:
            return None
        if not self._is_proxy(request.peer_address):
            if not self._warned:
                self._warned = True
                log.warning(
                    "'%s' from %s ignored: --remote-user-from does not name it", self.header, request.peer_address
                )
            return None
        name = decoded(value)
        if name is None or not name.isprintable() or set(name) & set(", :/"):
            raise NotAuthenticated(f"the proxy's header '{self.header}' does not hold one user name")
        return Credentials(KIND, name, "", self.name, trusted=True)

    def _is_proxy(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        # A socket that takes IPv4 and IPv6 shows 10.0.0.1 as ::ffff:10.0.0.1 (RFC 4291, section 2.5.5.2).
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        return any((mapped or found) in network for network in self._proxies)


@instant
class RemoteUser(Authenticator):
    """Takes the proxy's word, and nothing that anybody could type."""

    name = NAME
    accepts = frozenset({KIND})
    local = False

    def __init__(self, groups_header: str | None) -> None:
        self._groups_header = groups_header

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Say yes to the name that the header held."""
        if (credentials.kind, credentials.source, credentials.trusted) != (KIND, NAME, True):
            return Unknown()
        return Ok(credentials.username, self._groups(request))

    def _groups(self, request: RequestInfo) -> frozenset[str] | None:
        """Return the groups that the proxy lists; what could be no group's name is left out."""
        if self._groups_header is None:
            return None
        listed = decoded(request.headers.get(self._groups_header, "")) or ""
        names = {name.strip() for name in listed.split(",")}
        return frozenset(
            name for name in names if 1 <= len(name) <= MAX_NAME_CHARS and name.isprintable() and ":" not in name
        )


def decoded(value: str) -> str | None:
    """Read a header as UTF-8, which proxies write; it arrives as Latin-1 (RFC 9110, section 5.5). None if it is not."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return None
