"""Stores users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wheelgate import User
from wheelgate.errors import Conflict
from wheelgate.names import fold
from wheelgate.store.database import Database
from wheelgate_sql_store import queries
from wheelgate_sql_store.columns import USER_COLUMN_WRITERS, user_columns
from wheelgate_sql_store.models import UserRow


class SqlUserStore:
    """Stores users in the server's database; see :class:`wheelgate.store.protocols.UserStore`."""

    name = "sql_store"
    capabilities = frozenset({"create", "modify", "delete", "passwords"})

    def __init__(self, database: Database) -> None:
        self.database = database
        self.instant = database.instant

    def get(self, name: str) -> User | None:
        """Return the user of that name."""
        return queries.find_user(self.database, name)

    def list(self) -> Sequence[User]:
        """Return every user, in the order of their names."""
        return queries.list_users(self.database)

    def lookalike(self, name: str) -> str | None:
        """Return the name of the user that looks like ``name``, which may be ``name`` itself."""
        rows = self.database.read("SELECT name FROM sql_store_user WHERE folded = ?", (fold(name),))
        return rows[0][0] if rows else None

    def create(self, user: User, password_hash: str | None) -> None:
        """Add a user. Raise ``Conflict`` if the name, or a look-alike of it, is taken."""
        columns = user_columns({field: getattr(user, field) for field in USER_COLUMN_WRITERS})
        added = UserRow.insert(**columns, folded=fold(user.name), password_hash=password_hash)
        if added.on_conflict_ignore().as_rowcount().execute(self.database.orm):
            return
        taken = self.lookalike(user.name)
        if taken in {None, user.name}:
            raise Conflict("user already exists")
        raise Conflict(f"user '{user.name}' looks like the existing user '{taken}'; choose another name")

    def modify(self, user: User, changes: Mapping[str, Any]) -> User:
        """Set fields and return the changed user. Raise ``Conflict`` if it is no longer the same user."""
        return self._change(user, user_columns(changes))

    def delete(self, user: User) -> None:
        """Remove a user. Raise ``Conflict`` if it is no longer the same user."""
        same = (UserRow.name == user.name) & (UserRow.stamp == user.stamp)
        if not UserRow.delete().where(same).execute(self.database.orm):
            raise _outdated(user)

    def password_hash(self, name: str) -> str | None:
        """Return the stored hash; an empty string stands for the empty password, None for no password at all."""
        rows = self.database.read("SELECT password_hash FROM sql_store_user WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    def set_password_hash(self, user: User, password_hash: str | None, stamp: str) -> User:
        """Replace hash and stamp and return the user. Raise ``Conflict`` if it is no longer the same user."""
        return self._change(user, {"password_hash": password_hash, "stamp": stamp})

    def rehash(self, name: str, old: str, new: str) -> None:
        """Replace the hash of an unchanged password if it is still ``old``."""
        same = (UserRow.name == name) & (UserRow.password_hash == old)
        UserRow.update(password_hash=new).where(same).execute(self.database.orm)

    def _change(self, user: User, columns: Mapping[str, Any]) -> User:
        """Set columns, or none, of a user that is still the same."""
        changed = queries.change_user(self.database, user.name, user.stamp, columns)
        if changed is None:
            raise _outdated(user)
        return changed


def _outdated(user: User) -> Conflict:
    return Conflict(
        f"user '{user.name}' was deleted, replaced, or given a new password in the meantime; look again and repeat"
    )
