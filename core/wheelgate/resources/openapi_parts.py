"""The building blocks of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wheelgate.fields import STRING_SCHEMA
from wheelgate.values import EMPTY_MAPPING

ANSWER_SCHEMA = {
    "type": "object",
    "properties": {"result": {}, "type": STRING_SCHEMA, "message": STRING_SCHEMA},
    "additionalProperties": False,
}
CREDENTIAL_SCHEMA = {
    "type": ["object", "null"],
    "properties": {
        "kind": {"enum": ["password", "proxy", "session", "token"]},
        "id": {"type": ["string", "null"]},
        "expires": {"type": ["string", "null"], "format": "date-time"},
    },
    "required": ["kind", "id", "expires"],
    "additionalProperties": False,
}
REFUSAL_SCHEMA = {
    "type": "object",
    "description": "all keys but the message are for callers whose credentials the server knows",
    "properties": {
        "message": STRING_SCHEMA,
        "permission": STRING_SCHEMA,
        "resource": {**STRING_SCHEMA, "description": "'owner/name' of an index, the name of a user, or empty"},
        "project": STRING_SCHEMA,
        "user": STRING_SCHEMA,
        "credential": CREDENTIAL_SCHEMA,
        "rule": {
            "type": "object",
            "properties": {"plugin": STRING_SCHEMA, "reason": STRING_SCHEMA},
            "required": ["plugin", "reason"],
            "additionalProperties": False,
        },
    },
    "required": ["message"],
    "additionalProperties": False,
}
REFUSAL_MEANINGS = {
    "400": "the request is malformed, or a value is wrong",
    "401": "the request needs a login, or its credentials are wrong",
    "403": "the caller does not have the permission",
    "404": "it does not exist",
    "405": "the method is not allowed here",
    "409": "it already exists, was changed in the meantime, or is not supported by this server",
    "410": "it was deleted",
    "413": "the body is too long",
    "429": "too many wrong passwords",
    "502": "an upstream sent an invalid answer",
    "503": "a service that the server depends on does not answer",
    "504": "an upstream did not answer in time",
    "507": "the storage is full",
}


def path_parameter(name: str) -> dict[str, Any]:
    """Describe a segment of a path."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def query_parameter(name: str) -> dict[str, Any]:
    """Describe an optional parameter of a query."""
    return {"name": name, "in": "query", "required": False, "schema": STRING_SCHEMA}


def operation(
    summary: str,
    request_body: dict[str, Any] | None = None,
    status: str = "200",
    media: tuple[str, ...] = (),
    also: Mapping[str, str] = EMPTY_MAPPING,
) -> dict[str, Any]:
    """Describe one method of one address.

    Args:
        summary: one line about its effect.
        request_body: the body that it takes, made by :func:`json_body`.
        status: the status of success.
        media: the media types of a successful answer, apart from JSON.
        also: further statuses with their meanings.
    """
    described: dict[str, Any] = {
        "summary": summary,
        "responses": {
            **_answers({status: "done"}),
            **REFUSAL_RESPONSES,
            **_answers(also),
        },
    }
    described["responses"][status]["content"] |= {kind: {} for kind in media}
    if request_body is not None:
        described["requestBody"] = request_body
    return described


def _answers(meanings: Mapping[str, str]) -> dict[str, Any]:
    return {
        code: redirect_response(meaning) if code == "302" else json_response(meaning)
        for code, meaning in meanings.items()
    }


def redirect_response(meaning: str) -> dict[str, Any]:
    """Describe a redirection."""
    location = {"Location": {"schema": STRING_SCHEMA}}
    return {"description": meaning, "headers": location, "content": {"text/plain": {}}}


def json_response(meaning: str, schema: Mapping[str, Any] = ANSWER_SCHEMA) -> dict[str, Any]:
    """Describe one answer."""
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


def json_body(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a JSON body."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def closed_object(properties: dict[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    """Return the schema of an object that has no other properties than these."""
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


REFUSAL_RESPONSES = {code: json_response(meaning, REFUSAL_SCHEMA) for code, meaning in REFUSAL_MEANINGS.items()}
"""Part of every operation; one object for all of them."""
