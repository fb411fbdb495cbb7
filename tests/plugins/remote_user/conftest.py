"""Fixtures and helpers: in-process servers, and requests that come through a proxy."""

from __future__ import annotations

import base64
from typing import Any

from tests.helpers.postgres import postgres  # noqa: F401
from tests.helpers.sites import fresh, numbers, serve, serve_shared, shared, site, template  # noqa: F401

from wheelgate.testing.site import Response, Site

PROXY = "10.1.2.3"
OTHER_ADDRESS = "192.0.2.7"


def ask(
    on: Site, name: str, method: str = "GET", path: str = "/+api", body: Any = None, address: str = PROXY, **more: str
) -> Response:
    """Send a request with the proxy's header, and with more headers, whose ``_`` become ``-``."""
    headers = {"X-Remote-User": name, **{key.replace("_", "-"): value for key, value in more.items()}}
    return on.request(method, path, body, headers=headers, address=address)


def login_state(answer: Response) -> Any:
    """Return the login's state and the user's name from ``authstatus``."""
    return tuple(answer.result["authstatus"][:2])


def basic(name: str, password: str) -> str:
    """Return a value for ``Authorization``."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"
