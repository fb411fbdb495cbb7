"""The empty responder, which shows the cost of falcon.asgi and gunicorn by themselves."""

from __future__ import annotations

import falcon.asgi


class Resource:
    """Answers with a few bytes of JSON."""

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Send the answer."""
        resp.content_type = "application/json"
        resp.data = b'{"result": {}, "type": "empty"}\n'


def make_app() -> falcon.asgi.App:  # type: ignore[type-arg]
    """Return the application for gunicorn."""
    app = falcon.asgi.App()
    app.add_route("/+api", Resource())
    return app
