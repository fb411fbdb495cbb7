"""The user store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from wheelgate import User
from wheelgate.errors import Conflict
from wheelgate_stub_store.file import Content, JsonFile, fold


class FileUserStore:
    """Stores users; see :class:`wheelgate.store.protocols.UserStore`."""

    name = "stub_store"
    instant = False
    capabilities = frozenset({"create", "modify", "delete", "passwords"})

    def __init__(self, file: JsonFile) -> None:
        self._file = file

    def get(self, name: str) -> User | None:
        """Return the user of that name."""
        entry = self._file.read()["users"].get(name)
        return None if entry is None else from_json(entry)

    def list(self) -> list[User]:
        """Return every user, sorted by name."""
        return [from_json(entry) for _, entry in sorted(self._file.read()["users"].items())]

    def lookalike(self, name: str) -> str | None:
        """Return the name of the user that looks like ``name``."""
        return next((known for known in self._file.read()["users"] if fold(known) == fold(name)), None)

    def create(self, user: User, password_hash: str | None) -> None:
        """Add a user."""
        with self._file.change() as content:
            taken = self.lookalike(user.name)
            if taken is not None:
                raise Conflict(f"user '{taken}' exists")
            content["users"][user.name] = to_json(user) | {"password_hash": password_hash}

    def modify(self, user: User, changes: Mapping[str, Any]) -> User:
        """Set fields."""
        with self._file.change() as content:
            changed = replace(self._same(content, user), **changes)
            content["users"][user.name] |= to_json(changed)
            return changed

    def delete(self, user: User) -> None:
        """Remove a user."""
        with self._file.change() as content:
            self._same(content, user)
            del content["users"][user.name]

    def password_hash(self, name: str) -> str | None:
        """Return the stored hash."""
        entry = self._file.read()["users"].get(name)
        stored: str | None = None if entry is None else entry["password_hash"]
        return stored

    def set_password_hash(self, user: User, password_hash: str | None, stamp: str) -> User:
        """Replace hash and stamp."""
        with self._file.change() as content:
            changed = replace(self._same(content, user), stamp=stamp)
            content["users"][user.name] |= to_json(changed) | {"password_hash": password_hash}
            return changed

    def rehash(self, name: str, old: str, new: str) -> None:
        """Replace the hash of an unchanged password."""
        with self._file.change() as content:
            entry = content["users"].get(name)
            if entry is not None and entry["password_hash"] == old:
                entry["password_hash"] = new

    def _same(self, content: Content, user: User) -> User:
        entry = content["users"].get(user.name)
        if entry is None or entry["stamp"] != user.stamp:
            raise Conflict(f"user '{user.name}' was changed or deleted in the meantime")
        return from_json(entry)


def to_json(user: User) -> dict[str, Any]:
    """Return a user as JSON."""
    return asdict(user) | {
        "created": user.created.isoformat(),
        "modified": user.modified and user.modified.isoformat(),
    }


def from_json(entry: Mapping[str, Any]) -> User:
    """Return the user in a JSON object."""
    fields = {name: value for name, value in entry.items() if name != "password_hash"}
    modified = entry["modified"]
    times = {
        "created": datetime.fromisoformat(entry["created"]),
        "modified": None if modified is None else datetime.fromisoformat(modified),
    }
    return User(**fields | times)
