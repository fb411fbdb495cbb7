"""The section ``[users]`` of a state file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from wheelgate.errors import BadInput, Conflict, Unsupported
from wheelgate.packages import PackageSource
from wheelgate.services.indices import Indices
from wheelgate.services.passwords import Passwords
from wheelgate.services.state.index_section import refuse_files
from wheelgate.services.user_json import FIELD_PARSERS, read_changed_user, read_new_user
from wheelgate.services.users import Users
from wheelgate.state_sections import (
    SECRET,
    StateChange,
    StateOptions,
    StateSection,
    entries,
    entry_label,
    read_secret_place,
    require_secret_place,
    settle,
)
from wheelgate.store.protocols import UserStore
from wheelgate.values import ROOT, User

HASH_PREFIX = "hash:"
PASSWORD_HASH = re.compile(r"\$[a-z0-9-]{1,32}\$[!-~]{1,500}")
"""A hash in the form of the PHC, such as ``$argon2id$v=19$…``."""
PLANNED_HASH = "!"
"""The hash of a planned password, which is rolled back; no password has it."""


class UserSection(StateSection):
    """Declares users: the keys of the API, and how a new user gets a password."""

    name = "users"
    rank = 0

    def __init__(
        self,
        store: UserStore,
        users: Users,
        passwords: Passwords,
        indices: Indices,
        sources: Callable[[], Sequence[PackageSource]],
    ) -> None:
        self._store = store
        self._users = users
        self._passwords = passwords
        self._indices = indices
        self._sources = sources

    def export(self) -> Mapping[str, Any]:
        """Return all users, without passwords."""
        return {
            user.name: {key: value for key in FIELD_PARSERS if (value := getattr(user, key)) is not None}
            for user in self._store.list()
        }

    def prepare(self, declared: Mapping[str, Any], options: StateOptions) -> PreparedUsers:
        """Read the table, and hash the passwords that will be set."""
        tables = entries("users", declared, [*FIELD_PARSERS, "password"])
        hashes: dict[str, str] = {}
        for name, table in tables.items():
            label = entry_label("users", name)
            given = table.pop("password", None)
            require_password_place(given, label)
            user = self._store.get(name)
            if user is None and given is None:
                raise BadInput(f'{label}: a new user needs a password; write password = "env:NAME" or "file:PATH"')
            if given is not None and (user is None or options.reset_passwords):
                if user is not None and user.provider:
                    raise Unsupported(f"{label}: the user logs in through '{user.provider}'; change the password there")
                hashes[name] = self._hash(name, given, label, options)
        return PreparedUsers(self._store, self._users, tables, hashes, self._refuse_deletion(options))

    def _refuse_deletion(self, options: StateOptions) -> Callable[[User], None] | None:
        """Return the function that refuses to delete a user whose indices hold packages; None if none is deleted."""
        if not options.prune:
            return None

        def refuse(user: User) -> None:
            if not options.prune_files:
                refuse_files(self._indices.owned_by(user.name), self._indices, self._sources())

        return refuse

    def _hash(self, name: str, given: str, label: str, options: StateOptions) -> str:
        """Return the hash of a password that a place names, or the given hash."""
        if given.startswith(HASH_PREFIX):
            return given.removeprefix(HASH_PREFIX)
        password = read_secret_place(given, f"{label}: password")
        try:
            if options.only_plan:
                self._passwords.refuse_unacceptable(name, password)
                return PLANNED_HASH
            return self._passwords.hash(name, password)
        except BadInput as error:
            raise BadInput(f"{label}: {str(error).replace(password, SECRET) if password else error}") from None


def require_password_place(given: Any, label: str) -> None:
    """Raise ``BadInput`` unless a password is absent, at a place, or given as a hash."""
    if given is None:
        return
    if isinstance(given, str) and given.startswith(HASH_PREFIX):
        if not PASSWORD_HASH.fullmatch(given.removeprefix(HASH_PREFIX)):
            raise BadInput(f"{label}: password: after hash: comes the hash of a password, such as $argon2id$v=19$…")
        return
    require_secret_place(given, f"{label}: password")


class PreparedUsers:
    """The users that a file declares."""

    def __init__(
        self,
        store: UserStore,
        users: Users,
        tables: Mapping[str, Mapping[str, Any]],
        hashes: Mapping[str, str],
        refuse_deletion: Callable[[User], None] | None,
    ) -> None:
        """Take the stores, the tables and hashes by name, and what refuses a deletion; None if nothing is deleted."""
        self._store = store
        self._users = users
        self._tables = tables
        self._hashes = hashes
        self._refuse_deletion = refuse_deletion

    def delete(self) -> Iterator[StateChange]:
        """Delete local users who are not declared, except root; those of a directory come from there."""
        if self._refuse_deletion is None:
            return
        for user in self._store.list():
            if user.name in self._tables or user.name == ROOT or user.provider:
                continue
            self._users.refuse_missing_capability("delete", "delete users")
            self._refuse_deletion(user)
            for index in self._users.delete(user):
                yield StateChange("delete", "index", index.path)
            yield StateChange("delete", "user", user.name)

    def write(self) -> Iterator[StateChange]:
        """Create and change users."""
        return settle({entry_label("users", name): partial(self._write, name) for name in self._tables})

    def _write(self, name: str) -> StateChange | None:
        table, password_hash = self._tables[name], self._hashes.get(name)
        user = self._store.get(name)
        if user is None:
            return self._create(name, table, password_hash)
        change = read_changed_user(dict(table), user, str)
        keys = {key: (getattr(user, key), value) for key, value in change.fields.items()}
        if password_hash is not None and password_hash != self._store.password_hash(name):
            keys["password"] = (SECRET, f"{SECRET} a new one")
        else:
            password_hash = None
        if not keys:
            return None
        self._users.refuse_missing_capability("modify", "modify users")
        self._users.modify(user, change, password_hash)
        return StateChange("modify", "user", name, keys)

    def _create(self, name: str, table: Mapping[str, Any], password_hash: str | None) -> StateChange:
        if password_hash is None:
            raise Conflict(f"the user {name!a} was deleted in the meantime; nothing was changed; run the command again")
        self._users.refuse_missing_capability("create", "create users")
        self._users.refuse_taken(name)
        change = read_new_user({**table, "password": ""}, str)
        user = self._users.create(name, change, password_hash)
        return StateChange("create", "user", name, {**shown_fields(user), "password": (None, SECRET)})


def shown_fields(user: User) -> dict[str, tuple[Any, Any]]:
    """Return the fields of a new user as changes."""
    return {key: (None, value) for key in FIELD_PARSERS if (value := getattr(user, key)) is not None}
