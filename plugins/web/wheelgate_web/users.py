"""``/{user}``: one user with all indices."""

from __future__ import annotations

from wheelgate.providers import RouteRequest, RouteResponse
from wheelgate.values import ROOT
from wheelgate_web.api_tokens import has_tokens
from wheelgate_web.index_lines import index_lines
from wheelgate_web.paging import after_of, filter_of, paging_of
from wheelgate_web.permissions import may_change_index, may_change_user
from wheelgate_web.rendering import Renderer
from wheelgate_web.text_filters import segment

INDICES_OF_A_PAGE = 50


class UserPage:
    """The page."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show a user, and what the caller may do with it."""
        name = request.params["user"]
        user = request.view.user(name).user
        found = request.view.indices(name, filter_of(request), after_of(request), INDICES_OF_A_PAGE)
        lines = index_lines(request, found.entries)
        sees_email = request.principal.name in (name, ROOT)
        return self._renderer.page(
            request,
            "user.html",
            name,
            crumbs=[(name, f"/{segment(name)}")],
            alternate=f"/{segment(name)}",
            blocks=request.blocks("user", name),
            person=user,
            email=user.email if sees_email else "",
            indices=[lines[index.path] for index in found.entries],
            paging=paging_of(request, found),
            actions=actions(request, name, is_local=not user.provider),
        )


def actions(request: RouteRequest, name: str, *, is_local: bool) -> list[tuple[str, str]]:
    """Return the text and the address of each form that the caller may use on a user."""
    below = f"/+x/web/users/{segment(name)}"
    offered = [
        ("Edit profile", f"{below}/edit", may_change_user(request, "user_modify", name)),
        ("Change password", f"{below}/password", is_local and may_change_user(request, "user_password", name)),
        ("API tokens", "/+x/web/tokens", request.principal.name == name and has_tokens(request)),
        ("Create index", f"{below}/create-index", may_change_index(request, "index_create", name)),
        ("Delete user", f"{below}/delete", name != ROOT and may_change_user(request, "user_delete", name)),
    ]
    return [(text, address) for text, address, is_allowed in offered if is_allowed]
