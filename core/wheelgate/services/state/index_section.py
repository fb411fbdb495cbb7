"""The section ``[indices]`` of a state file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from wheelgate.config import SECRET_PLACES
from wheelgate.errors import BadInput, Forbidden
from wheelgate.fields import same_json
from wheelgate.packages import PackageSource
from wheelgate.services.index_json import (
    LOGIN_IN_URL,
    QUERY_IN_URL,
    mask_secrets,
    read_changed_config,
    read_new_index,
)
from wheelgate.services.indices import Indices
from wheelgate.services.state.toml_values import refuse_other_value
from wheelgate.state_sections import (
    SECRET,
    StateChange,
    StateOptions,
    StateSection,
    entries,
    entry_label,
    read_secret_place,
    refuse_unknown_keys,
    settle,
)
from wheelgate.store.protocols import IndexStore, UserStore
from wheelgate.values import Index

NO_HIDDEN: frozenset[str] = frozenset()
"""The administrator sees every index."""


class IndexSection(StateSection):
    """Declares indices by their paths, with the keys of the API."""

    name = "indices"
    rank = 1000

    def __init__(
        self,
        store: IndexStore,
        users: UserStore,
        indices: Indices,
        sources: Callable[[], Sequence[PackageSource]],
    ) -> None:
        self._store = store
        self._users = users
        self._indices = indices
        self._sources = sources

    def export(self) -> Mapping[str, Any]:
        """Return all indices of known types; a URL lacks its login and its query."""
        found: dict[str, Any] = {}
        for index in self._store.list():
            if (kind := self._indices.type_of(index)) is not None:
                keys = {key: value for key, value in index.config.items() if kind.field(key) is not None}
                found[index.path] = {
                    "type": index.type,
                    **{key: without_secrets(value) if key.endswith("_url") else value for key, value in keys.items()},
                }
        return found

    def prepare(self, declared: Mapping[str, Any], options: StateOptions) -> PreparedIndices:
        """Read the table, and fetch the URLs that are at other places."""
        tables: dict[str, dict[str, Any]] = {}
        for path, table in entries("indices", declared).items():
            label = entry_label("indices", path)
            if path.count("/") != 1 or not all(path.split("/")):
                raise BadInput(f'{label}: an index is written "user/index", in quotes')
            self._refuse_unknown_keys(path, table, label)
            tables[path] = {key: read_value(key, value, f"{label}: {key}") for key, value in table.items()}
        return PreparedIndices(self._store, self._users, self._indices, self._sources, tables, options)

    def _refuse_unknown_keys(self, path: str, table: Mapping[str, Any], label: str) -> None:
        """Refuse keys that the type does not have, without a value, which could be a secret."""
        index = self._indices.find(path)
        name = table.get("type", "stage" if index is None else index.type)
        kind = self._indices.types.get(name) if isinstance(name, str) else None
        if kind is None:
            raise BadInput(f"{label}: unknown type; the types are {', '.join(sorted(self._indices.types))}")
        refuse_unknown_keys(label, table, ["type", *kind.dropped, *(each.name for each in kind.fields)])


def read_value(key: str, value: Any, label: str) -> Any:
    """Return the value of a key; a URL with a login has to be at another place.

    Raises:
        BadInput: the value is a URL with a login, or what is at its place is no text.
    """
    if key.endswith("_url") and isinstance(value, str):
        if value.startswith(SECRET_PLACES):
            value = read_secret_place(value, label)
            refuse_other_value(value, label)
            return value
        if LOGIN_IN_URL.search(value):
            raise BadInput(f"{label}: the URL has a login; write env:NAME or file:PATH, where the whole URL is")
    return value


def without_secrets(url: Any) -> Any:
    """Return a URL without its login, its query and its fragment."""
    if not isinstance(url, str):
        return url
    return QUERY_IN_URL.sub("", LOGIN_IN_URL.sub("", url)).rstrip("?#")


class PreparedIndices:
    """The indices that a file declares."""

    def __init__(
        self,
        store: IndexStore,
        users: UserStore,
        indices: Indices,
        sources: Callable[[], Sequence[PackageSource]],
        tables: Mapping[str, Mapping[str, Any]],
        options: StateOptions,
    ) -> None:
        self._store = store
        self._users = users
        self._indices = indices
        self._sources = sources
        self._tables = tables
        self._options = options

    def delete(self) -> Iterator[StateChange]:
        """Delete indices that are not declared, except those of users who come from a directory."""
        if not self._options.prune:
            return
        undeclared = [index for index in self._store.list() if index.path not in self._tables]
        undeclared = [index for index in undeclared if not self._is_external(index)]
        if undeclared and not self._options.prune_files:
            refuse_files(undeclared, self._indices, self._sources())
        for path in [index.path for index in undeclared]:
            index = self._indices.find(path)  # anew: the deletion of another one may have changed its bases
            if index is not None:
                self._indices.refuse_deletion(index)
                self._indices.delete(index)
                yield StateChange("delete", "index", path)

    def _is_external(self, index: Index) -> bool:
        owner = self._users.get(index.owner)
        return owner is not None and bool(owner.provider)

    def write(self) -> Iterator[StateChange]:
        """Create and change indices, in an order that fits their bases."""
        return settle({entry_label("indices", path): partial(self._write, path) for path in self._tables})

    def _write(self, path: str) -> StateChange | None:
        table, index = self._tables[path], self._indices.find(path)
        if index is None:
            owner, _, name = path.partition("/")
            if self._users.get(owner) is None:
                raise BadInput(f"there is no user {owner!a}; declare the user, too")
            new = read_new_index(self._indices.types, owner, name, dict(table))
            self._indices.refuse_taken(owner, name)
            self._indices.create(new, NO_HIDDEN)
            return StateChange("create", "index", path, changed_keys({}, {"type": new.type, **new.config}))
        body = {key: value for key, value in table.items() if not is_exported(key, value, index.config.get(key))}
        config = read_changed_config(self._indices.types, index, body)
        if same_json(config, dict(index.config)):
            return None
        self._indices.check_references(index, config, index.config, NO_HIDDEN)
        self._indices.modify(index, config)
        return StateChange("modify", "index", path, changed_keys(index.config, config))


def is_exported(key: str, value: Any, present: Any) -> bool:
    """Return whether a declared URL is the present one without its secrets, which then stay."""
    return key.endswith("_url") and present is not None and value == without_secrets(present)


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the keys with other values, without the secrets in URLs."""
    changed = {}
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if (key in before) != (key in after) or not same_json(old, new):
            if key.endswith("_url"):
                masked = mask_secrets(old), mask_secrets(new)
                old, new = masked if masked[0] != masked[1] else (masked[0], f"{masked[1]} with another {SECRET}")
            changed[key] = (old, new)
    return changed


def refuse_files(indices: Sequence[Index], known: Indices, sources: Sequence[PackageSource]) -> None:
    """Raise ``Forbidden`` if one of the indices holds packages."""
    owned = {index.path: index for index in indices}
    holding = set()
    for source in sources:
        for _, label in source.stored_files():
            holding.add("/".join(label.split("/")[:2]))
    for path, index in owned.items():
        kind = known.type_of(index)
        packages = None if kind is None else kind.packages
        if packages is None or path in holding or (not packages.last and packages.projects(index).names):
            raise Forbidden(f"the index {path} holds packages, or may; declare it, or add --prune-files to delete it")
