"""API tokens as text: read, and narrowed, without the server.

A token is ``wgt_IDENTIFIER.RANDOM.CAVEAT.….SIGNATURE``. The signature is the HMAC-SHA256 of the last caveat under the
signature before, so whoever has a token can add a caveat, and nobody can take one out.
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
from wheelgate_client.server import config_values as values

PREFIX = "wgt_"
LONGEST = 4000
MOST_CAVEATS = 20
SHAPE = re.compile(r"wgt_[A-Za-z0-9_-]{12}\.[A-Za-z0-9_-]{22}(\.[A-Za-z0-9_-]{2,3000}){1,20}\.[A-Za-z0-9_-]{43}")
SPAN = re.compile(r"([0-9]{1,9})([smhdw]?)")
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class Token(NamedTuple):
    """What a token says of itself."""

    id: str
    caveats: Sequence[Mapping[str, Any]]


def read(token: str) -> Token:
    """Take a token apart; whether it is good, only the server can tell.

    Raises:
        ClientError: if it is none.
    """
    if len(token) > LONGEST or not SHAPE.fullmatch(token):
        raise ClientError(f"this is no token: one begins with {PREFIX} and has no spaces or line ends in it")
    head, _, *caveats, _ = token.split(".")
    try:
        said = [json.loads(_decoded(caveat)) for caveat in caveats]
    except (ValueError, RecursionError):
        said = [None]
    if not all(isinstance(caveat, dict) for caveat in said):
        raise ClientError("this token is damaged: a condition in it cannot be read")
    return Token(head.removeprefix(PREFIX), said)


def narrowed(token: str, caveat: Mapping[str, object]) -> str:
    """Return the token with one condition more.

    Raises:
        ClientError: if it is no token, or holds too much already.
    """
    if len(read(token).caveats) >= MOST_CAVEATS:
        raise ClientError(f"a token holds at most {MOST_CAVEATS} conditions: create a new one")
    head, _, signature = token.rpartition(".")
    added = _encoded(json.dumps(caveat, separators=(",", ":")).encode())
    derived = f"{head}.{added}.{_encoded(hmac.digest(_decoded(signature), added.encode(), 'sha256'))}"
    if len(derived) > LONGEST:
        raise ClientError(f"the token would have more than {LONGEST} characters: name fewer indices and projects")
    return derived


def together(token: Token) -> dict[str, Any]:
    """Return what is left when each condition of a token holds.

    Those are lists of ``scopes``, ``indices`` and ``projects``, and ``expires`` in seconds since 1970; a key that is
    missing stands for everything.
    """
    left: dict[str, Any] = {}
    for caveat in token.caveats:
        for key, value in caveat.items():
            if key == "expires" and isinstance(value, int):
                left[key] = min(left.get(key, value), value)
            elif isinstance(value, list):
                left[key] = [entry for entry in left.get(key, value) if entry in value]
    return left


def seconds(text: str) -> int:
    """Read a time span such as ``12h``, ``30d`` or ``8w``. Raise ``ValueError`` for anything else."""
    match = SPAN.fullmatch(text.strip())
    if match is None or not int(match[1]):
        raise ValueError(text)
    return int(match[1]) * UNITS[match[2]]


def sentence(said: Mapping[str, Any]) -> str:
    """Say what a token is for, in one line."""
    parts = [values.shown(said.get("scopes") or "nothing")]
    for key, word in (("indices", "on"), ("projects", "project")):
        if said.get(key) is not None:
            parts.append(f"{word} {values.shown(said[key]) or 'none'}")
    expires = said.get("expires")
    if isinstance(expires, int):
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(max(0, min(expires, 2**40))))
    return " ".join(parts) + (f" until {expires}" if expires else "")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
