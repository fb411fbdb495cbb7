"""``/{user}/{index}/+why/{project}``: where a project comes from, and what was hidden."""

from __future__ import annotations

import falcon.asgi

from wheelgate.http.answers import answer
from wheelgate.http.front import Front
from wheelgate.resources.package_paths import project_name
from wheelgate.services.explaining import explain
from wheelgate.services.merging import Reading


class WhyResource:
    """Explains the order of inheritance for one name."""

    def __init__(self, front: Front, reading: Reading) -> None:
        self._front = front
        self._reading = reading

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str
    ) -> None:
        """Say of each index that is asked what it has of a project, and why it is or is not served."""
        name = project_name(req, resp, project)
        if name:
            answer(resp, await explain(self._reading, await self._front.index(req, user, index, name), name), "why")
