"""Users as JSON: written for answers, and read from the bodies of requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from wheelgate.errors import BadInput
from wheelgate.fields import MAX_LINE_CHARS, parse_json, parse_text, same_json
from wheelgate.names import did_you_mean
from wheelgate.services.index_json import index_summary, is_short
from wheelgate.services.json_objects import read_object
from wheelgate.services.users import UserChange
from wheelgate.values import Index, User

FIELD_PARSERS: dict[str, Callable[[Any], Any]] = {
    "email": parse_text("email", MAX_LINE_CHARS),
    "title": parse_text("title", MAX_LINE_CHARS),
    "description": parse_text("description"),
    "custom_data": parse_json("custom_data"),
}
"""The fields that requests may set."""
ECHOED_USER_KEYS = frozenset({"created", "modified", "username", "indexes"})
"""Keys that clients send back as they received them, and cannot set."""

CheckPassword = Callable[[Any], str]
"""Checks a new password of a user and returns it as it is to be stored, as ``Passwords.check`` does."""


def user_summary(user: User, indices: Sequence[Index]) -> dict[str, Any]:
    """Return the public data of a user for a listing, without long values."""
    return {key: value for key, value in user_config(user, indices).items() if key == "indexes" or is_short(value)}


def user_config(user: User, indices: Sequence[Index]) -> dict[str, Any]:
    """Return the public data of a user, which never include the password in any form.

    The configurations of indices lack long values: together, they would have no limit.
    """
    config: dict[str, Any] = {
        "username": user.name,
        "created": timestamp(user.created),
        "indexes": {index.name: index_summary(index) for index in indices},
    }
    if user.modified is not None:
        config["modified"] = timestamp(user.modified)
    for name in FIELD_PARSERS:
        value = getattr(user, name)
        if value is not None:
            config[name] = value
    return config


def timestamp(time: datetime) -> str:
    """Format a time in UTC as ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def read_new_user(body: Any, check_password: CheckPassword) -> UserChange:
    """Return the fields and the password of a user that a request wants to create.

    Raises:
        BadInput: a key is unknown, a value is wrong, or the password is missing or not acceptable.
    """
    given = _read_keys(body, {*FIELD_PARSERS, "password", "created", "modified"})
    if given.get("password") is None:
        raise BadInput("password needs to be set")
    fields = {key: parse(given[key]) for key, parse in FIELD_PARSERS.items() if given.get(key) not in (None, "")}
    return UserChange(fields, check_password(given["password"]))


def read_changed_user(body: Any, user: User, check_password: CheckPassword) -> UserChange:
    """Return the changes that a request makes to a user; a value that the user has already is not a change.

    Raises:
        BadInput: a key is unknown, a value is wrong, or the password is not acceptable.
    """
    given = _read_keys(body, {*FIELD_PARSERS, *ECHOED_USER_KEYS, "password"})
    fields = {}
    for key, parse in FIELD_PARSERS.items():
        # A value that a client sends back as it received it is not a change, even if it is longer than new ones may be.
        if key in given and not same_json(given[key], getattr(user, key)):
            value = None if given[key] in (None, "") else parse(given[key])
            if not same_json(value, getattr(user, key)):
                fields[key] = value
    password = given.get("password")
    if password is not None:
        password = check_password(password)
    return UserChange(fields, password)


def _read_keys(body: Any, known: set[str]) -> dict[str, Any]:
    given = read_object(body)
    unknown = sorted(set(given) - known)
    if unknown:
        raise BadInput(f"Unknown keys in user config: {', '.join(unknown)}{did_you_mean(unknown[0], known)}")
    return given
