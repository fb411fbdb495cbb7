"""What these tests need: servers without sockets, and requests that come through a proxy."""

from __future__ import annotations

import base64
from typing import Any

from tests.helpers.postgres import postgres  # noqa: F401
from tests.helpers.sites import fresh, numbers, serve, shared, site, template  # noqa: F401

from wheelgate.testing.site import Response, Site

PROXY = "10.1.2.3"
STRANGER = "192.0.2.7"


def ask(
    of: Site, name: str, method: str = "GET", path: str = "/+api", body: Any = None, address: str = PROXY, **more: str
) -> Response:
    """Send a request with the proxy's header, and others whose names are written with ``_``."""
    headers = {"X-Remote-User": name, **{key.replace("_", "-"): value for key, value in more.items()}}
    return of.request(method, path, body, headers=headers, address=address)


def who(answer: Response) -> Any:
    """Return the state of the login, and the name, as ``+api`` tells them."""
    return tuple(answer.result["authstatus"][:2])


def basic(name: str, password: str) -> str:
    """Write the header ``Authorization``."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"
