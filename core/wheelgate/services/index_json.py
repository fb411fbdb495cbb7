"""Indices as JSON: written for answers, and read from the bodies of requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from wheelgate.errors import BadInput, Conflict
from wheelgate.fields import Field, IndexType, excerpt, same_json
from wheelgate.names import check_name
from wheelgate.services.json_objects import read_object
from wheelgate.values import Index

PASSWORD_IN_URL = re.compile(r"(?<=://)([^/@:\s]*):[^/\s]*@")
ECHOED_INDEX_KEYS = frozenset({"projects"})
"""Keys that clients send back as they received them, which are not part of the configuration."""


def index_config(index: Index) -> dict[str, Any]:
    """Return the configuration of an index for an answer, with the passwords of URLs masked."""
    config = {key: mask_password(value) if key.endswith("_url") else value for key, value in index.config.items()}
    return {"type": index.type, **config}


def mask_password(value: Any) -> Any:
    """Replace the password of a URL by asterisks."""
    return PASSWORD_IN_URL.sub(r"\1:***@", value) if isinstance(value, str) else value


def read_new_index(types: Mapping[str, IndexType], owner: str, name: str, body: Any) -> Index:
    """Return the index that a request wants to create; keys that the body leaves out get their defaults.

    Raises:
        BadInput: the name, the type, a key or a value is wrong.
    """
    check_name("indexname", name)
    given = read_object(body)
    type_name = given.get("type", "stage")
    index_type = types.get(type_name) if isinstance(type_name, str) else None
    if index_type is None:
        raise BadInput(f"unknown index type {excerpt(type_name)}")
    parsed = parse_keys(index_type, given)
    config = {}
    for field in index_type.fields:
        if field.name in parsed:
            config[field.name] = parsed[field.name]
        elif field.default is not None:
            config[field.name] = field.default(owner)
    return Index(owner, name, type_name, config)


def read_changed_config(index_type: IndexType | None, index: Index, body: Any) -> dict[str, Any]:
    """Return the whole configuration that a request wants an index to have.

    A JSON object is merged into the present configuration. A list contains operations that are applied in order:
    ``key=value``, ``key+=value``, ``key-=value`` and ``key-=``.

    Raises:
        BadInput: a key, a value or an operation is wrong.
        Conflict: the plugin that provides the type is not installed.
    """
    if index_type is None:
        raise Conflict(f"the plugin that provides indices of type '{index.type}' is not installed")
    if isinstance(body, list):
        config = dict(index.config)
        for operation in body:
            apply_operation(index_type, config, operation)
    else:
        given = read_object(body)
        if given.get("type") == "indexconfig" and "result" in given:
            given = read_object(given["result"])
        if given.get("type", index.type) != index.type:
            raise BadInput("the 'type' of an index can't be changed")
        # A value that a client sends back as the server showed it is not a change: a masked password stays as it is.
        echoed = {
            key for key, value in index.config.items() if key in given and same_json(given[key], mask_password(value))
        }
        changed = {key: value for key, value in given.items() if key not in echoed}
        config = {**index.config, **parse_keys(index_type, changed)}
    order = [field.name for field in index_type.fields]
    return {name: config[name] for name in (*order, *config) if name in config}


def parse_keys(index_type: IndexType, given: Mapping[str, Any]) -> dict[str, Any]:
    """Parse the values of an index type's keys. Raise ``BadInput`` if there are others, or a value is wrong."""
    known = {field.name: field for field in index_type.fields}
    skipped = ECHOED_INDEX_KEYS | index_type.dropped | {"type"}
    unknown = sorted(set(given) - set(known) - skipped)
    if unknown:
        listed = ", ".join(f"{key}={_unquoted(given[key])}" for key in unknown)
        raise BadInput(f"indexconfig got unexpected keyword arguments: {listed}")
    return {name: field.parse(given[name]) for name, field in known.items() if name in given}


def apply_operation(index_type: IndexType, config: dict[str, Any], operation: Any) -> None:
    """Apply one operation, such as ``key+=value``, to a configuration."""
    if not isinstance(operation, str):
        raise BadInput(f"an operation must be text such as 'key=value', not {excerpt(operation)}")
    key, _, value = operation.partition("=")
    sign = key[-1:] if key[-1:] in ("+", "-") and "=" in operation else ""
    key = key.removesuffix(sign)
    if key == "type":
        raise BadInput("the 'type' of an index can't be changed")
    if key in ECHOED_INDEX_KEYS | index_type.dropped:
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
            _apply_to_list(field, config, sign, value)


def _apply_to_list(field: Field, config: dict[str, Any], sign: str, value: str) -> None:
    if not field.many:
        raise BadInput(f"'{field.name}' holds one value: use {field.name}=VALUE instead of {field.name}{sign}=VALUE")
    entries = list(config.get(field.name, ()))
    # An entry that an earlier version took may be one that the parser refuses now.
    known = sign == "-" and value in entries
    for entry in [value] if known else field.parse([value]):
        if sign == "+" and entry not in entries:
            entries.append(entry)
        elif sign == "-":
            if entry not in entries:
                raise BadInput(f"The '{field.name}' setting doesn't have value '{entry}'")
            entries.remove(entry)
    config[field.name] = entries


def _unquoted(value: Any) -> str:
    return value if isinstance(value, str) else excerpt(value)
