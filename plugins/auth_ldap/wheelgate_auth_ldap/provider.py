"""The authenticator and group source ``ldap``."""

from __future__ import annotations

import logging
import secrets
import unicodedata

from wheelgate import Credentials, Ok, Outcome, Reject, RequestInfo, SecretCheck, Unknown, User
from wheelgate.names import is_spelling
from wheelgate.providers import Authenticator, GroupSource, UserDirectory
from wheelgate_auth_ldap.account_state import was_locked
from wheelgate_auth_ldap.answers import WRONG, BindAnswer
from wheelgate_auth_ldap.connections import Connections
from wheelgate_auth_ldap.directory import Directory
from wheelgate_auth_ldap.entries import DirectoryEntry
from wheelgate_auth_ldap.options import LdapSettings

log = logging.getLogger("wheelgate.auth_ldap")


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
        entry = self._directory.find_entry(name)
        # An unknown user takes as long as a known one: one search and one bind.
        answer = self._connections.bind(
            entry.dn if entry else self._random_dn(), password if entry else _random_password()
        )
        if entry is None:
            return Unknown()
        spelling = self._directory.spelling(entry, name)
        if spelling is not None and is_spelling(spelling, name):
            return self._outcome(spelling, entry, answer)
        # Directories ignore more than this server does, such as spaces around a name. Only those who know the password
        # learn that there is such a name.
        if spelling is None or answer.secret is not SecretCheck.RIGHT:
            return Unknown()
        return Reject(f"the directory spells this name {spelling!a}; log in with that name", secret=SecretCheck.RIGHT)

    def groups(self, username: str) -> frozenset[str]:
        """Return the groups of a user; none for a disabled account."""
        entry = self._usable_entry(username)
        return self._directory.groups_of(username, entry) if entry else frozenset()

    def exists(self, username: str) -> bool:
        """Whether the user is still in the directory, may use the account, and is still in a required group."""
        entry = self._usable_entry(username)
        return entry is not None and self._in_required_group(username, entry)

    def _outcome(self, name: str, entry: DirectoryEntry, answer: BindAnswer) -> Outcome:
        """Return the outcome of a login, from the directory's answer and the state of the account."""
        if answer == WRONG:
            if hidden := self._directory.hidden_problem(entry):
                return Reject(hidden, secret=SecretCheck.UNVERIFIED)
            locked = ", or the account is locked after wrong passwords" if was_locked(entry) else ""
            return Reject(f"wrong password{locked}")
        if answer.secret is SecretCheck.WRONG:
            return Reject(str(answer.problem))
        problem = self._directory.problem(entry) or answer.problem
        if problem is None and not self._in_required_group(name, entry):
            problem = "the user is in no required group"
        if problem is not None:
            return Reject(problem, secret=answer.secret)
        return Ok(
            name,
            email=entry.first(self._settings.email_attribute),
            title=entry.first(self._settings.title_attribute),
        )

    def _usable_entry(self, username: str) -> DirectoryEntry | None:
        """Return the entry of a user with exactly this name, if the account may be used."""
        entry = self._directory.find_entry(username)
        if entry is None or self._directory.spelling(entry, username) != username:
            return None
        problem = self._directory.problem(entry)
        if problem is not None:
            log.info("user '%s' may not use this server now: %s", username, problem)
            return None
        return entry

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
