"""Shows an administrator the users and recent events, as a route and as a subcommand of ``devpi-server``."""

import argparse
from collections import Counter, deque

from wheelgate import Command, Event, Permission, Server, hookimpl
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate.subcommands import CommandContext

RECENT_EVENTS: deque[str] = deque(maxlen=100)
"""The latest events of this worker."""


@hookimpl
def wheelgate_permissions() -> list[Permission]:
    return [Permission("tiny_admin", "administrate", "server", "root")]


@hookimpl
def wheelgate_on_event(event: Event) -> None:
    RECENT_EVENTS.append(f"{event.name} {event.subject}")


@hookimpl
def wheelgate_routes(server: Server) -> list[Route]:
    def overview(request: RouteRequest) -> RouteResponse:
        owners = Counter(index.owner for index in server.indices.list())
        users = [
            {"name": user.name, "provider": user.provider or "local", "indices": owners[user.name]}
            for user in server.users.list()
        ]
        return RouteResponse({"users": users, "recent": list(RECENT_EVENTS)}, "overview")

    return [Route("GET", "/overview", overview, permission="tiny_admin")]


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--provider", metavar="NAME", help="list only the users of this login service")


def list_users(arguments: argparse.Namespace, context: CommandContext) -> int:
    with context.open_server(read_only=True) as server:
        for user in server.users.list():
            if arguments.provider in (None, user.provider or "local"):
                print(f"{user.name}: {user.provider or 'local'}")
    return 0


@hookimpl
def wheelgate_commands() -> list[Command]:
    return [Command("users", "list the users with their login services", register, list_users)]
