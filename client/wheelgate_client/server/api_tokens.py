"""Reads and narrows API tokens without the server.

A token is ``wgt_IDENTIFIER.RANDOM.CAVEAT.….SIGNATURE``. The signature is the HMAC-SHA256 of the last caveat under the
signature before: the holder of a token can add a caveat, and nobody can remove one.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from wheelgate_client.errors import ClientError
from wheelgate_client.server import json_values

API_TOKEN_PREFIX = "wgt_"  # noqa: S105 - the beginning of every token, no secret
MAX_API_TOKEN_CHARS = 4000
MAX_API_TOKEN_CAVEATS = 20

API_TOKEN_PATTERN = re.compile(
    r"wgt_[A-Za-z0-9_-]{12}\.[A-Za-z0-9_-]{22}(\.[A-Za-z0-9_-]{2,3000}){1,20}\.[A-Za-z0-9_-]{43}"
)
PROJECT_KEYS = ("read_projects", "change_projects")
"""The conditions that limit the projects; an older one, ``projects``, stands for both."""
_TIME_SPAN = re.compile(r"([0-9]{1,9})([smhdw]?)")
_SECONDS_PER_UNIT = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_LAST_PRINTABLE_SECOND = 2**40
"""Seconds since 1970; ``time.gmtime`` fails for much later times."""


class ApiToken(NamedTuple):
    """The parts of a token that can be read without the server."""

    id: str
    caveats: Sequence[Mapping[str, Any]]


def parse_token(token: str) -> ApiToken:
    """Split a token into its parts; only the server can tell whether it is valid.

    Raises:
        ClientError: if the text is not a token.
    """
    if len(token) > MAX_API_TOKEN_CHARS or not API_TOKEN_PATTERN.fullmatch(token):
        raise ClientError(
            f"this is not a token: a token starts with {API_TOKEN_PREFIX} and contains no spaces or line ends"
        )
    head, _, *encoded, _ = token.split(".")
    try:
        caveats = [json.loads(_decode(caveat)) for caveat in encoded]
    except (ValueError, RecursionError):
        caveats = [None]
    if not all(isinstance(caveat, dict) for caveat in caveats):
        raise ClientError("this token is damaged: one of its conditions cannot be read")
    return ApiToken(head.removeprefix(API_TOKEN_PREFIX), caveats)


def narrow(token: str, caveat: Mapping[str, object]) -> str:
    """Return the token with one more condition.

    Raises:
        ClientError: if the text is not a token, or the token would become too long.
    """
    if len(parse_token(token).caveats) >= MAX_API_TOKEN_CAVEATS:
        raise ClientError(f"a token holds at most {MAX_API_TOKEN_CAVEATS} conditions: create a new one")
    head, _, signature = token.rpartition(".")
    added = _encode(json.dumps(caveat, separators=(",", ":")).encode())
    derived = f"{head}.{added}.{_encode(hmac.digest(_decode(signature), added.encode(), 'sha256'))}"
    if len(derived) > MAX_API_TOKEN_CHARS:
        raise ClientError(
            f"the token would have more than {MAX_API_TOKEN_CHARS} characters: name fewer indices and projects"
        )
    return derived


def combined_caveats(token: ApiToken) -> dict[str, Any]:
    """Return the conditions that result if all conditions of a token apply.

    Those are lists of ``scopes``, ``indices``, ``read_projects`` and ``change_projects``, and ``expires`` in seconds
    since 1970; a missing key means no restriction. ``projects`` limits both reading and changes.
    """
    combined: dict[str, Any] = {}
    for caveat in token.caveats:
        for key, value in caveat.items():
            if key == "expires" and isinstance(value, int):
                combined[key] = min(combined.get(key, value), value)
            elif isinstance(value, list):
                for limited in PROJECT_KEYS if key == "projects" else (key,):
                    combined[limited] = [entry for entry in combined.get(limited, value) if entry in value]
    return combined


def parse_seconds(text: str) -> int:
    """Read a time span such as ``12h``, ``30d`` or ``8w``. Raise ``ValueError`` for anything else."""
    match = _TIME_SPAN.fullmatch(text.strip())
    if match is None or not int(match[1]):
        raise ValueError(text)
    return int(match[1]) * _SECONDS_PER_UNIT[match[2]]


def describe(conditions: Mapping[str, Any]) -> str:
    """Return the scopes, indices, projects and end of a token in one line."""
    limits = combined_caveats(ApiToken("", [conditions]))
    parts = [json_values.format_value(conditions.get("scopes") or "nothing")]
    read, change = (limits.get(key) for key in PROJECT_KEYS)
    same = read == change
    for value, words in (
        (conditions.get("indices"), "on"),
        (change if same else None, "project"),
        (None if same else read, "reading only"),
        (None if same else change, "changing only"),
    ):
        if value is not None:
            parts.append(f"{words} {json_values.format_value(value) or 'none'}")
    expires = conditions.get("expires")
    if isinstance(expires, int):
        seconds = max(0, min(expires, _LAST_PRINTABLE_SECOND))
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    return " ".join(parts) + (f" until {expires}" if expires else "")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
