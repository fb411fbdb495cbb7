"""The authenticator and group source ``ldap``."""

from __future__ import annotations

import secrets
import unicodedata

from wheelgate import Credentials, Ok, Outcome, Reject, RequestInfo, Unknown, User
from wheelgate.providers import Authenticator, GroupSource, UserDirectory
from wheelgate_auth_ldap.connections import Connections, Entry, Refused
from wheelgate_auth_ldap.directory import Directory
from wheelgate_auth_ldap.options import Settings


class Ldap(Authenticator, UserDirectory, GroupSource):
    """Judges passwords by binding with them, and knows groups and who is gone."""

    name = "ldap"
    accepts = frozenset({"password"})
    local = False
    rank = 200
    """After the bundled one, whose look at an unknown name takes as long as at a known one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connections = Connections(settings)
        self._directory = Directory(settings, self._connections)

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Find the user's entry and bind with the password."""
        name = credentials.username
        secret = unicodedata.normalize("NFC", credentials.secret)
        if not name.isprintable():
            return Unknown()
        try:
            password = secret.encode()
        except UnicodeEncodeError:
            return Reject("the password is no text")
        # Without a password the directory would say yes to everybody (RFC 4513, section 5.1.2).
        if not password:
            return Reject("without a password")
        entry = self._directory.find(name)
        try:
            # Who is not there takes as long as who is: one search and one bind.
            good = self._connections.bind(entry.dn if entry else self._nobody(), password if entry else _unguessable())
        except Refused as refused:
            return Reject(str(refused)) if entry else Unknown()
        if entry is None:
            return Unknown()
        if not good:
            return Reject("wrong password")
        if not self._let_in(name, entry):
            return Reject("not in a required group")
        return Ok(
            name,
            email=entry.first(self._settings.email_attribute),
            title=entry.first(self._settings.title_attribute),
        )

    def groups(self, username: str) -> frozenset[str]:
        """Return the groups of a user."""
        entry = self._directory.find(username)
        return self._directory.groups(username, entry) if entry else frozenset()

    def exists(self, username: str) -> bool:
        """Whether the user is still there, and still in a required group."""
        entry = self._directory.find(username)
        return entry is not None and self._let_in(username, entry)

    def _let_in(self, username: str, entry: Entry) -> bool:
        required = self._settings.required_group
        return not required or not self._directory.groups(username, entry).isdisjoint(required)

    def _nobody(self) -> str:
        name = secrets.token_hex(8)
        if self._settings.user_dn is not None:
            return self._settings.user_dn.replace("{username}", name)
        return f"{self._settings.name_attribute}={name},{self._settings.user_base}"


def _unguessable() -> bytes:
    return secrets.token_hex(16).encode()
