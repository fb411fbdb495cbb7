"""The parts that the OpenAPI document is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wheelgate.values import NOTHING

TEXT = {"type": "string"}
ANSWER = {
    "type": "object",
    "properties": {"result": {}, "type": TEXT, "message": TEXT},
    "additionalProperties": False,
}
REFUSALS = {
    "400": "something in the request is wrong",
    "401": "it needs a login, or the one given is not good",
    "403": "the caller may not",
    "404": "there is no such thing",
    "405": "the method is not allowed here",
    "409": "it exists already, has changed meanwhile, or this server cannot do it",
    "410": "there was one, and it was removed",
    "413": "the body is too long",
    "429": "too many wrong passwords",
    "502": "an upstream answers what cannot be used",
    "503": "something behind the server does not answer",
    "504": "an upstream does not answer in time",
    "507": "the disk is full",
}


def parameter(name: str) -> dict[str, Any]:
    """Describe a part of a path."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def operation(
    summary: str,
    request_body: dict[str, Any] | None = None,
    status: str = "200",
    media: tuple[str, ...] = (),
    also: Mapping[str, str] = NOTHING,
) -> dict[str, Any]:
    """Describe one method of one address.

    Args:
        summary: what it does.
        request_body: what :func:`body` returns.
        status: the status of success.
        media: the media types of success besides JSON.
        also: further statuses with their meanings.
    """
    described: dict[str, Any] = {
        "summary": summary,
        "responses": {
            **_answers({status: "done"}),
            **REFUSED,
            **_answers(also),
        },
    }
    described["responses"][status]["content"] |= {kind: {} for kind in media}
    if request_body is not None:
        described["requestBody"] = request_body
    return described


def _answers(meanings: Mapping[str, str]) -> dict[str, Any]:
    return {code: redirection(meaning) if code == "302" else response(meaning) for code, meaning in meanings.items()}


def redirection(meaning: str) -> dict[str, Any]:
    """Describe an answer that only says where to go."""
    location = {"Location": {"schema": TEXT}}
    return {"description": meaning, "headers": location, "content": {"text/plain": {}}}


def response(meaning: str) -> dict[str, Any]:
    """Describe one answer."""
    return {"description": meaning, "content": {"application/json": {"schema": ANSWER}}}


def body(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a JSON body."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


REFUSED = _answers(REFUSALS)
"""In every operation, and the same in all."""
