"""A third-party replacement for each bundled plugin, as small as the contract allows."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from wheelgate import (
    Allow,
    Credentials,
    Deny,
    Index,
    Ok,
    Outcome,
    Principal,
    Reject,
    RequestInfo,
    Restriction,
    Server,
    Token,
    Unknown,
    User,
    hookimpl,
)
from wheelgate.errors import Conflict
from wheelgate.fields import Field, IndexType, parse_list, parse_text
from wheelgate.providers import Authenticator, CredentialExtractor, GroupSource, PasswordHasher, TokenHandler

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Mirrored(CredentialExtractor, Authenticator, PasswordHasher):
    """Replaces ``auth_basic``: stores passwords backwards."""

    name = "mirrored"
    header = "x-devpi-auth"
    scheme = "Mirrored"
    ambient = False
    accepts = frozenset({"password"})
    local = True

    def extract(self, request: RequestInfo) -> Credentials | None:
        """Read the header of the ``devpi`` command."""
        name, _, secret = base64.b64decode(request.headers[self.header]).decode().partition(":")
        return Credentials("password", name, secret, self.name)

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Compare the reversed password with the stored one."""
        stored = self.server.users.password_hash(credentials.username)
        return Ok(credentials.username) if stored == credentials.secret[::-1] else Unknown()

    def hash(self, password: str) -> str:
        """Reverse the password."""
        return password[::-1]

    @hookimpl
    def wheelgate_credential_extractors(self) -> Iterable[CredentialExtractor]:
        """Provide this object."""
        return [self]

    @hookimpl
    def wheelgate_authenticators(self, server: Server) -> Iterable[Authenticator]:
        """Provide this object."""
        self.server = server
        return [self]

    @hookimpl
    def wheelgate_password_hasher(self) -> PasswordHasher:
        """Provide this object."""
        return self


class OneGroup(GroupSource):
    """Replaces ``groups``: every user is in one group."""

    name = "one"

    def groups(self, username: str) -> frozenset[str]:
        """Return the group."""
        return frozenset({"everybody"})

    @hookimpl
    def wheelgate_group_sources(self) -> Iterable[GroupSource]:
        """Provide this object."""
        return [self]


class Whispered(TokenHandler):
    """Replaces ``tokens``: there is one token, which belongs to root."""

    name = "whispered"
    prefix = "psst_"
    local = True

    def verify(self, secret: str) -> Token | Reject:
        """Compare the token."""
        if secret != "psst_sesame":
            return Reject("louder")
        root = self.server.users.get("root")
        assert root is not None
        return Token("1", "root", root.stamp, 2**40, Restriction(frozenset({"index_read"})))

    @hookimpl
    def wheelgate_token_handlers(self, server: Server) -> Iterable[TokenHandler]:
        """Provide this object."""
        self.server = server
        return [self]


class Odd:
    """Replaces ``restrict_modify``: no one may create a thing whose name has an odd number of characters."""

    @hookimpl
    def wheelgate_check_permission(self, principal: Principal, permission: str, resource: Any) -> Allow | Deny | None:
        """Deny creation if the name has an odd length."""
        return Deny("it is odd") if permission.endswith("create") and len(resource.name) % 2 else None


class Titled:
    """Replaces ``stage`` or ``mirror``: an index type with a title and bases."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    @hookimpl
    def wheelgate_index_types(self) -> Iterable[IndexType]:
        """Provide the type."""
        fields = (
            Field("title", parse_text("title"), default=lambda owner: f"{owner}'s"),
            Field("bases", parse_list, many=True, refers_to="indices"),
        )
        return [IndexType(self._kind, fields, takes_uploads=True)]


class MemoryUsers:
    """Users in a dictionary, with their password hashes."""

    name = "memory"
    instant = True
    capabilities = frozenset({"create", "modify", "delete", "passwords"})

    def __init__(self) -> None:
        self._stored: dict[str, tuple[User, str | None]] = {}

    def get(self, name: str) -> User | None:
        """Return a user; None if there is none."""
        return self._stored[name][0] if name in self._stored else None

    def list(self) -> Sequence[User]:
        """Return all users."""
        return [user for _, (user, _) in sorted(self._stored.items())]

    def lookalike(self, name: str) -> str | None:
        """Return a name that looks like the given one."""
        return next((other for other in self._stored if other.casefold() == name.casefold()), None)

    def create(self, user: User, password_hash: str | None) -> None:
        """Add a user."""
        if self.lookalike(user.name):
            raise Conflict("user already exists")
        self._stored[user.name] = (user, password_hash)

    def modify(self, user: User, changes: Mapping[str, Any]) -> User:
        """Change a user."""
        changed = replace(self._stored[user.name][0], **changes)
        self._stored[user.name] = (changed, self._stored[user.name][1])
        return changed

    def delete(self, user: User) -> None:
        """Remove a user."""
        del self._stored[user.name]

    def password_hash(self, name: str) -> str | None:
        """Return the password hash of a user."""
        return self._stored[name][1] if name in self._stored else None

    def set_password_hash(self, user: User, password_hash: str | None, stamp: str) -> User:
        """Replace the password hash of a user."""
        changed = replace(self._stored[user.name][0], stamp=stamp)
        self._stored[user.name] = (changed, password_hash)
        return changed

    def rehash(self, name: str, old: str, new: str) -> None:
        """Replace the hash of an unchanged password."""
        self._stored[name] = (self._stored[name][0], new)


class MemoryIndices:
    """Indices in a dictionary."""

    name = "memory"
    instant = True

    def __init__(self) -> None:
        self._stored: dict[tuple[str, str], Index] = {}

    def get(self, owner: str, name: str) -> Index | None:
        """Return an index; None if there is none."""
        return self._stored.get((owner, name))

    def list(self, owner: str | None = None) -> Sequence[Index]:
        """Return all indices, or those of an owner."""
        return [index for _, index in sorted(self._stored.items()) if owner in (None, index.owner)]

    def any_has(self, key: str) -> bool:
        """Return whether the configuration of any index has a key."""
        return any(key in index.config for index in self.list())

    def lookalike(self, owner: str, name: str) -> str | None:
        """Return a name that looks like the given one."""
        return next((index.name for index in self.list(owner) if index.name.casefold() == name.casefold()), None)

    def create(self, index: Index) -> None:
        """Add an index."""
        self._stored[index.owner, index.name] = index

    def modify(self, index: Index, config: Mapping[str, Any]) -> Index:
        """Replace the configuration."""
        self._stored[index.owner, index.name] = replace(index, config=dict(config))
        return self._stored[index.owner, index.name]

    def delete(self, index: Index) -> None:
        """Remove an index."""
        del self._stored[index.owner, index.name]


class Memory:
    """Replaces ``sql_store``: everything is lost when the server stops."""

    def __init__(self) -> None:
        self._users = MemoryUsers()
        self._users.create(User("root", "stamp", created=NOON), "")
        self._indices = MemoryIndices()

    @hookimpl
    def wheelgate_user_store(self) -> MemoryUsers:
        """Provide the user store."""
        return self._users

    @hookimpl
    def wheelgate_index_store(self) -> MemoryIndices:
        """Provide the index store."""
        return self._indices
