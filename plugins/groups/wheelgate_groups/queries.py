"""Reads and writes the tables of groups, in SQL that both databases understand."""

from __future__ import annotations

from collections.abc import Sequence

from wheelgate.names import fold
from wheelgate.store.database import Database
from wheelgate_groups.group import Group

GROUPS_OF_USER = """
SELECT group_name FROM groups_member WHERE member = ?
UNION
SELECT o.group_name FROM groups_member o JOIN groups_member i ON o.member = ':' || i.group_name WHERE i.member = ?
"""


CHANGES_LOCK = 0x67726F757073
"""The key of PostgreSQL's advisory lock for changes of groups: the word ``groups`` in ASCII."""


class GroupTables:
    """Stores groups in the server's database; changes need a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def groups_of(self, username: str) -> frozenset[str]:
        """Return the groups that contain a user, directly or through a group that is a member."""
        return frozenset(name for (name,) in self._database.read(GROUPS_OF_USER, (username, username)))

    def get(self, name: str) -> Group | None:
        """Return a group; None if there is none."""
        rows = self._database.read("SELECT title FROM groups_group WHERE name = ?", (name,))
        members = self._database.read("SELECT member FROM groups_member WHERE group_name = ? ORDER BY member", (name,))
        return Group(name, tuple(member for (member,) in members), rows[0][0] or "") if rows else None

    def list(self) -> Sequence[Group]:
        """Return all groups, in the order of their names."""
        members: dict[str, list[str]] = {}
        for group, member in self._database.read("SELECT group_name, member FROM groups_member ORDER BY member"):
            members.setdefault(group, []).append(member)
        rows = self._database.read("SELECT name, title FROM groups_group ORDER BY name")
        return [Group(name, tuple(members.get(name, ())), title or "") for name, title in rows]

    def lookalike(self, name: str) -> str | None:
        """Return the name of the group that looks like ``name``, which may be ``name`` itself."""
        rows = self._database.read("SELECT name FROM groups_group WHERE folded = ?", (fold(name),))
        return rows[0][0] if rows else None

    def containing(self, member: str) -> Sequence[str]:
        """Return the groups that a user or a ``:group`` is a member of."""
        rows = self._database.read("SELECT group_name FROM groups_member WHERE member = ? ORDER BY 1", (member,))
        return [name for (name,) in rows]

    def lock(self) -> None:
        """Let other changes wait until the transaction ends, so that checks made in it stay true."""
        if self._database.kind == "postgresql":  # SQLite has a single writer; locks of all rows would deadlock
            self._database.read("SELECT pg_advisory_xact_lock(?)", (CHANGES_LOCK,))

    def add(self, group: Group) -> None:
        """Add a group without members; no other group may have its name, or one that looks like it."""
        sql = "INSERT INTO groups_group (name, folded) VALUES (?, ?)"
        self._database.write(sql, (group.name, fold(group.name)))

    def replace(self, before: Group, after: Group) -> None:
        """Write the differences between two states of a group."""
        self._database.write("UPDATE groups_group SET title = ? WHERE name = ?", (after.title or None, after.name))
        for member in set(before.members) - set(after.members):
            self._database.write("DELETE FROM groups_member WHERE group_name = ? AND member = ?", (after.name, member))
        for member in set(after.members) - set(before.members):
            self._database.write("INSERT INTO groups_member (group_name, member) VALUES (?, ?)", (after.name, member))

    def delete(self, group: Group) -> None:
        """Remove a group and its members."""
        self._database.write("DELETE FROM groups_member WHERE group_name = ?", (group.name,))
        self._database.write("DELETE FROM groups_group WHERE name = ?", (group.name,))

    def forget(self, member: str) -> None:
        """Remove a user or a ``:group`` from all groups."""
        self._database.write("DELETE FROM groups_member WHERE member = ?", (member,))
