"""Serves ``/+x/groups`` and ``/+x/groups/{name}``."""

from __future__ import annotations

from wheelgate import Server
from wheelgate.providers import Route, RouteEvent, RouteRequest, RouteResponse
from wheelgate_groups.group import GROUP_CHANGE_SCHEMA, GROUP_SCHEMA
from wheelgate_groups.local_groups import GroupService

GROUP_TYPE = "groupconfig"


class GroupRoutes:
    """Lists, shows, creates, changes and deletes groups."""

    def __init__(self, server: Server) -> None:
        self._groups = GroupService(server)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", "/", self.list, "group_read", summary="List the groups"),
            Route("GET", "/{name}", self.show, "group_read", summary="Show a group"),
            Route("PUT", "/{name}", self.create, "group_create", summary="Create a group", schema=GROUP_SCHEMA),
            Route(
                "PATCH", "/{name}", self.modify, "group_modify", summary="Change a group", schema=GROUP_CHANGE_SCHEMA
            ),
            Route("DELETE", "/{name}", self.delete, "group_delete", summary="Delete a group"),
        ]

    def list(self, request: RouteRequest) -> RouteResponse:
        """List all groups."""
        return RouteResponse({group.name: group.config for group in self._groups.list()}, f"list:{GROUP_TYPE}")

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show a group."""
        return RouteResponse(self._groups.get(request.params["name"]).config, GROUP_TYPE)

    def create(self, request: RouteRequest) -> RouteResponse:
        """Create a group."""
        group = self._groups.create(request.params["name"], request.body, request.confirm)
        event = RouteEvent("GroupCreated", group.name, group.config)
        return RouteResponse(group.config, GROUP_TYPE, status=201, events=[event])

    def modify(self, request: RouteRequest) -> RouteResponse:
        """Change a group."""
        before, after = self._groups.modify(request.params["name"], request.body, request.confirm)
        detail = {
            "added": sorted(set(after.members) - set(before.members)),
            "removed": sorted(set(before.members) - set(after.members)),
            "title": after.title,
        }
        events = [RouteEvent("GroupModified", after.name, detail)] if after != before else []
        return RouteResponse(after.config, GROUP_TYPE, events=events)

    def delete(self, request: RouteRequest) -> RouteResponse:
        """Delete a group."""
        group = self._groups.delete(request.params["name"], request.confirm)
        return RouteResponse(message=f"group '{group.name}' deleted", events=[RouteEvent("GroupDeleted", group.name)])
