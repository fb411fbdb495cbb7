"""Groups that this server stores itself, in addition to those of a directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wheelgate import Permission, Server, hookimpl
from wheelgate.providers import Route
from wheelgate_groups.local_groups import GroupService, LocalGroupSource
from wheelgate_groups.routes import GroupRoutes
from wheelgate_groups.state import GroupSection


@hookimpl
def wheelgate_migrations() -> Path:
    """Return the folder with the migrations."""
    return Path(__file__).parent / "migrations"


@hookimpl
def wheelgate_group_sources(server: Server) -> list[LocalGroupSource]:
    """Report the groups of users."""
    return [LocalGroupSource(server)]


@hookimpl
def wheelgate_permissions() -> list[Permission]:
    """Define the permissions to read and change groups."""
    return [
        Permission("group_read", "look at the groups of", "server", "authenticated"),
        Permission("group_create", "create groups on", "server", "root"),
        Permission("group_modify", "modify groups of", "server", "root"),
        Permission("group_delete", "delete groups of", "server", "root"),
    ]


@hookimpl
def wheelgate_routes(server: Server) -> list[Route]:
    """Serve ``/+x/groups``."""
    return GroupRoutes(server).routes()


@hookimpl
def wheelgate_state_sections(server: Server) -> list[GroupSection]:
    """Declare ``[groups]`` in a state file."""
    return [GroupSection(server)]


@hookimpl
def wheelgate_forget_principal(server: Server, principal: str) -> None:
    """Remove a deleted user or group from all groups."""
    GroupService(server).forget(principal)


@hookimpl
def wheelgate_export_data(server: Server) -> dict[str, Any]:
    """Return all groups with their members."""
    return {group.name: group.config for group in GroupService(server).list()}


@hookimpl
def wheelgate_import_data(server: Server, data: Any, users: Mapping[str, str]) -> None:
    """Create the groups of an export, without members who were not imported."""
    GroupService(server).take(data, users)
