"""Indices as JSON: written for answers, and read from the bodies of requests."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from wheelgate.errors import BadInput, Conflict
from wheelgate.fields import MASK, EditedList, Field, IndexType, check_operations, excerpt, same_json
from wheelgate.names import check_name, did_you_mean
from wheelgate.services.json_objects import json_bytes, read_object
from wheelgate.values import EMPTY_MAPPING, Index

LOGIN_IN_URL = re.compile(r"(?<=://)([^/?#@:\s]*)(?::([^/?#\s]*))?@")
QUERY_IN_URL = re.compile(r"(?<=[?#])[^\s?#].*")
"""The query or the fragment of a URL."""
PLACEHOLDER_PASSWORDS = frozenset({None, "", "x", "x-oauth-basic"})
"""Passwords next to which the user name is the secret, as with the API keys of some services."""
MAX_LISTED_BYTES = 500
"""Bytes, as JSON, of a value that listings show: a user may own hundreds of indices with a dozen values each."""
MAX_CONFIG_BYTES = 100_000
"""Bytes, as JSON, of all values of an index together."""
ECHOED_INDEX_KEYS = frozenset({"projects"})
"""Keys that clients send back as they received them, which are not part of the configuration."""


def index_config(index: Index) -> dict[str, Any]:
    """Return the configuration of an index for an answer, with the secrets in URLs masked."""
    config = {key: mask_secrets(value) if key.endswith("_url") else value for key, value in index.config.items()}
    return {"type": index.type, **config}


def index_summary(index: Index) -> dict[str, Any]:
    """Return the configuration of an index for a listing, without long values."""
    return {key: value for key, value in index_config(index).items() if is_short(value)}


def is_short(value: Any) -> bool:
    """Say whether a listing shows a value."""
    return json_bytes(value) <= MAX_LISTED_BYTES


def mask_secrets(value: Any) -> Any:
    """Replace the secrets in a URL by asterisks: its password, a user name without a password, and its query.

    The user name stays if there is a password: an administrator sees which login is in use.
    """
    return QUERY_IN_URL.sub(MASK, LOGIN_IN_URL.sub(_masked_login, value)) if isinstance(value, str) else value


def _masked_login(login: re.Match[str]) -> str:
    name, password = login.groups()
    return f"{MASK}@" if password in PLACEHOLDER_PASSWORDS else f"{name}:{MASK}@"


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
        raise BadInput(f"unknown index type {excerpt(type_name)}; the types are {', '.join(sorted(types))}")
    parsed = parse_keys(types, index_type, given)
    config = {}
    for field in index_type.fields:
        if field.name in parsed:
            config[field.name] = parsed[field.name]
        elif field.default is not None:
            config[field.name] = field.default(owner)
    _check_size(config, EMPTY_MAPPING)
    return Index(owner, name, type_name, config)


def read_changed_config(types: Mapping[str, IndexType], index: Index, body: Any) -> dict[str, Any]:
    """Return the whole configuration that a request wants an index to have.

    A JSON object is merged into the present configuration. A list contains operations that are applied in order:
    ``key=value``, ``key+=value``, ``key-=value`` and ``key-=``.

    Raises:
        BadInput: a key, a value or an operation is wrong.
        Conflict: the plugin that provides the type is not installed.
    """
    index_type = types.get(index.type)
    if index_type is None:
        raise Conflict(f"the plugin that provides indices of type '{index.type}' is not installed")
    if isinstance(body, list):
        config = apply_operations(types, index_type, index.config, body)
    else:
        given = read_object(body)
        if given.get("type") == "indexconfig" and "result" in given:
            given = read_object(given["result"])
        if given.get("type", index.type) != index.type:
            raise BadInput("the 'type' of an index can't be changed")
        # A value that a client sends back as the server showed it is not a change: a masked secret stays as it is.
        echoed = {
            key for key, value in index.config.items() if key in given and same_json(given[key], mask_secrets(value))
        }
        changed = {key: value for key, value in given.items() if key not in echoed}
        config = {**index.config, **parse_keys(types, index_type, changed)}
    _check_size(config, index.config)
    order = [field.name for field in index_type.fields]
    return {name: config[name] for name in (*order, *config) if name in config}


def parse_keys(types: Mapping[str, IndexType], index_type: IndexType, given: Mapping[str, Any]) -> dict[str, Any]:
    """Parse the values of an index type's keys. Raise ``BadInput`` if there are others, or a value is wrong."""
    known = {field.name: field for field in index_type.fields}
    skipped = ECHOED_INDEX_KEYS | index_type.dropped | {"type"}
    unknown = sorted(set(given) - set(known) - skipped)
    if unknown:
        listed = ", ".join(f"{key}={_unquoted(given[key])}" for key in unknown)
        hint = _unknown_key_hint(types, index_type, unknown[0])
        raise BadInput(f"indexconfig got unexpected keyword arguments: {listed}{hint}")
    return {name: field.parse(given[name]) for name, field in known.items() if name in given}


