"""The authenticator and group source ``ldap``."""

from __future__ import annotations

import secrets
import unicodedata

from wheelgate import Credentials, Ok, Outcome, Reject, RequestInfo, Unknown, User
from wheelgate.providers import Authenticator, GroupSource, UserDirectory
from wheelgate_auth_ldap.connections import Connections, DirectoryEntry, DirectoryRefusal
from wheelgate_auth_ldap.directory import Directory
from wheelgate_auth_ldap.options import LdapSettings


class LdapProvider(Authenticator, UserDirectory, GroupSource):
    """Verifies passwords by binding with them, reports groups, and says whether users still exist."""

    name = "ldap"
    accepts = frozenset({"password"})
    local = False
    rank = 200
    """After the bundled password login, which takes as long for an unknown name as for a known one."""

    def __init__(self, settings: LdapSettings) -> None:
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
            return Reject("the password is not valid text")
        # Directories accept every bind without a password, as an anonymous one (RFC 4513, section 5.1.2).
        if not password:
            return Reject("without a password")
        entry = self._directory.find_user(name)
        try:
            # An unknown user takes as long as a known one: one search and one bind.
            correct = self._connections.bind(
                entry.dn if entry else self._random_dn(), password if entry else _random_password()
            )
        except DirectoryRefusal as refusal:
            return Reject(str(refusal)) if entry else Unknown()
        if entry is None:
            return Unknown()
        if not correct:
            return Reject("wrong password")
        if not self._in_required_group(name, entry):
            return Reject("not in a required group")
        return Ok(
            name,
            email=entry.first(self._settings.email_attribute),
            title=entry.first(self._settings.title_attribute),
        )

    def groups(self, username: str) -> frozenset[str]:
        """Return the groups of a user."""
        entry = self._directory.find_user(username)
        return self._directory.groups_of(username, entry) if entry else frozenset()

    def exists(self, username: str) -> bool:
        """Whether the user is still in the directory, and still in a required group."""
        entry = self._directory.find_user(username)
        return entry is not None and self._in_required_group(username, entry)

    def _in_required_group(self, username: str, entry: DirectoryEntry) -> bool:
        required = self._settings.required_group
        return not required or not self._directory.groups_of(username, entry).isdisjoint(required)

    def _random_dn(self) -> str:
        name = secrets.token_hex(8)
        if self._settings.user_dn is not None:
            return self._settings.user_dn.replace("{username}", name)
        return f"{self._settings.name_attribute}={name},{self._settings.user_base}"


def _random_password() -> bytes:
    return secrets.token_hex(16).encode()
