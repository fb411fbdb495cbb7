"""A stranger's plugin in place of each bundled one: as small as the contract lets it be."""

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
    """In place of ``auth_basic``: passwords are kept backwards."""

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
        """Compare."""
        stored = self.server.users.password_hash(credentials.username)
        return Ok(credentials.username) if stored == credentials.secret[::-1] else Unknown()

    def hash(self, password: str) -> str:
        """Turn around."""
        return password[::-1]

    @hookimpl
    def wheelgate_credential_extractors(self) -> Iterable[CredentialExtractor]:
        """Bring itself."""
        return [self]

    @hookimpl
    def wheelgate_authenticators(self, server: Server) -> Iterable[Authenticator]:
        """Bring itself."""
        self.server = server
        return [self]

    @hookimpl
    def wheelgate_password_hasher(self) -> PasswordHasher:
        """Bring itself."""
        return self


class OneGroup(GroupSource):
    """In place of ``groups``: everybody is in one."""

    name = "one"

    def groups(self, username: str) -> frozenset[str]:
        """Name it."""
        return frozenset({"everybody"})

    @hookimpl
    def wheelgate_group_sources(self) -> Iterable[GroupSource]:
        """Bring itself."""
        return [self]


class Whispered(TokenHandler):
    """In place of ``tokens``: there is one token, and it is root's."""

    name = "whispered"
    prefix = "psst_"
    local = True

    def verify(self, secret: str) -> Token | Reject:
        """Listen."""
        if secret != "psst_sesame":
            return Reject("louder")
        root = self.server.users.get("root")
        assert root is not None
        return Token("1", "root", root.stamp, 2**40, Restriction(frozenset({"index_read"})))

    @hookimpl
    def wheelgate_token_handlers(self, server: Server) -> Iterable[TokenHandler]:
        """Bring itself."""
        self.server = server
        return [self]


class Odd:
    """In place of ``restrict_modify``: nobody may create what has an odd number of letters."""

    @hookimpl
    def wheelgate_check_permission(self, principal: Principal, permission: str, resource: Any) -> Allow | Deny | None:
        """Count."""
        return Deny("it is odd") if permission.endswith("create") and len(resource.name) % 2 else None


class Titled:
    """In place of ``stage`` or ``mirror``: a type of index with a title and bases."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    @hookimpl
    def wheelgate_index_types(self) -> Iterable[IndexType]:
        """Bring the type."""
        fields = (
            Field("title", parse_text("title"), default=lambda owner: f"{owner}'s"),
            Field("bases", parse_list, many=True, refers_to="indices"),
        )
        return [IndexType(self._kind, fields, takes_uploads=True)]


class MemoryUsers:
    """Users in a dictionary, with their hashes."""

    name = "memory"
    instant = True
    capabilities = frozenset({"create", "modify", "delete", "passwords"})

    def __init__(self) -> None:
        self._kept: dict[str, tuple[User, str | None]] = {}

    def get(self, name: str) -> User | None:
        """Return a user."""
        return self._kept[name][0] if name in self._kept else None

    def list(self) -> Sequence[User]:
        """Return all."""
        return [user for _, (user, _) in sorted(self._kept.items())]

    def lookalike(self, name: str) -> str | None:
        """Return a look-alike."""
        return next((other for other in self._kept if other.casefold() == name.casefold()), None)

    def create(self, user: User, password_hash: str | None) -> None:
        """Add a user."""
        if self.lookalike(user.name):
            raise Conflict("user already exists")
        self._kept[user.name] = (user, password_hash)

    def modify(self, user: User, changes: Mapping[str, Any]) -> User:
        """Change a user."""
        changed = replace(self._kept[user.name][0], **changes)
        self._kept[user.name] = (changed, self._kept[user.name][1])
        return changed

    def delete(self, user: User) -> None:
        """Remove a user."""
        del self._kept[user.name]

    def password_hash(self, name: str) -> str | None:
        """Return a hash."""
        return self._kept[name][1] if name in self._kept else None

    def set_password_hash(self, user: User, password_hash: str | None, stamp: str) -> User:
        """Replace a hash."""
        changed = replace(self._kept[user.name][0], stamp=stamp)
        self._kept[user.name] = (changed, password_hash)
        return changed

    def rehash(self, name: str, old: str, new: str) -> None:
        """Replace a hash of the same password."""
        self._kept[name] = (self._kept[name][0], new)


class MemoryIndices:
    """Indices in a dictionary."""

    name = "memory"
    instant = True

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Index] = {}

    def get(self, owner: str, name: str) -> Index | None:
        """Return an index."""
        return self._kept.get((owner, name))

    def list(self, owner: str | None = None) -> Sequence[Index]:
        """Return all, or those of an owner."""
        return [index for _, index in sorted(self._kept.items()) if owner in (None, index.owner)]

    def lookalike(self, owner: str, name: str) -> str | None:
        """Return a look-alike."""
        return next((index.name for index in self.list(owner) if index.name.casefold() == name.casefold()), None)

    def create(self, index: Index) -> None:
        """Add an index."""
        self._kept[index.owner, index.name] = index

    def modify(self, index: Index, config: Mapping[str, Any]) -> Index:
        """Replace the configuration."""
        self._kept[index.owner, index.name] = replace(index, config=dict(config))
        return self._kept[index.owner, index.name]

    def delete(self, index: Index) -> None:
        """Remove an index."""
        del self._kept[index.owner, index.name]


class Memory:
    """In place of ``sql_store``: everything is forgotten when the server ends."""

    def __init__(self) -> None:
        self._users = MemoryUsers()
        self._users.create(User("root", "stamp", created=NOON), "")
        self._indices = MemoryIndices()

    @hookimpl
    def wheelgate_user_store(self) -> MemoryUsers:
        """Bring the users."""
        return self._users

    @hookimpl
    def wheelgate_index_store(self) -> MemoryIndices:
        """Bring the indices."""
        return self._indices
