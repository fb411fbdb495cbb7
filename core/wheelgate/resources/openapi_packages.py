"""The addresses of projects and files, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from wheelgate.packages import STATUSES
from wheelgate.resources.openapi_parts import TEXT, body, operation, parameter

INDEX = [parameter("user"), parameter("index")]
PROJECT = [*INDEX, parameter("project")]
FLAG = {"type": "boolean"}
ELSEWHERE = {"302": "it is at another address"}
NEGOTIATED = {**ELSEWHERE, "304": "the client has it", "406": "it has no form that the client takes"}
PARTS = {"206": "a part of it", "304": "the client has it", "416": "it has no such part"}
SIMPLE = ("text/html", "application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.v1+json")
FILES = ("application/octet-stream", "application/x-tar", "application/zip", "text/plain")


def package_paths() -> dict[str, Any]:
    """Describe the addresses below an index."""
    file = {
        "get": operation("Send a file, its metadata or its provenance", media=FILES, also=PARTS | ELSEWHERE),
        "post": operation("Upload the result of a test", body({})),
        "delete": operation("Delete a file"),
    }
    return {
        "/{user}/{index}/+f/{first}/{second}/{name}": {
            "parameters": [*INDEX, *map(parameter, ("first", "second", "name"))],
            **file,
        },
        "/{user}/{index}/+e/{folder}/{name}": {
            "parameters": [*INDEX, parameter("folder"), parameter("name")],
            **file,
        },
        "/{user}/{index}/+simple": {
            "parameters": INDEX,
            "get": operation("List projects as installers read it", media=SIMPLE, also=NEGOTIATED),
        },
        "/{user}/{index}/+simple/{project}": {
            "parameters": PROJECT,
            "get": operation("List the files of a project as installers read it", media=SIMPLE, also=NEGOTIATED),
        },
        "/{user}/{index}/+why/{project}": {
            "parameters": PROJECT,
            "get": operation("Say which index a project comes from", also=ELSEWHERE),
        },
        "/{user}/{index}/+simple/{project}/refresh": {
            "parameters": PROJECT,
            "post": operation("Have an upstream asked again", status="302"),
        },
        "/{user}/{index}/{project}": {
            "parameters": PROJECT,
            "get": operation("Show all versions of a project", media=SIMPLE, also=NEGOTIATED),
            "patch": operation("Set the status of a project", marked("status", {"enum": list(STATUSES)})),
            "delete": operation("Delete a project"),
        },
        "/{user}/{index}/{project}/{version}": {
            "parameters": [*PROJECT, parameter("version")],
            "get": operation("Show a version", also=ELSEWHERE),
            "patch": operation("Yank a version, or take that back", marked("yanked", FLAG)),
            "delete": operation("Delete a version"),
        },
    }


def marked(key: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Describe the body of a mark."""
    keys = {key: schema, "reason": TEXT}
    return body({"type": "object", "properties": keys, "required": [key], "additionalProperties": False})


def upload() -> dict[str, Any]:
    """Describe what an index takes: a form with a file, or what is to be pushed."""
    form = {
        "type": "object",
        "properties": {
            ":action": {"enum": ["file_upload", "submit", "doc_upload"]},
            "name": TEXT,
            "version": TEXT,
            "content": {"type": "string", "contentMediaType": "application/octet-stream"},
        },
        "required": [":action", "name"],
    }
    push = {
        "type": "object",
        "properties": {
            **dict.fromkeys(("name", "version", "targetindex", "posturl", "username", "password"), TEXT),
            **dict.fromkeys(("no_docs", "only_docs", "register_project"), FLAG),
        },
        "required": ["name", "version"],
        "additionalProperties": False,
    }
    return {
        "required": True,
        "content": {"multipart/form-data": {"schema": form}, "application/json": {"schema": push}},
    }
