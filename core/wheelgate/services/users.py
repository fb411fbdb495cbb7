"""Users: how they look on the wire, and how they are created, changed and deleted."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from wheelgate.errors import BadInput, Conflict, Forbidden, NotFound, Unsupported
from wheelgate.fields import parse_json, parse_text, same, shown
from wheelgate.names import check_name
from wheelgate.services.indices import Indices, index_config
from wheelgate.store.cached_users import CachedUsers
from wheelgate.store.protocols import UserStore
from wheelgate.values import ROOT, Index, User

LONGEST_PASSWORD = 4096
"""Bytes of UTF-8."""

SETTABLE = {
    "email": parse_text("email"),
    "title": parse_text("title"),
    "description": parse_text("description"),
    "custom_data": parse_json("custom_data"),
}
ECHOED = frozenset({"created", "modified", "username", "indexes"})
"""Keys that clients send back as they got them; they cannot be set."""


@dataclass(frozen=True, slots=True)
class UserChange:
    """What a request wants of a user."""

    fields: Mapping[str, Any]
    """Fields of :class:`User` with their new values; None takes one out."""
    password: str | None = None


def user_config(user: User, indices: list[Index] | tuple[Index, ...]) -> dict[str, Any]:
    """Return what everyone may know of a user: never a password, in no form."""
    config: dict[str, Any] = {
        "username": user.name,
        "created": timestamp(user.created),
        "indexes": {index.name: index_config(index) for index in indices},
    }
    if user.modified is not None:
        config["modified"] = timestamp(user.modified)
    for name in SETTABLE:
        value = getattr(user, name)
        if value is not None:
            config[name] = value
    return config


def timestamp(moment: datetime) -> str:
    """Write a moment as the wire wants it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def read_creation(body: Any, name: str, *, loopback: bool) -> UserChange:
    """Read the body of a request that creates a user."""
    known = {*SETTABLE, "password", "created", "modified"}
    if not isinstance(body, dict):
        raise BadInput(f"the body must be a JSON object, not {shown(body)}")
    unknown = sorted(set(body) - known)
    if unknown:
        raise BadInput(f"Unknown keys in user config: {', '.join(unknown)}")
    if body.get("password") is None:
        raise BadInput("password needs to be set")
    fields = {key: parse(body[key]) for key, parse in SETTABLE.items() if body.get(key) not in (None, "")}
    return UserChange(fields, read_password(body["password"], name, loopback=loopback))


def read_modification(body: Any, user: User, *, loopback: bool) -> UserChange:
    """Read the body of a request that changes a user; what repeats the present value is no change."""
    if not isinstance(body, dict):
        raise BadInput(f"the body must be a JSON object, not {shown(body)}")
    unknown = sorted(set(body) - {*SETTABLE, *ECHOED, "password"})
    if unknown:
        raise BadInput(f"Unknown keys in user config: {', '.join(unknown)}")
    fields = {}
    for key, parse in SETTABLE.items():
        if key in body:
            value = None if body[key] in (None, "") else parse(body[key])
            if not same(value, getattr(user, key)):
                fields[key] = value
    password = body.get("password")
    if password is not None:
        password = read_password(password, user.name, loopback=loopback)
    return UserChange(fields, password)


def read_password(value: Any, name: str, *, loopback: bool) -> str:
    """Check a new password; it is compared and stored in Unicode's normal form NFC.

    Raises:
        BadInput: it is no text, too long, or empty where that is not allowed.
    """
    if not isinstance(value, str):
        raise BadInput("'password' must be text")
    password = unicodedata.normalize("NFC", value)
    if len(password.encode()) > LONGEST_PASSWORD:
        raise BadInput(f"'password' must have at most {LONGEST_PASSWORD} bytes")
    if not password and not (name == ROOT and loopback):
        raise BadInput("'password' must not be empty; only root's may, on a server that listens on loopback only")
    return password


class Users:
    """Changes of users; each method runs inside one transaction."""

    def __init__(self, store: UserStore, indices: Indices, cached: CachedUsers, forget: Callable[[str], None]) -> None:
        """Take the stores, and what takes a name out of all that refers to it."""
        self._store = store
        self._forget = forget
        self._cached = cached
        self._indices = indices

    def get(self, name: str) -> User:
        """Return a user. Raise ``NotFound`` if there is none."""
        user = self._cached.get(name)
        if user is None:
            raise NotFound(f"no user {name!a}")
        return user

    def refuse_taken(self, name: str) -> None:
        """Raise ``Conflict`` if the name, or a look-alike of it, is taken."""
        if self._store.get(name) is not None:
            raise Conflict("user already exists")
        other = self._store.lookalike(name)
        if other is not None:
            raise Conflict(f"user {name!a} looks like the existing user '{other}'")

    def refuse_missing_capability(self, capability: str, action: str) -> None:
        """Raise ``Unsupported`` if users come from a store that cannot do that."""
        if capability not in self._store.capabilities:
            raise Unsupported(f"users come from '{self._store.name}', which cannot {action}; do it there")

    def create(self, name: str, change: UserChange, password_hash: str | None, provider: str = "") -> User:
        """Add a user."""
        check_name("username", name)
        user = User(
            name=name, stamp=secrets.token_urlsafe(12), created=moment(), provider=provider, **dict(change.fields)
        )
        self._store.create(user, password_hash)
        return user

    def modify(self, user: User, change: UserChange, password_hash: str | None) -> User:
        """Change fields, and the password where there is a new hash: that ends the user's sessions."""
        user = self._store.modify(user, {**change.fields, "modified": moment()})
        if password_hash is not None:
            user = self._store.set_password_hash(user, password_hash, secrets.token_urlsafe(12))
        return user

    def delete(self, user: User) -> list[Index]:
        """Remove a user with its indices and its name from every access list; return the indices.

        Raises:
            Forbidden: it is root, or one of its indices is not volatile.
        """
        if user.name == ROOT:
            raise Forbidden("root cannot be deleted")
        owned = self._indices.of(user.name)
        for index in owned:
            if not index.config.get("volatile", True):
                raise Forbidden(f"user '{user.name}' has non-volatile index: {index.name}")
        for index in owned:
            self._indices.delete(index)
        self._forget(user.name)
        self._store.delete(user)
        return owned


def moment() -> datetime:
    """Return now, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
