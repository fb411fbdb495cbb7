"""Requests whose body arrives in two parts, with something happening in between."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import falcon.testing

from wheelgate.testing.site import Response, Site


def send_in_two_parts(
    site: Site,
    method: str,
    path: str,
    body: Any,
    auth: tuple[str, str],
    meanwhile: Callable[[], object],
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Send a request, call ``meanwhile`` when the server has read half of its body, and return the response.

    ``body`` is bytes, or anything else as JSON. ``meanwhile`` may send requests of its own to the site.
    """
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"X-Devpi-Auth": base64.b64encode(":".join(auth).encode()).decode(), **(headers or {})}
    parts = [data[: len(data) // 2], data[len(data) // 2 :]]
    collected = falcon.testing.ASGIResponseEventCollector()

    async def receive() -> dict[str, Any]:
        if len(parts) == 1:
            await asyncio.to_thread(meanwhile)
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def exchange() -> None:
        await site.application.asgi(scope, receive, collected)

    scope = falcon.testing.create_scope(path, "", method, sent, "localhost", content_length=len(data))
    asyncio.run(exchange())
    result = falcon.testing.Result(
        collected.body_chunks, falcon.code_to_http_status(collected.status or 0), collected.headers
    )
    return Response(result.status_code, result.headers, result.content)
