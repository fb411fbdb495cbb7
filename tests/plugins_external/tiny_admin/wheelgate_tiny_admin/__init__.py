"""Shows an administrator what there is and what happens: what a page of administration would be made of."""

from collections import Counter, deque

from wheelgate import Event, Permission, Server, hookimpl
from wheelgate.providers import Route, RouteRequest, RouteResponse

RECENT: deque[str] = deque(maxlen=100)
"""What this worker has heard of."""


@hookimpl
def wheelgate_permissions() -> list[Permission]:
    return [Permission("tiny_admin", "administrate", "server", "root")]


@hookimpl
def wheelgate_on_event(event: Event) -> None:
    RECENT.append(f"{event.name} {event.subject}")


@hookimpl
def wheelgate_routes(server: Server) -> list[Route]:
    def overview(request: RouteRequest) -> RouteResponse:
        owners = Counter(index.owner for index in server.indices.list())
        users = [
            {"name": user.name, "provider": user.provider or "local", "indices": owners[user.name]}
            for user in server.users.list()
        ]
        return RouteResponse({"users": users, "recent": list(RECENT)}, "overview")

    return [Route("GET", "/overview", overview, permission="tiny_admin")]
