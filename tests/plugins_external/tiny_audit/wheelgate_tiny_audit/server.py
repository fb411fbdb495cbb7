"""Writes down what happens, and shows it to who has the permission: a listener with an address of its own."""

import json
from pathlib import Path

from wheelgate import Event, Permission, Server, hookimpl
from wheelgate.providers import Route, RouteRequest, RouteResponse


@hookimpl
def wheelgate_permissions() -> list[Permission]:
    """Bring the right to look at the trail."""
    return [Permission("audit_read", "read the audit trail of", "server", "root")]


@hookimpl
def wheelgate_features() -> list[str]:
    """Tell clients that there is a trail."""
    return ["tiny-audit"]


@hookimpl
def wheelgate_on_event(server: Server, event: Event) -> None:
    """Add a line, so short that it is written in one piece."""
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
    """Return the file."""
    return server.config.serverdir / "audit.jsonl"
