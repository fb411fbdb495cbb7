"""Groups that the server knows by itself, beside those of a directory."""

from __future__ import annotations

from pathlib import Path

from wheelgate import Permission, Server, hookimpl
from wheelgate.providers import Route
from wheelgate_groups.local_groups import Groups, LocalGroups
from wheelgate_groups.routes import GroupRoutes


@hookimpl
def wheelgate_migrations() -> Path:
    """Name the folder with the tables' history."""
    return Path(__file__).parent / "migrations"


@hookimpl
def wheelgate_group_sources(server: Server) -> list[LocalGroups]:
    """Bring the groups."""
    return [LocalGroups(server)]


@hookimpl
def wheelgate_permissions() -> list[Permission]:
    """Bring the rights to look at groups and to change them."""
    return [
        Permission("group_read", "look at the groups of", "server", "authenticated"),
        Permission("group_create", "create groups on", "server", "root"),
        Permission("group_modify", "modify groups of", "server", "root"),
        Permission("group_delete", "delete groups of", "server", "root"),
    ]


@hookimpl
def wheelgate_routes(server: Server) -> list[Route]:
    """Bring ``/+x/groups``."""
    return GroupRoutes(server).routes()


@hookimpl
def wheelgate_forget_principal(server: Server, principal: str) -> None:
    """Take who is deleted out of all groups."""
    Groups(server).forget(principal)
