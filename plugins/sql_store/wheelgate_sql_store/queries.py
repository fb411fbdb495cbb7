"""The queries of almost every request, in plain SQL: peewee takes 0.1 to 0.3 ms to build one, these take 0.01 ms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from wheelgate import Index, User
from wheelgate.store.database import Database
from wheelgate_sql_store.columns import to_json

USER_COLUMNS = "name, stamp, created, modified, email, title, description, custom_data, provider"
"""The columns in the order of the fields of ``User``."""

SELECT_USER = f"SELECT {USER_COLUMNS} FROM sql_store_user"  # noqa: S608  # our columns

LIKE_ESCAPE = "!"
"""Before a character that has a meaning in a pattern."""
SELECT_INDEX = "SELECT owner, name, type, config FROM sql_store_index"


def find_user(database: Database, name: str) -> User | None:
    """Return one user, or None."""
    rows = database.read(f"{SELECT_USER} WHERE name = ?", (name,))
    return _user(*rows[0]) if rows else None


def list_users(database: Database) -> list[User]:
    """Return all users in the order of their names."""
    return [_user(*row) for row in database.read(f"{SELECT_USER} ORDER BY name")]


def change_user(database: Database, name: str, stamp: str, columns: Mapping[str, Any]) -> User | None:
    """Set columns of a user and return the changed user; None if no user has that name and stamp."""
    assignments = ", ".join(f"{column} = ?" for column in columns) or "name = name"
    rows = database.returning(
        f"UPDATE sql_store_user SET {assignments} WHERE name = ? AND stamp = ? RETURNING {USER_COLUMNS}",  # noqa: S608
        (*columns.values(), name, stamp),
    )
    return _user(*rows[0]) if rows else None


def find_index(database: Database, owner: str, name: str) -> Index | None:
    """Return one index, or None."""
    rows = database.read(f"{SELECT_INDEX} WHERE owner = ? AND name = ?", (owner, name))
    return _index(*rows[0]) if rows else None


def change_index(database: Database, index: Index, config: Mapping[str, Any]) -> bool:
    """Replace the configuration of an index; False if the stored one no longer equals ``index``."""
    rows = database.read(f"{SELECT_INDEX} WHERE owner = ? AND name = ?", (index.owner, index.name))
    if not rows or _index(*rows[0]) != index:
        return False
    return bool(
        database.write(
            "UPDATE sql_store_index SET config = ? WHERE owner = ? AND name = ? AND type = ? AND config = ?",
            (to_json(dict(config)), *rows[0]),
        )
    )


def any_index_has(database: Database, key: str) -> bool:
    """Return whether the configuration of any index has a key.

    The key is searched as text, because decoding every configuration after every change would take milliseconds. In a
    value, the quotes of such a text would be escaped.
    """
    pattern = f'%"{key.replace("_", LIKE_ESCAPE + "_")}":%'
    sql = f"SELECT 1 FROM sql_store_index WHERE config LIKE ? ESCAPE '{LIKE_ESCAPE}' LIMIT 1"  # noqa: S608 - a constant
    return bool(database.read(sql, (pattern,)))


def list_indices(database: Database, owner: str | None) -> list[Index]:
    """Return all indices, or those of one owner, in the order of their paths."""
    if owner is None:
        rows = database.read(f"{SELECT_INDEX} ORDER BY owner || '/' || name")
    else:
        rows = database.read(f"{SELECT_INDEX} WHERE owner = ? ORDER BY name", (owner,))
    return [_index(*row) for row in rows]


def _user(
    name: str,
    stamp: str,
    created: int,
    modified: int | None,
    email: str | None,
    title: str | None,
    description: str | None,
    custom_data: str | None,
    provider: str,
) -> User:
    return User(
        name,
        stamp,
        datetime.fromtimestamp(created, UTC),
        None if modified is None else datetime.fromtimestamp(modified, UTC),
        email,
        title,
        description,
        None if custom_data is None else orjson.loads(custom_data),
        provider,
    )


def _index(owner: str, name: str, type_: str, config: str) -> Index:
    return Index(owner, name, type_, orjson.loads(config))
