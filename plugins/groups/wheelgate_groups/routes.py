"""``/+x/groups`` and ``/+x/groups/{name}``."""

from __future__ import annotations

from wheelgate import Server
from wheelgate.providers import Route, RouteEvent, RouteRequest, RouteResponse
from wheelgate_groups.group import CHANGE_SCHEMA, SCHEMA
from wheelgate_groups.local_groups import Groups

KIND = "groupconfig"


class GroupRoutes:
    """Lists, shows, creates, changes and deletes groups."""

    def __init__(self, server: Server) -> None:
        self._groups = Groups(server)

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/", self.list, "group_read", summary="List the groups"),
            Route("GET", "/{name}", self.show, "group_read", summary="Show a group"),
            Route("PUT", "/{name}", self.create, "group_create", summary="Create a group", schema=SCHEMA),
            Route("PATCH", "/{name}", self.modify, "group_modify", summary="Change a group", schema=CHANGE_SCHEMA),
            Route("DELETE", "/{name}", self.delete, "group_delete", summary="Delete a group"),
        ]

    def list(self, asked: RouteRequest) -> RouteResponse:
        """List all groups."""
        return RouteResponse({group.name: group.config for group in self._groups.list()}, f"list:{KIND}")

    def show(self, asked: RouteRequest) -> RouteResponse:
        """Show a group."""
        return RouteResponse(self._groups.get(asked.params["name"]).config, KIND)

    def create(self, asked: RouteRequest) -> RouteResponse:
        """Create a group."""
        group = self._groups.create(asked.params["name"], asked.body)
        happened = RouteEvent("GroupCreated", group.name, group.config)
        return RouteResponse(group.config, KIND, status=201, events=[happened])

    def modify(self, asked: RouteRequest) -> RouteResponse:
        """Change a group."""
        before, after = self._groups.modify(asked.params["name"], asked.body)
        detail = {
            "added": sorted(set(after.members) - set(before.members)),
            "removed": sorted(set(before.members) - set(after.members)),
            "title": after.title,
        }
        happened = [RouteEvent("GroupModified", after.name, detail)] if after != before else []
        return RouteResponse(after.config, KIND, events=happened)

    def delete(self, asked: RouteRequest) -> RouteResponse:
        """Delete a group."""
        group = self._groups.delete(asked.params["name"])
        return RouteResponse(message=f"group '{group.name}' deleted", events=[RouteEvent("GroupDeleted", group.name)])
