"""``/{user}/{index}/+why/{project}``: where a project comes from, and what was hidden."""

from __future__ import annotations

import falcon.asgi

from wheelgate.http.answers import answer
from wheelgate.resources.viewing import Viewing, project_name
from wheelgate.services.explaining import explain
from wheelgate.services.reading import Reading


class WhyResource:
    """Explains the order of inheritance for one name."""

    def __init__(self, viewing: Viewing, reading: Reading) -> None:
        self._viewing = viewing
        self._reading = reading

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str, index: str, project: str
    ) -> None:
        """Say of each index that is asked what it has of a project, and why it is or is not served."""
        name = project_name(req, resp, project)
        if name:
            view = await self._viewing.view(req, user, index, name)
            answer(resp, await explain(self._reading, view, name), "why")
