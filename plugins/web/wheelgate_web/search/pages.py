"""``/+x/web/search``: the matches of a query, and the first of them while somebody types."""

from __future__ import annotations

from urllib.parse import urlencode

from wheelgate import Server
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate_web.rendering import SEARCH, Renderer
from wheelgate_web.search.matching import Matches, Scope, Search
from wheelgate_web.search.words import parse_query

PAGE_MATCHES = 25
MAX_PAGES = 100
"""Pages that one can turn to; nobody reads so far, and every page costs as much as all before it."""
MAX_DIGITS = 4
"""Digits of the number of a page in an address."""
SUGGESTIONS = 8
DEPENDANTS = 50
"""Projects that a project's page lists as users of the project."""


class SearchPages:
    """The page with the matches, the fragment with suggestions, and the users of a project."""

    def __init__(self, renderer: Renderer, server: Server) -> None:
        self._renderer = renderer
        self._search = Search(server.database)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "GET", "/search", self.show, public=True, summary="Search projects, and show a page with the matches"
            ),
            Route("GET", "/suggestions", self.suggest, public=True, summary="The first matches of what is being typed"),
        ]

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show a page of the matches; of a query that nothing matches, names that look like it."""
        query, scope, number = parse_query(request.query.get("q", "")), scope_of(request), page_number(request)
        offset = (number - 1) * PAGE_MATCHES
        found = self._search.find(scope, query, offset, PAGE_MATCHES)
        corrections = self._search.corrections(scope, query) if not (found.entries or offset) else []
        return self._renderer.page(
            request,
            "search.html",
            f"{query.text} · Search" if query.text else "Search",
            crumbs=[("Search", "")],
            query=query.text,
            entries=found.entries,
            total=None if found.more else offset + len(found.entries),
            number=number,
            previous=page_address(query.text, number - 1) if number > 1 else "",
            following=page_address(query.text, number + 1) if found.more and number < MAX_PAGES else "",
            corrections=corrections,
        )

    def suggest(self, request: RouteRequest) -> RouteResponse:
        """Return the first matches."""
        query = parse_query(request.query.get("q", ""))
        found = self._search.find(scope_of(request), query, 0, SUGGESTIONS)
        return self._renderer.fragment(request, "suggestions.html", entries=found.entries, asked=bool(query.text))

    def users_of(self, request: RouteRequest, project: str) -> Matches:
        """Return the projects that the caller may see and whose latest version requires ``project`` (normalised)."""
        return self._search.users_of(scope_of(request), project, DEPENDANTS)


def scope_of(request: RouteRequest) -> Scope:
    """Return what the caller of a request may read."""
    restriction = request.principal.restriction
    projects = restriction.projects_for("index_read") if restriction is not None else None
    return Scope(request.view.readable(), projects)


def page_number(request: RouteRequest) -> int:
    """Return the number of the page that a request asks for; the first if it asks for nonsense."""
    text = request.query.get("page", "")
    return min(max(int(text), 1), MAX_PAGES) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else 1


def page_address(text: str, number: int) -> str:
    """Return the address of a page of a query."""
    return f"{SEARCH}?{urlencode({'q': text, **({'page': number} if number > 1 else {})})}"
