"""``/``: all users with their indices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wheelgate.providers import Answer, RouteRequest, RouteResponse
from wheelgate_web.rendering import Renderer


@dataclass(frozen=True, slots=True)
class IndexLine:
    """An index in a list."""

    path: str
    type: str
    title: str
    bases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserCard:
    """A user in a list."""

    name: str
    title: str
    description: str
    indices: tuple[IndexLine, ...]


class Overview:
    """The page."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show the users and indices that the caller may see."""
        found = request.ask("GET", "/")
        if found.status != 200:
            return refused(self._renderer, request, found)
        users = [user_card(name, config) for name, config in sorted(found.result.items())]
        return self._renderer.page(request, "overview.html", "Overview", alternate="/", users=users)


def user_card(name: str, config: Mapping[str, Any]) -> UserCard:
    """Return a user from the API's answer."""
    indices = tuple(index_line(f"{name}/{index}", each) for index, each in sorted(config["indexes"].items()))
    return UserCard(name, config.get("title") or "", config.get("description") or "", indices)


def index_line(path: str, config: Mapping[str, Any]) -> IndexLine:
    """Return an index from the API's answer."""
    return IndexLine(path, config["type"], config.get("title") or "", tuple(config.get("bases", ())))


def refused(renderer: Renderer, request: RouteRequest, answer: Answer) -> RouteResponse:
    """Return the page that shows a refusal of the API."""
    from wheelgate_web.error_pages import error_page

    return error_page(renderer, request, answer.status, answer.message)
