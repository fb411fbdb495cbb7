"""What administrators look at: users, groups, rights, plugins, and the state of what the server depends on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from wheelgate import Resource
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate_web.forms import Field
from wheelgate_web.paging import after_of, filter_of, paging_of
from wheelgate_web.permissions import require
from wheelgate_web.rendering import Renderer

USERS_OF_A_PAGE = 50
SHOWN_DETAILS = ("host", "port", "outside-url", "database", "workers", "serial")


class Administration:
    """The page."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("GET", "/administration", self.show, public=True, summary="Show the state of the server")]

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show users, groups, who may do what, plugins and providers."""
        require(request, "status_read", Resource("server"))
        status: dict[str, Any] = request.ask("GET", "/+status").result
        groups = request.ask("GET", "/+x/groups/")
        users = request.view.users(filter_of(request), after_of(request), USERS_OF_A_PAGE)
        return self._renderer.page(
            request,
            "administration.html",
            "Administration",
            crumbs=[("Administration", "")],
            may_be_kept=False,
            blocks=request.blocks("administration"),
            users=[(entry.user, len(entry.indices)) for entry in users.entries],
            paging=paging_of(request, users),
            groups=sorted((groups.result or {}).items()) if groups.status == 200 else [],
            plugins=sorted(status["plugins"].items()),
            question=question_fields(request),
            decision=decision(request),
            providers=sorted(status["providers"].items()),
            details=[(key, status[key]) for key in SHOWN_DETAILS if status.get(key) not in (None, "")],
            versions=sorted(status["versioninfo"].items()),
        )


def question_fields(request: RouteRequest) -> list[Field]:
    """Return the fields of the question who may do what, as they were sent."""
    labels = {
        "permission": ("Permission", "for example upload, index_read or user_create"),
        "resource": ("Index or user", "as USER/NAME or USER; empty for the server"),
        "user": ("User to ask about", "empty for yourself; :ANONYMOUS: for everybody without a login"),
    }
    return [Field(name, label, value=request.query.get(name, ""), hint=hint) for name, (label, hint) in labels.items()]


def decision(request: RouteRequest) -> dict[str, Any] | None:
    """Return the answer of the API to the question; None if there is none, and a message if it is malformed."""
    asked = {field.name: field.value for field in question_fields(request) if field.value}
    if "permission" not in asked:
        return None
    answer = request.ask("GET", f"/+can?{urlencode(asked)}")
    return dict(answer.result) if answer.status == 200 else {"message": answer.message}
