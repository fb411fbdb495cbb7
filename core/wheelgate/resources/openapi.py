"""``/+openapi``: what this server understands, as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import falcon.asgi

from wheelgate.fields import IndexType
from wheelgate.http.answers import encode
from wheelgate.http.front import Front
from wheelgate.providers import Route

TEXT = {"type": "string"}
USER = {"name": "user", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
INDEX = {"name": "index", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
USER_KEYS = {"email": TEXT, "title": TEXT, "description": TEXT, "custom_data": {}, "password": TEXT}
REFUSALS = {
    "400": "something in the request is wrong",
    "401": "it needs a login, or the one given is not good",
    "403": "the caller may not",
    "404": "there is no such thing",
    "405": "the method is not allowed here",
    "409": "it exists already, has changed meanwhile, or this server cannot do it",
    "413": "the body is too long",
    "429": "too many wrong passwords",
    "503": "something behind the server does not answer",
    "507": "the disk is full",
}


class OpenApiResource:
    """``GET /+openapi``."""

    def __init__(
        self, front: Front, types: Sequence[IndexType], routes: Sequence[tuple[str, Route]], version: str
    ) -> None:
        self._front = front
        described = document(types, version)
        for plugin, route in routes:
            path, methods = plugin_route(plugin, route)
            described["paths"].setdefault(path, {}).update(methods)
        self._document = encode(described)

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Show the document."""
        resp.data = self._document


def document(types: Sequence[IndexType], version: str) -> dict[str, Any]:
    """Write the document for the index types that the plugins bring."""
    keys: dict[str, Any] = {"type": {"type": "string", "enum": [kind.name for kind in types]}}
    for kind in types:
        keys |= {field.name: dict(field.schema) for field in kind.fields}
    user = body({"type": "object", "properties": USER_KEYS, "additionalProperties": False})
    new_user = body(
        {"type": "object", "properties": USER_KEYS, "required": ["password"], "additionalProperties": False}
    )
    index = {"type": "object", "properties": keys, "additionalProperties": False}
    operations = {"type": "array", "items": TEXT}
    login = {"type": "object", "properties": {"user": TEXT, "password": TEXT}, "required": ["user", "password"]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "wheelgate", "version": version},
        "paths": {
            "/": {"get": operation("List users and their indices")},
            "/+api": {"get": operation("Describe the server"), "post": operation("Describe the server")},
            "/{user}/+api": {
                "parameters": [USER],
                "get": operation("Describe the server"),
                "post": operation("Describe the server"),
            },
            "/{user}/{index}/+api": {
                "parameters": [USER, INDEX],
                "get": operation("Describe an index"),
                "post": operation("Describe an index"),
            },
            "/+login": {
                "post": operation("Begin a session", body({**login, "additionalProperties": False})),
            },
            "/+logout": {"post": operation("End a session")},
            "/+authcheck": {"get": operation("Check a request for a proxy")},
            "/+status": {"get": operation("Say how the server is")},
            "/+openapi": {"get": operation("Show this document")},
            "/{user}": {
                "parameters": [USER],
                "get": operation("Show a user"),
                "put": operation("Create a user", new_user, "201"),
                "patch": operation("Change a user", user),
                "delete": operation("Delete a user"),
            },
            "/{user}/{index}": {
                "parameters": [USER, INDEX],
                "get": operation("Show an index"),
                "put": operation("Create an index", body(index)),
                "patch": operation("Change an index", body({"oneOf": [index, operations]})),
                "delete": operation("Delete an index", status="201"),
            },
        },
        "components": {
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "devpi": {"type": "apiKey", "in": "header", "name": "X-Devpi-Auth"},
            }
        },
        "security": [{}, {"basic": []}, {"devpi": []}],
    }


def plugin_route(plugin: str, route: Route) -> tuple[str, dict[str, Any]]:
    """Describe an address that a plugin serves: its path without Falcon's converters, and its methods."""
    path = re.sub(r"\{(\w+)[^}]*\}", r"{\1}", route.address(plugin))
    names = re.findall(r"\{(\w+)\}", path)
    parameters = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]
    described = operation(f"Ask the plugin '{plugin}'")
    return path, {"parameters": parameters, route.method.lower(): described}


def operation(summary: str, request_body: dict[str, Any] | None = None, status: str = "200") -> dict[str, Any]:
    """Describe one method of one address."""
    described: dict[str, Any] = {
        "summary": summary,
        "responses": {
            status: response("done"),
            **{code: response(meaning) for code, meaning in REFUSALS.items()},
        },
    }
    if request_body is not None:
        described["requestBody"] = request_body
    return described


def response(meaning: str) -> dict[str, Any]:
    """Describe one answer."""
    schema = {
        "type": "object",
        "properties": {"result": {}, "type": TEXT, "message": TEXT},
        "additionalProperties": False,
    }
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


def body(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a JSON body."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}
