"""``/``: all users with their indices."""

from __future__ import annotations

from dataclasses import dataclass

from wheelgate.providers import RouteRequest, RouteResponse
from wheelgate.server_view import Listing, UserView
from wheelgate_web.index_lines import IndexLine, index_lines
from wheelgate_web.paging import after_of, filter_of, paging_of
from wheelgate_web.permissions import may_change_user
from wheelgate_web.rendering import Renderer

USERS_OF_A_PAGE = 30
"""With three indices each, the page then has less than 50 kB."""
INDICES_OF_A_CARD = 3


@dataclass(frozen=True, slots=True)
class UserCard:
    """A user in the list."""

    name: str
    title: str
    description: str
    indices: tuple[IndexLine, ...]
    total: int
    """All indices that the caller may read; the card shows the first ones."""

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing to say but the name."""
        return not (self.title or self.description or self.indices)


class Overview:
    """The page."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show the users and indices that the caller may see."""
        found = request.view.users(filter_of(request), after_of(request), USERS_OF_A_PAGE)
        cards = user_cards(request, found)
        paging = paging_of(request, found)
        is_whole = not (paging.previous or paging.next or paging.filter)
        hosted = any(line.projects is not None for card in cards for line in card.indices)
        return self._renderer.page(
            request,
            "overview.html",
            "Overview",
            alternate="/",
            blocks=request.blocks("overview"),
            cards=[card for card in cards if not card.is_bare],
            bare=[card for card in cards if card.is_bare],
            paging=paging,
            indices=sum(card.total for card in cards) if is_whole else None,
            is_empty=is_whole and not hosted,
            may_create=may_change_user(request, "user_create", ""),
            base_url=request.base_url,
        )


def user_cards(request: RouteRequest, found: Listing[UserView]) -> list[UserCard]:
    """Return what the page says about each user."""
    shown = [index for entry in found.entries for index in entry.indices[:INDICES_OF_A_CARD]]
    lines = index_lines(request, shown)
    return [
        UserCard(
            entry.user.name,
            entry.user.title or "",
            entry.user.description or "",
            tuple(lines[index.path] for index in entry.indices[:INDICES_OF_A_CARD]),
            len(entry.indices),
        )
        for entry in found.entries
    ]
