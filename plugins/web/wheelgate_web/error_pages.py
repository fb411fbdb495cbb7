"""Refusals and faults, and the form that a refusal for lack of a login offers."""

from __future__ import annotations

from http import HTTPStatus

from wheelgate.providers import RouteRequest, RouteResponse
from wheelgate_web.rendering import Renderer

HEADINGS = {
    401: "Sign in",
    403: "Not allowed",
    404: "Not found",
    410: "Gone",
    429: "Too many attempts",
    503: "Not available now",
}


class ErrorPage:
    """The page ``error``."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show what the API answers."""
        error = request.error
        status, message = (error.status, error.message) if error else (500, "")
        return error_page(self._renderer, request, status, message)


def error_page(renderer: Renderer, request: RouteRequest, status: int, message: str) -> RouteResponse:
    """Return the page of an error."""
    heading = HEADINGS.get(status, "The server failed" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "Refused")
    return renderer.page(
        request,
        "error.html",
        heading,
        status=status,
        heading=heading,
        message=message,
        crumbs=[(heading, "")],
        signing_in=status == HTTPStatus.UNAUTHORIZED,
    )
