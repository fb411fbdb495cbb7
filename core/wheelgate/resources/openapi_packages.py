"""The OpenAPI description of the addresses of projects and files."""

from __future__ import annotations

from typing import Any

from wheelgate.fields import BOOLEAN_SCHEMA, STRING_SCHEMA
from wheelgate.packages import STATUSES
from wheelgate.resources.openapi_parts import closed_object, json_body, operation, path_parameter

INDEX_PARAMETERS = [path_parameter("user"), path_parameter("index")]
PROJECT_PARAMETERS = [*INDEX_PARAMETERS, path_parameter("project")]
REDIRECT_MEANINGS = {"302": "it is at another address"}
NEGOTIATION_MEANINGS = {
    **REDIRECT_MEANINGS,
    "304": "the client has it already",
    "406": "the client accepts none of its media types",
}
RANGE_MEANINGS = {"206": "a part of it", "304": "the client has it already", "416": "the range begins after its end"}
SIMPLE_PAGE_TYPES = ("text/html", "application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.v1+json")
FILE_TYPES = ("application/octet-stream", "application/x-tar", "application/zip", "text/plain")


def package_paths() -> dict[str, Any]:
    """Describe the addresses below an index."""
    file = {
        "get": operation(
            "Send a file, its metadata or its provenance", media=FILE_TYPES, also=RANGE_MEANINGS | REDIRECT_MEANINGS
        ),
        "post": operation("Upload a test result", json_body({})),
        "delete": operation("Delete a file"),
    }
    return {
        "/{user}/{index}/+f/{first}/{second}/{name}": {
            "parameters": [*INDEX_PARAMETERS, *map(path_parameter, ("first", "second", "name"))],
            **file,
        },
        "/{user}/{index}/+e/{folder}/{name}": {
            "parameters": [*INDEX_PARAMETERS, path_parameter("folder"), path_parameter("name")],
            **file,
        },
        "/{user}/{index}/+simple": {
            "parameters": INDEX_PARAMETERS,
            "get": operation("List projects for installers", media=SIMPLE_PAGE_TYPES, also=NEGOTIATION_MEANINGS),
        },
        "/{user}/{index}/+simple/{project}": {
            "parameters": PROJECT_PARAMETERS,
            "get": operation(
                "List the files of a project for installers", media=SIMPLE_PAGE_TYPES, also=NEGOTIATION_MEANINGS
            ),
        },
        "/{user}/{index}/+why/{project}": {
            "parameters": PROJECT_PARAMETERS,
            "get": operation("Explain which indices a project comes from", also=REDIRECT_MEANINGS),
        },
        "/{user}/{index}/+simple/{project}/refresh": {
            "parameters": PROJECT_PARAMETERS,
            "post": operation("Make mirrors ask their upstream again", status="302"),
        },
        "/{user}/{index}/pypi/{project}/json": {
            "parameters": PROJECT_PARAMETERS,
            "get": operation("Describe a project as the public index does", also=REDIRECT_MEANINGS),
        },
        "/{user}/{index}/pypi/{project}/{version}/json": {
            "parameters": [*PROJECT_PARAMETERS, path_parameter("version")],
            "get": operation("Describe a version as the public index does", also=REDIRECT_MEANINGS),
        },
        "/{user}/{index}/{project}": {
            "parameters": PROJECT_PARAMETERS,
            "get": operation("Show all versions of a project", media=SIMPLE_PAGE_TYPES, also=NEGOTIATION_MEANINGS),
            "patch": operation("Set the status of a project", body_with_reason("status", {"enum": list(STATUSES)})),
            "delete": operation("Delete a project"),
        },
        "/{user}/{index}/{project}/{version}": {
            "parameters": [*PROJECT_PARAMETERS, path_parameter("version")],
            "get": operation("Show a version", also=REDIRECT_MEANINGS),
            "patch": operation("Yank a version, or take a yank back", body_with_reason("yanked", BOOLEAN_SCHEMA)),
            "delete": operation("Delete a version"),
        },
    }


def body_with_reason(key: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Describe the body that sets a key, with an optional reason."""
    return json_body(closed_object({key: schema, "reason": STRING_SCHEMA}, required=[key]))


def upload_body() -> dict[str, Any]:
    """Describe the body of a POST to an index: an upload form, or a push."""
    form = {
        "type": "object",
        "properties": {
            ":action": {"enum": ["file_upload", "submit", "doc_upload"]},
            "name": STRING_SCHEMA,
            "version": STRING_SCHEMA,
            "content": {"type": "string", "contentMediaType": "application/octet-stream"},
        },
        "required": [":action", "name"],
    }
    push = closed_object(
        {
            **dict.fromkeys(("name", "version", "targetindex", "posturl", "username", "password"), STRING_SCHEMA),
            **dict.fromkeys(("no_docs", "only_docs", "register_project"), BOOLEAN_SCHEMA),
        },
        required=["name", "version"],
    )
    return {
        "required": True,
        "content": {"multipart/form-data": {"schema": form}, "application/json": {"schema": push}},
    }