def _unknown_key_hint(types: Mapping[str, IndexType], index_type: IndexType, key: str) -> str:
    """Name the index types that have a key, or the key of this type that the user may have meant."""
    others = sorted(name for name, other in types.items() if other.field(key) is not None)
    if others:
        return f"; only an index of type={' or type='.join(others)} has '{key}'"
    return did_you_mean(key, [field.name for field in index_type.fields])


def apply_operations(
    types: Mapping[str, IndexType], index_type: IndexType, config: Mapping[str, Any], operations: Sequence[Any]
) -> dict[str, Any]:
    """Return a configuration after operations such as ``key+=value``. Raise ``BadInput`` if one is wrong."""
    check_operations(operations)
    changed, lists = dict(config), dict[str, EditedList]()
    for operation in operations:
        if not isinstance(operation, str):
            raise BadInput(f"an operation must be text such as 'key=value', not {excerpt(operation)}")
        _apply(types, index_type, changed, lists, operation)
    return changed | {key: entries.result() for key, entries in lists.items()}


def _apply(
    types: Mapping[str, IndexType],
    index_type: IndexType,
    config: dict[str, Any],
    lists: dict[str, EditedList],
    operation: str,
) -> None:
    """Apply one operation: to ``lists`` what changes a list, anything else to ``config``."""
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
        hint = _unknown_key_hint(types, index_type, key)
        raise BadInput(f"indexconfig got unexpected keyword arguments: {key}={mask_secrets(value)}{hint}")
    match sign:
        case "":
            config[key] = field.parse(value)
            lists.pop(key, None)
        case "-" if not value:
            if field.default is not None:
                raise BadInput("Default values can't be removed.")
            config.pop(key, None)
            lists.pop(key, None)
        case _:
            _apply_to_list(field, config, lists, sign, value)


def _apply_to_list(
    field: Field, config: Mapping[str, Any], lists: dict[str, EditedList], sign: str, value: str
) -> None:
    if not field.many:
        raise BadInput(f"'{field.name}' holds one value: use {field.name}=VALUE instead of {field.name}{sign}=VALUE")
    if field.name not in lists:
        lists[field.name] = EditedList(config.get(field.name, ()))
    entries = lists[field.name]
    # An entry that an earlier version took may be one that the parser refuses now.
    given = [value] if sign == "-" and value in entries else field.parse([value])
    if sign == "+":
        entries.add(given)
    else:
        entries.remove(given, lambda entry: BadInput(f"The '{field.name}' setting doesn't have value '{entry}'"))


def _check_size(config: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Refuse a configuration that is too large, unless it has become smaller."""
    size = json_bytes(config)
    if size > MAX_CONFIG_BYTES and size >= json_bytes(dict(before)):
        raise BadInput(
            f"the values of an index have at most {MAX_CONFIG_BYTES} bytes as JSON, not {size}; shorten some"
        )


def _unquoted(value: Any) -> str:
    return mask_secrets(value) if isinstance(value, str) else excerpt(value)
