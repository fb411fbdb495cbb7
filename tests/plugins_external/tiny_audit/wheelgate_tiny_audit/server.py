"""Logs events to a file, and shows them to users who have its permission."""

import json
from pathlib import Path

from wheelgate import Event, Permission, Server, hookimpl
from wheelgate.providers import Route, RouteRequest, RouteResponse


@hookimpl
def wheelgate_permissions() -> list[Permission]:
    """Define the permission to read the trail."""
    return [Permission("audit_read", "read the audit trail of", "server", "root")]


@hookimpl
def wheelgate_features() -> list[str]:
    """Tell clients that the server has an audit trail."""
    return ["tiny-audit"]


@hookimpl
def wheelgate_on_event(server: Server, event: Event) -> None:
    """Append a line, short enough for a single write."""
    entry = {"event": event.name, "actor": event.actor, "subject": event.subject}
    with trail(server).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


@hookimpl
def wheelgate_routes(server: Server) -> list[Route]:
    """Show what happened to a user or an index."""

    def show(request: RouteRequest) -> RouteResponse:
        wanted = request.params["subject"]
        entries = [json.loads(line) for line in trail(server).read_text("utf-8").splitlines()]
        return RouteResponse([entry for entry in entries if entry["subject"] == wanted], "audit")

    return [Route("GET", "/trail/{subject}", show, permission="audit_read")]


def trail(server: Server) -> Path:
    """Return the path of the file."""
    return server.config.serverdir / "audit.jsonl"
