"""Indices: how they look on the wire, and how they are created, changed and deleted."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from typing import Any

from wheelgate.errors import BadInput, Conflict, Forbidden, NotFound
from wheelgate.fields import Field, IndexType, same, shown
from wheelgate.names import check_name
from wheelgate.services.bases import circle
from wheelgate.store.protocols import IndexStore, UserStore
from wheelgate.values import NOTHING, Index, Resource

PASSWORD = re.compile(r"(?<=://)([^/@:\s]*):[^/\s]*@")
IGNORED = frozenset({"projects"})
"""What clients send back as they got it; it is no part of the configuration."""


def index_config(index: Index) -> dict[str, Any]:
    """Return an index as the wire shows it: a password in an address stays hidden."""
    shown_config = {key: masked(value) if key.endswith("_url") else value for key, value in index.config.items()}
    return {"type": index.type, **shown_config}


def index_resource(index: Index, project: str | None = None) -> Resource:
    """Return what a permission on an index is asked for; ``project`` is as in :class:`Resource`."""
    return Resource("index", index.name, index.owner, index.config, project=project)


def absent(owner: str, name: str) -> NotFound:
    """Return what is said of an index that is not there."""
    return NotFound(f"The stage {ascii(owner)[1:-1]}/{ascii(name)[1:-1]} could not be found.")


def masked(value: Any) -> Any:
    """Hide the password of an address."""
    return PASSWORD.sub(r"\1:***@", value) if isinstance(value, str) else value


class Indices:
    """Reads the configuration of indices from requests, and keeps it."""

    def __init__(self, store: IndexStore, users: UserStore, types: Sequence[IndexType]) -> None:
        self._store = store
        self._users = users
        self._types = {kind.name: kind for kind in types}

    def get(self, owner: str, name: str) -> Index:
        """Return an index. Raise ``NotFound`` if there is none."""
        index = self._store.get(owner, name)
        if index is None:
            raise absent(owner, name)
        return index

    def find(self, path: str) -> Index | None:
        """Return the index ``owner/name``; None if there is none."""
        owner, _, name = path.partition("/")
        return self._store.get(owner, name)

    def of(self, owner: str) -> list[Index]:
        """Return the indices of a user."""
        return list(self._store.list(owner))

    def type_of(self, index: Index) -> IndexType | None:
        """Return the type of an index; None if the plugin that brought it is gone."""
        return self._types.get(index.type)

    def refuse_taken(self, owner: str, name: str) -> None:
        """Raise ``Conflict`` if the path, or a look-alike of it, is taken."""
        if self._store.get(owner, name) is not None:
            raise Conflict(f"index '{owner}/{name}' exists")
        other = self._store.lookalike(owner, name)
        if other is not None:
            raise Conflict(f"index {name!a} looks like the existing index '{owner}/{other}'")

    def read_creation(self, owner: str, name: str, body: Any) -> Index:
        """Read the body of a request that creates an index; what it leaves out gets its default."""
        check_name("indexname", name)
        given = read_object(body)
        kind = given.get("type", "stage")
        index_type = self._types.get(kind) if isinstance(kind, str) else None
        if index_type is None:
            raise BadInput(f"unknown index type {shown(kind)}")
        parsed = self._read_fields(index_type, given)
        config = {}
        for field in index_type.fields:
            if field.name in parsed:
                config[field.name] = parsed[field.name]
            elif field.default is not None:
                config[field.name] = field.default(owner)
        return Index(owner, name, kind, config)

    def read_modification(self, index: Index, body: Any) -> dict[str, Any]:
        """Read the body of a request that changes an index, in either form, and return the whole new configuration.

        An object is merged into the configuration. A list holds operations: ``key=value``, ``key+=value``,
        ``key-=value`` and ``key-=``, in their order.
        """
        index_type = self._types.get(index.type)
        if index_type is None:
            raise Conflict(f"the plugin that brings indices of type '{index.type}' is not there")
        if isinstance(body, list):
            config = dict(index.config)
            for operation in body:
                self._apply(index_type, config, operation)
        else:
            given = read_object(body)
            if given.get("type") == "indexconfig" and "result" in given:
                given = read_object(given["result"])
            if given.get("type", index.type) != index.type:
                raise BadInput("the 'type' of an index can't be changed")
            # What a client sends back as it was shown is no change: a hidden password stays.
            echoed = {key for key, value in index.config.items() if key in given and same(given[key], masked(value))}
            changed = {key: value for key, value in given.items() if key not in echoed}
            config = {**index.config, **self._read_fields(index_type, changed)}
        order = [field.name for field in index_type.fields]
        return {name: config[name] for name in (*order, *config) if name in config}

    def refuse_wrong(
        self, index: Index, config: Mapping[str, Any], before: Mapping[str, Any], hidden: Container[str]
    ) -> None:
        """Refuse a new configuration that names what does not exist, or would make an index inherit from itself.

        Args:
            index: the index, of which path and type count.
            config: the new configuration.
            before: the one that it has; what it names may stay.
            hidden: paths of indices that are not to be told from absent ones.
        """
        self._refuse_dangling(self._types[index.type], config, before, hidden)
        if config.get("bases") != before.get("bases"):
            self._refuse_circle(index.path, config)

    def create(self, index: Index, hidden: Container[str]) -> Index:
        """Add an index whose configuration was read from a request."""
        if self._users.get(index.owner) is None:
            raise NotFound(f"no user {index.owner!a}")
        self.refuse_wrong(index, index.config, NOTHING, hidden)
        self._store.create(index)
        return index

    def modify(self, index: Index, config: Mapping[str, Any]) -> Index:
        """Replace the configuration."""
        return index if same(config, index.config) else self._store.modify(index, config)

    def all_have_packages(self) -> bool:
        """Say whether the plugins are there that know what each index holds."""
        return all((kind := self.type_of(index)) and kind.packages for index in self._store.list())

    def delete(self, index: Index) -> None:
        """Remove an index with its packages, and its path from the bases of all others."""
        kind = self.type_of(index)
        if kind is not None and kind.packages is not None:
            kind.packages.forget(index)
        self._store.delete(index)
        self.forget("indices", index.path)

    def refuse_deletion(self, index: Index) -> None:
        """Raise ``Forbidden`` if an index is not to be deleted."""
        if not index.config.get("volatile", True):
            raise Forbidden(f"index {index.path} non-volatile, cannot delete")

    def forget(self, kind: str, name: str) -> None:
        """Take a name out of every list that refers to it, so that who gets the name next inherits nothing.

        Args:
            kind: ``principals`` or ``indices``.
            name: the user's name, or the index's path.
        """
        for index in self._store.list():
            index_type = self._types.get(index.type)
            lists = [field.name for field in index_type.fields if field.refers_to == kind] if index_type else []
            touched = [key for key in lists if name in index.config.get(key, ())]
            if touched:
                without = {key: [entry for entry in index.config[key] if entry != name] for key in touched}
                self._store.modify(index, {**index.config, **without})

    def _read_fields(self, index_type: IndexType, given: Mapping[str, Any]) -> dict[str, Any]:
        known = {field.name: field for field in index_type.fields}
        skipped = IGNORED | index_type.dropped | {"type"}
        unknown = sorted(set(given) - set(known) - skipped)
        if unknown:
            listed = ", ".join(f"{key}={_plain(given[key])}" for key in unknown)
            raise BadInput(f"indexconfig got unexpected keyword arguments: {listed}")
        return {name: field.parse(given[name]) for name, field in known.items() if name in given}

    def _apply(self, index_type: IndexType, config: dict[str, Any], operation: Any) -> None:
        if not isinstance(operation, str):
            raise BadInput(f"an operation must be text such as 'key=value', not {shown(operation)}")
        key, _, value = operation.partition("=")
        sign = key[-1:] if key[-1:] in ("+", "-") and "=" in operation else ""
        key = key.removesuffix(sign)
        if key == "type":
            raise BadInput("the 'type' of an index can't be changed")
        if key in IGNORED | index_type.dropped:
            return
        field = index_type.field(key)
        if field is None:
            if sign == "-" and not value:
                return
            raise BadInput(f"indexconfig got unexpected keyword arguments: {key}={value}")
        match sign:
            case "":
                config[key] = field.parse(value)
            case "-" if not value:
                if field.default is not None:
                    raise BadInput("Default values can't be removed.")
                config.pop(key, None)
            case _:
                self._apply_to_list(field, config, sign, value)

    def _apply_to_list(self, field: Field, config: dict[str, Any], sign: str, value: str) -> None:
        if not field.many:
            raise BadInput(
                f"'{field.name}' holds one value: use {field.name}=VALUE instead of {field.name}{sign}=VALUE"
            )
        entries = list(config.get(field.name, ()))
        for entry in field.parse([value]):
            if sign == "+" and entry not in entries:
                entries.append(entry)
            elif sign == "-":
                if entry not in entries:
                    raise BadInput(f"The '{field.name}' setting doesn't have value '{entry}'")
                entries.remove(entry)
        config[field.name] = entries

    def _refuse_dangling(
        self, index_type: IndexType, config: Mapping[str, Any], before: Mapping[str, Any], hidden: Container[str]
    ) -> None:
        """Refuse references to what does not exist, unless they stood there before."""
        wrong = []
        for field in (field for field in index_type.fields if field.refers_to):
            standing = before.get(field.name, ())
            for entry in (entry for entry in config.get(field.name, ()) if entry not in standing):
                if field.refers_to == "indices" and (entry in hidden or self.find(entry) is None):
                    wrong.append(f"base index '{entry}' does not exist")
                if field.refers_to == "principals" and entry[:1] != ":" and self._users.get(entry) is None:
                    wrong.append(f"'{field.name}' names the user '{entry}', who does not exist; create the user first")
        if wrong:
            raise BadInput(", ".join(wrong))

    def _refuse_circle(self, path: str, config: Mapping[str, Any]) -> None:
        """Refuse bases through which an index would inherit from itself."""
        way = circle(path, config.get("bases", ()), self.find)
        if way:
            raise BadInput(f"the bases would make a circle: {' -> '.join(way)}")


def read_object(body: Any) -> dict[str, Any]:
    """Return the body if it is a JSON object."""
    if not isinstance(body, dict):
        raise BadInput(f"the body must be a JSON object, not {shown(body)}")
    return body


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)
