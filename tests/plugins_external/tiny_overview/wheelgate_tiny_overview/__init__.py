"""Replaces the first page by a list of users; use it with ``--no-plugin web``."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from wheelgate import Server, hookimpl
from wheelgate.providers import Page, RouteRequest, RouteResponse

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "same-origin",
}
HTML_TYPE = "text/html; charset=utf-8"


@hookimpl
def wheelgate_pages(server: Server) -> list[Page]:
    """Return the page, and one that shows refusals."""
    return [Page("/", overview), Page("error", refused)]


def overview(request: RouteRequest) -> RouteResponse:
    """List the users whom the caller may see."""
    found = request.ask("GET", "/")
    if found.status != 200:
        return page("Refused", escape(found.message), found.status)
    links = (f'<li><a href="{request.base_url}/{quote(name)}">{escape(name)}</a>' for name in sorted(found.result))
    return page("Users", f"<ul>{''.join(links)}</ul>", 200)


def refused(request: RouteRequest) -> RouteResponse:
    """Show the sentence of the API."""
    return page("Refused", escape(request.error.message if request.error else ""), 500)


def page(title: str, content: str, status: int) -> RouteResponse:
    """Return a page; the server gives that of an error its status."""
    text = f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1>{content}"
    return RouteResponse(body=text.encode(), media_type=HTML_TYPE, status=status, headers=HEADERS)
