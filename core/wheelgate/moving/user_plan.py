"""Which users an import creates, with which names, fields and hashes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from wheelgate.errors import BadInput
from wheelgate.moving.decisions import Decisions
from wheelgate.moving.entries import EPOCH
from wheelgate.moving.findings import Findings
from wheelgate.moving.password_hashes import UnusableHashError, is_legacy, stored_hash
from wheelgate.names import check_name, fold
from wheelgate.values import FORBIDDEN_IN_TEXT, ROOT, User

TEXT_FIELDS = ("email", "title", "description")
KNOWN_KEYS = frozenset({"username", "pwhash", "pwsalt", "created", "modified", "custom_data", "indexes", *TEXT_FIELDS})


@dataclass(frozen=True, slots=True)
class PlannedUser:
    """A user to create."""

    user: User
    """Its stamp is empty unless the export has one."""
    password_hash: str | None = field(repr=False)


def check_names(kind: str, names: Mapping[str, str], subjects: Mapping[str, str], findings: Findings) -> None:
    """Find names that this server does not take, and names that look alike.

    Args:
        kind: what messages call them: ``username`` or ``indexname``.
        names: the new names by the old ones.
        subjects: what findings call them, by the old names.
        findings: gets what is wrong.
    """
    by_form: dict[str, str] = {}
    for old, new in names.items():
        try:
            check_name(kind, new)
        except BadInput as error:
            findings.add("name-refused", subjects[old], error.message)
            continue
        other = by_form.setdefault(fold(new), new)
        if by_form[fold(new)] is not new:
            same = "is the name of another" if other == new else f"looks like {other!a}"
            findings.add("name-lookalike", subjects[old], f"{kind} {new!a} {same}")


def plan_users(
    users: Mapping[str, Mapping[str, Any]],
    decisions: Decisions,
    findings: Findings,
    details: Mapping[str, Mapping[str, Any]],
) -> dict[str, PlannedUser]:
    """Return the users to create, by their old names.

    Args:
        users: the users of the export.
        decisions: what the administrator has decided.
        findings: gets what is wrong.
        details: what an export of this server knows in addition, by the old names.
    """
    kept = {name: decisions.user(name) for name in users if not decisions.skips(name)}
    for name in users:
        if name not in kept:
            findings.add("skipped", name, "this user and all indices of the user are left out")
        elif kept[name] != name:
            findings.add("user-renamed", name, f"this user is now {kept[name]!a}")
    check_names("username", kept, {name: name for name in kept}, findings)
    return {name: _planned(name, new, users[name], decisions, findings, details) for name, new in kept.items()}


def _planned(
    old: str,
    new: str,
    fields: Mapping[str, Any],
    decisions: Decisions,
    findings: Findings,
    details: Mapping[str, Mapping[str, Any]],
) -> PlannedUser:
    for key in sorted(set(fields) - KNOWN_KEYS):
        if fields[key] not in (None, "", [], {}):
            findings.add("key-dropped", old, f"this server keeps no '{key}' of users", {key: fields[key]})
    texts = {}
    for key in TEXT_FIELDS:
        value = fields.get(key)
        if isinstance(value, str) and value and not FORBIDDEN_IN_TEXT.search(value):
            texts[key] = value
        elif value not in (None, ""):
            findings.add("key-dropped", old, f"'{key}' is not text", {key: value})
    custom = fields.get("custom_data")
    if custom is not None and not is_storable(custom):
        findings.add("key-dropped", old, "'custom_data' has characters that no database stores")
        custom = None
    more = details.get(old, {})
    stamp, provider = (_word(more.get(key)) for key in ("stamp", "provider"))
    created = _moment(fields.get("created")) or EPOCH
    user = User(new, stamp, created, _moment(fields.get("modified")), **texts, custom_data=custom, provider=provider)
    return PlannedUser(user, None if provider else _hash(old, fields, decisions, findings))


def _hash(old: str, fields: Mapping[str, Any], decisions: Decisions, findings: Findings) -> str | None:
    if old in decisions.without_password:
        findings.add("password-none", old, "this user cannot log in until a password is set, as decided")
        return None
    try:
        found = stored_hash(fields.get("pwhash"), fields.get("pwsalt"))
    except UnusableHashError as error:
        findings.add("hash-unusable", old, str(error))
        return None
    if is_legacy(found) and not decisions.legacy_hashes:
        findings.add(
            "password-none", old, "the hash is a salted SHA-256; a password has to be set (--no-legacy-hashes)"
        )
        return None
    if found is None:
        findings.add("password-none", old, "this user has no password here, and cannot log in until one is set")
    elif found == "":
        findings.add("password-empty", old, "this user has an empty password, and cannot log in until another is set")
    return found or None


def missing_root(users: Iterable[str], findings: Findings) -> None:
    """Find out whether the new server needs a root without password: the export has none."""
    if ROOT not in users:
        findings.add("password-none", ROOT, "the export has no root; the new one cannot log in until a password is set")


def is_storable(value: Any) -> bool:
    """Return whether a JSON value has only text that a database can store."""
    return not FORBIDDEN_IN_TEXT.search(json.dumps(value, ensure_ascii=False).replace("\\u0000", "\0"))


def _word(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= 100 and value.isprintable() else ""


def _moment(value: Any) -> datetime | None:
    """Read a time in ISO 8601; None if it is none."""
    try:
        parsed = datetime.fromisoformat(value)
        parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return parsed.astimezone(UTC).replace(microsecond=0)
    except (TypeError, ValueError, OverflowError):
        return None
