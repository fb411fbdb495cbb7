"""The wire format of an answer: JSON with two spaces and a newline, and the headers that every answer has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import falcon.asgi
import orjson

from wheelgate.store.access import Access

JSON = "application/json"
"""Without charset: the incumbent's client compares the Content-Type with this very string."""


def encode(document: Any) -> bytes:
    """Encode a JSON document."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def answer(
    resp: falcon.asgi.Response,
    result: Any = None,
    kind: str = "",
    message: str = "",
    status: int = 200,
) -> None:
    """Answer with a result and its type, a message, or both."""
    document: dict[str, Any] = {}
    if kind:
        document = {"result": result, "type": kind}
    if message:
        document["message"] = message
    resp.data = encode(document)
    resp.status_code = status


class CommonHeaders:
    """Middleware that puts on every answer what clients and browsers look for."""

    def __init__(self, version: str, uuid: str, access: Access) -> None:
        self._access = access
        self._fixed: Mapping[str, str] = {
            "x-devpi-api-version": "2",
            "x-devpi-server-version": version,
            "x-devpi-uuid": uuid,
            "x-devpi-master-uuid": uuid,
            "x-devpi-primary-uuid": uuid,
            "x-content-type-options": "nosniff",
        }

    async def process_response(
        self,
        req: falcon.asgi.Request,
        resp: falcon.asgi.Response,
        resource: object,
        req_succeeded: bool,
    ) -> None:
        """Add the headers."""
        resp.set_headers(self._fixed)
        resp.set_header("x-devpi-serial", str(self._access.serial))
