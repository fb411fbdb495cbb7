"""``/+openapi``: the HTTP API of this server as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import falcon.asgi

from wheelgate.fields import STRING_LIST_SCHEMA, STRING_SCHEMA, IndexType
from wheelgate.http.answers import encode_json
from wheelgate.providers import Route
from wheelgate.resources.openapi_packages import package_paths, upload_body
from wheelgate.resources.openapi_parts import closed_object, json_body, operation, path_parameter, query_parameter
from wheelgate.values import EMPTY_MAPPING

USER_PROPERTIES = {
    "email": STRING_SCHEMA,
    "title": STRING_SCHEMA,
    "description": STRING_SCHEMA,
    "custom_data": {},
    "password": STRING_SCHEMA,
}
USER_PARAMETER, INDEX_PARAMETER = path_parameter("user"), path_parameter("index")


class OpenApiResource:
    """``GET /+openapi``."""

    def __init__(self, types: Sequence[IndexType], routes: Sequence[tuple[str, Route]], version: str) -> None:
        self._types = types
        self._routes = routes
        self._version = version

    @cached_property
    def _document(self) -> bytes:
        """The document, written at the first request: most servers get none, and each start would pay for it."""
        described = openapi_document(self._types, self._version)
        for plugin, route in self._routes:
            path, methods = plugin_route(plugin, route)
            described["paths"].setdefault(path, {}).update(methods)
        return encode_json(described)

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Show the document."""
        resp.data = self._document


def openapi_document(types: Sequence[IndexType], version: str) -> dict[str, Any]:
    """Return the document, with the index types that the plugins provide."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "wheelgate", "version": version},
        "paths": {**server_paths(), **user_and_index_paths(types), **package_paths()},
        "components": {
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "devpi": {"type": "apiKey", "in": "header", "name": "X-Devpi-Auth"},
            }
        },
        "security": [{}, {"basic": []}, {"devpi": []}],
    }


def server_paths() -> dict[str, Any]:
    """Describe the addresses of the server as a whole, and those at which a client begins."""
    login = {"user": STRING_SCHEMA, "password": STRING_SCHEMA}
    describe_server = {"get": operation("Describe the server"), "post": operation("Describe the server")}
    describe_index = {"get": operation("Describe an index"), "post": operation("Describe an index")}
    return {
        "/": {"get": operation("List users and their indices")},
        "/+api": describe_server,
        "/{user}/+api": {"parameters": [USER_PARAMETER], **describe_server},
        "/{user}/{index}/+api": {"parameters": [USER_PARAMETER, INDEX_PARAMETER], **describe_index},
        "/+login": {"post": operation("Log in", json_body(closed_object(login, required=["user", "password"])))},
        "/+logout": {"post": operation("Log out")},
        "/+authcheck": {"get": operation("Tell a proxy whether to let a request through")},
        "/+status": {"get": operation("Show the state of the server")},
        "/+healthz": {"get": operation("Say that the server answers")},
        "/+readyz": {"get": operation("Say whether the database and the files answer")},
        "/+metrics": {"get": operation("Show the metrics", media=("text/plain", "application/openmetrics-text"))},
        "/+whoami": {"get": operation("Show the user and the credential that the server recognises")},
        "/+can": {
            "parameters": [query_parameter(name) for name in ("permission", "resource", "project", "user")],
            "get": operation("Say whether a user has a permission, and who decided so"),
        },
        "/+openapi": {"get": operation("Show this document")},
    }


def user_and_index_paths(types: Sequence[IndexType]) -> dict[str, Any]:
    """Describe the addresses of users and indices."""
    keys: dict[str, Any] = {"type": {"type": "string", "enum": [index_type.name for index_type in types]}}
    for index_type in types:
        keys |= {field.name: dict(field.schema) for field in index_type.fields}
    index = closed_object(keys)
    return {
        "/{user}": {
            "parameters": [USER_PARAMETER],
            "get": operation("Show a user"),
            "put": operation("Create a user", json_body(closed_object(USER_PROPERTIES, required=["password"])), "201"),
            "patch": operation("Change a user", json_body(closed_object(USER_PROPERTIES))),
            "delete": operation("Delete a user"),
        },
        "/{user}/{index}": {
            "parameters": [USER_PARAMETER, INDEX_PARAMETER],
            "get": operation("Show an index"),
            "post": operation("Upload a file, or push a release", upload_body(), media=("text/plain",)),
            "put": operation("Create an index", json_body(index)),
            "patch": operation("Change an index", json_body({"oneOf": [index, STRING_LIST_SCHEMA]})),
            "delete": operation("Delete an index", status="201"),
        },
    }


def plugin_route(plugin: str, route: Route) -> tuple[str, dict[str, Any]]:
    """Describe a route of a plugin: its path without Falcon's converters, and its methods."""
    path = re.sub(r"\{(\w+)[^}]*\}", r"{\1}", route.address(plugin))
    names = re.findall(r"\{(\w+)\}", path)
    parameters = [{**path_parameter(name), "schema": STRING_SCHEMA} for name in names]
    request_body = json_body(dict(route.schema)) if route.schema else None
    also = {"201": "created"} if route.method == "PUT" else EMPTY_MAPPING
    # A route may answer with a body of any type, such as a page.
    described = operation(route.summary or f"Ask the plugin '{plugin}'", request_body, media=("*/*",), also=also)
    return path, {"parameters": parameters, route.method.lower(): described}
