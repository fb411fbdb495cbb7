"""Users: the rules by which they are created, changed and deleted."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from wheelgate.errors import Conflict, Forbidden, NotFound, Unsupported
from wheelgate.names import check_name
from wheelgate.services.indices import Indices
from wheelgate.store.cached_users import CachedUsers
from wheelgate.store.protocols import UserStore
from wheelgate.values import ROOT, Index, User


@dataclass(frozen=True, slots=True)
class UserChange:
    """The changes that a request makes to a user."""

    fields: Mapping[str, Any]
    """New values of fields of :class:`User`; None removes a value."""
    password: str | None = None


class Users:
    """The users of this server; methods that change them run inside one transaction."""

    def __init__(
        self,
        store: UserStore,
        indices: Indices,
        cached: CachedUsers | UserStore,
        forget_principal: Callable[[str], None],
    ) -> None:
        """Take the stores, and the function that removes all references to a deleted user."""
        self._store = store
        self._forget_principal = forget_principal
        self._cached = cached
        self._indices = indices

    def get(self, name: str) -> User:
        """Return a user. Raise ``NotFound`` if there is none."""
        user = self._cached.get(name)
        if user is None:
            raise NotFound(f"no user {name!a}")
        return user

    def refuse_taken(self, name: str) -> None:
        """Raise ``Conflict`` if a user has this name, or one that looks like it."""
        if self._store.get(name) is not None:
            raise Conflict("user already exists")
        other = self._store.lookalike(name)
        if other is not None:
            raise Conflict(f"user {name!a} looks like the existing user '{other}'")

    def refuse_missing_capability(self, capability: str, action: str) -> None:
        """Raise ``Unsupported`` if the user store does not have a capability."""
        if capability not in self._store.capabilities:
            raise Unsupported(f"users come from '{self._store.name}', which cannot {action}; do it there")

    def create(self, name: str, change: UserChange, password_hash: str | None, provider: str = "") -> User:
        """Add a user; ``provider`` names the authenticator that vouches for a user without a password here."""
        check_name("username", name)
        user = User(
            name=name, stamp=secrets.token_urlsafe(12), created=utc_now(), provider=provider, **dict(change.fields)
        )
        self._store.create(user, password_hash)
        return user

    def modify(self, user: User, change: UserChange, password_hash: str | None) -> User:
        """Change fields, and the password if there is a new hash; a new password ends the user's sessions."""
        user = self._store.modify(user, {**change.fields, "modified": utc_now()})
        if password_hash is not None:
            user = self._store.set_password_hash(user, password_hash, secrets.token_urlsafe(12))
        return user

    def delete(self, user: User) -> list[Index]:
        """Delete a user with all their indices and every reference to their name; return the indices.

        Raises:
            Forbidden: the user is root, or owns an index that is not volatile.
        """
        if user.name == ROOT:
            raise Forbidden("root cannot be deleted")
        owned = self._indices.owned_by(user.name)
        for index in owned:
            if not index.config.get("volatile", True):
                raise Forbidden(f"user '{user.name}' has non-volatile index: {index.name}")
        for index in owned:
            self._indices.delete(index)
        self._forget_principal(user.name)
        self._store.delete(user)
        return owned


def utc_now() -> datetime:
    """Return the current time in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
