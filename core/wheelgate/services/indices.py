"""Indices: the rules by which they are created, changed and deleted."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from wheelgate.errors import BadInput, Conflict, Forbidden, NotFound
from wheelgate.fields import MAX_QUOTED_PROBLEMS, IndexType, check_bases, same_json
from wheelgate.services.bases import find_inheritance_cycle
from wheelgate.store.protocols import IndexStore, UserStore
from wheelgate.values import EMPTY_MAPPING, Index, Resource


def index_resource(index: Index, project: str | None = None) -> Resource:
    """Return the resource that permissions on an index are about; ``project`` is as in :class:`Resource`."""
    return Resource("index", index.name, index.owner, index.config, project=project)


def index_not_found(owner: str, name: str) -> NotFound:
    """Return the refusal for an index that does not exist."""
    return NotFound(f"The stage {ascii(owner)[1:-1]}/{ascii(name)[1:-1]} could not be found.")


class Indices:
    """The indices of this server, with their types."""

    def __init__(self, store: IndexStore, users: UserStore, types: Sequence[IndexType], *, max_per_user: int) -> None:
        self._store = store
        self._users = users
        self._max_per_user = max_per_user
        self.types: Mapping[str, IndexType] = {index_type.name: index_type for index_type in types}
        """The types of all installed plugins, by name."""

    def get(self, owner: str, name: str) -> Index:
        """Return an index. Raise ``NotFound`` if it does not exist."""
        index = self._store.get(owner, name)
        if index is None:
            raise index_not_found(owner, name)
        return index

    def find(self, path: str) -> Index | None:
        """Return the index ``owner/name``; None if it does not exist."""
        owner, _, name = path.partition("/")
        return self._store.get(owner, name)

    def list_all(self) -> Sequence[Index]:
        """Return all indices, sorted by path."""
        return self._store.list()

    def owned_by(self, owner: str) -> list[Index]:
        """Return the indices of a user."""
        return list(self._store.list(owner))

    def type_of(self, index: Index) -> IndexType | None:
        """Return the type of an index; None if the plugin that provides it is not installed any more."""
        return self.types.get(index.type)

    def refuse_taken(self, owner: str, name: str) -> None:
        """Raise ``Conflict`` if an index has this path, or one that looks like it."""
        if self._store.get(owner, name) is not None:
            raise Conflict(f"index '{owner}/{name}' exists")
        other = self._store.lookalike(owner, name)
        if other is not None:
            raise Conflict(f"index {name!a} looks like the existing index '{owner}/{other}'")

    def check_references(
        self, index: Index, config: Mapping[str, Any], before: Mapping[str, Any], hidden: Container[str]
    ) -> None:
        """Check the users and indices that a new configuration names.

        Args:
            index: the index; only its path and type count.
            config: the new configuration.
            before: the present configuration, whose references may stay even if they lead nowhere.
            hidden: paths of indices that the caller may not read: they are treated as if they did not exist.

        Raises:
            BadInput: the configuration names something that does not exist, or the index would inherit from itself.
        """
        if len(config.get("bases", ())) > len(before.get("bases", ())):
            check_bases(config["bases"])
        self._refuse_dangling(self.types[index.type], config, before, hidden)
        if config.get("bases") != before.get("bases"):
            self._refuse_cycle(index.path, config)

    def create(self, index: Index, hidden: Container[str]) -> Index:
        """Add an index.

        Raises:
            NotFound: its owner does not exist.
            Forbidden: its owner has as many indices as ``--max-indices`` allows.
            BadInput: as :meth:`check_references` does.
        """
        if self._users.get(index.owner) is None:
            raise NotFound(f"no user {index.owner!a}")
        if len(self._store.list(index.owner)) >= self._max_per_user:
            raise Forbidden(
                f"user '{index.owner}' has {self._max_per_user} indices, the most that this server allows"
                " (--max-indices); delete one first"
            )
        self.check_references(index, index.config, EMPTY_MAPPING, hidden)
        self._store.create(index)
        return index

    def modify(self, index: Index, config: Mapping[str, Any]) -> Index:
        """Replace the configuration."""
        return index if same_json(config, index.config) else self._store.modify(index, config)

    def all_have_packages(self) -> bool:
        """Return whether the plugin that knows the files of an index is installed, for every index."""
        return all((kind := self.type_of(index)) and kind.packages for index in self._store.list())

    def delete(self, index: Index) -> None:
        """Remove an index with its packages, and its path from the bases of all other indices."""
        index_type = self.type_of(index)
        if index_type is not None and index_type.packages is not None:
            index_type.packages.forget(index)
        self._store.delete(index)
        self.remove_references("indices", index.path)

    def refuse_deletion(self, index: Index) -> None:
        """Raise ``Forbidden`` if an index is not volatile."""
        if not index.config.get("volatile", True):
            raise Forbidden(f"index {index.path} non-volatile, cannot delete")

    def remove_references(self, kind: str, name: str) -> None:
        """Remove a name from every list that refers to it: the next owner of the name must not inherit its rights.

        Args:
            kind: ``principals`` or ``indices``.
            name: the name of a user or ``:group``, or the path of an index.
        """
        for index in self._store.list():
            index_type = self.type_of(index)
            lists = [field.name for field in index_type.fields if field.refers_to == kind] if index_type else []
            affected = [key for key in lists if name in index.config.get(key, ())]
            if affected:
                without = {key: [entry for entry in index.config[key] if entry != name] for key in affected}
                self._store.modify(index, {**index.config, **without})

    def _refuse_dangling(
        self, index_type: IndexType, config: Mapping[str, Any], before: Mapping[str, Any], hidden: Container[str]
    ) -> None:
        """Refuse new references to users and indices that do not exist; name the first of them."""
        problems = islice(self._dangling(index_type, config, before, hidden), MAX_QUOTED_PROBLEMS)
        listed = ", ".join(problems)
        if listed:
            raise BadInput(listed)

    def _dangling(
        self, index_type: IndexType, config: Mapping[str, Any], before: Mapping[str, Any], hidden: Container[str]
    ) -> Iterator[str]:
        """Yield a sentence about each new reference to something that does not exist."""
        for field in (field for field in index_type.fields if field.refers_to):
            kept = frozenset(before.get(field.name, ()))
            for entry in dict.fromkeys(entry for entry in config.get(field.name, ()) if entry not in kept):
                if field.refers_to == "indices" and (entry in hidden or self.find(entry) is None):
                    yield f"base index '{entry}' does not exist"
                if field.refers_to == "principals" and entry[:1] != ":" and self._users.get(entry) is None:
                    yield f"'{field.name}' names the user '{entry}', who does not exist; create the user first"

    def _refuse_cycle(self, path: str, config: Mapping[str, Any]) -> None:
        """Refuse bases through which an index would inherit from itself."""
        cycle = find_inheritance_cycle(path, config.get("bases", ()), self.find)
        if cycle:
            raise BadInput(f"the bases would form a cycle: {' -> '.join(cycle)}")
