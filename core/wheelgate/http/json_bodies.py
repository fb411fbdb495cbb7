"""JSON bodies of requests: decoded, and refused if two readers could understand them differently."""

from __future__ import annotations

import json
from typing import Any

import falcon.asgi

from wheelgate.errors import BadInput, TooLarge
from wheelgate.http.request import read_body
from wheelgate.threads.large_inputs import call_aside
from wheelgate.values import FORBIDDEN_IN_TEXT

MAX_JSON_BYTES = 1_000_000
"""Bytes of a body."""
MAX_JSON_BYTES_ON_LOOP = 64_000
"""Bytes of a body that the event loop decodes by itself; a longer one may have 500,000 values, and goes to a thread."""
MAX_JSON_DEPTH = 32
"""Levels of nesting."""
JSON_NUMBER_LIMIT = 2**63
"""Numbers must be less than this, and at least its negative."""


async def read_json(req: falcon.asgi.Request) -> Any:
    """Read and decode the JSON body, regardless of the Content-Type.

    Raises:
        TooLarge: it has more than ``MAX_JSON_BYTES`` bytes.
        BadInput: it is not JSON (RFC 8259), or contains something that two readers could understand differently:
            duplicate keys, numbers outside 64 bits, NUL, lone surrogates, or nesting deeper than ``MAX_JSON_DEPTH``.
    """
    return await decode_body(await read_body(req, MAX_JSON_BYTES))


async def decode_body(data: bytes) -> Any:
    """Decode a JSON body that has been read already. Raise as :func:`read_json` does."""
    if len(data) > MAX_JSON_BYTES:
        raise TooLarge(f"the body has {len(data)} bytes; this address takes at most {MAX_JSON_BYTES} of JSON")
    return await call_aside(len(data) > MAX_JSON_BYTES_ON_LOOP, decode_json, data)


def begins_like_json(data: bytes) -> bool:
    """Return whether a body called URL-encoded is a JSON object: in a form, the brace would be encoded."""
    return data.lstrip(b" \t\r\n").startswith(b"{")


def decode_json(data: bytes) -> Any:
    """Decode a JSON document. Raise ``BadInput`` as :func:`read_json` does."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise BadInput("Bad request: could not decode json: the body is not UTF-8") from None
    except RecursionError:
        raise BadInput(f"the body is nested deeper than {MAX_JSON_DEPTH} levels") from None
    except ValueError:
        raise BadInput("Bad request: could not decode json") from None
    _refuse_ambiguous(value, "the body", 0)
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    decoded = dict(pairs)
    if len(decoded) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadInput(f"the key {ascii(twice)[:80]} occurs twice in one object")
    return decoded


def _refuse_constant(name: str) -> Any:
    raise BadInput(f"{name} is not a JSON number")


def _refuse_ambiguous(value: Any, where: str, depth: int) -> None:
    if depth > MAX_JSON_DEPTH:
        raise BadInput(f"the body is nested deeper than {MAX_JSON_DEPTH} levels")
    if isinstance(value, str):
        if FORBIDDEN_IN_TEXT.search(value):
            raise BadInput(f"{where} contains a character that is not valid in text (NUL or half of a surrogate pair)")
    elif isinstance(value, dict):
        for key, entry in value.items():
            _refuse_ambiguous(key, f"a key of {where}", depth)
            _refuse_ambiguous(entry, f"'{key[:80]}'", depth + 1)
    elif isinstance(value, list):
        for entry in value:
            _refuse_ambiguous(entry, f"an entry of {where}", depth + 1)
    elif isinstance(value, int | float) and not -JSON_NUMBER_LIMIT <= value < JSON_NUMBER_LIMIT:
        raise BadInput(f"{where} contains a number outside the range of 64 bits")
