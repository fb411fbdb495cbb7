"""Which actions a page offers: those that the API would allow its caller."""

from __future__ import annotations

from wheelgate import Resource
from wheelgate.errors import Forbidden, NotAuthenticated, Refusal
from wheelgate.providers import RouteRequest

NO_CHANGE: dict[str, object] = {}
"""The proposed configuration of something that a form would create or change: not known yet."""


def may(request: RouteRequest, permission: str, resource: Resource) -> bool:
    """Return whether the caller has a permission; not if that cannot be found out."""
    try:
        return request.view.may(permission, resource).allowed
    except Refusal:
        return False


def may_change_user(request: RouteRequest, permission: str, name: str) -> bool:
    """Return whether the caller has a permission on a user."""
    return may(request, permission, Resource("user", name, name, proposed=NO_CHANGE))


def may_change_index(request: RouteRequest, permission: str, owner: str, name: str = "") -> bool:
    """Return whether the caller has a permission on an index; without a name, on a new one."""
    return may(request, permission, Resource("index", name, owner, proposed=NO_CHANGE))


def may_administer(request: RouteRequest) -> bool:
    """Return whether the caller may see the state of the server."""
    return may(request, "status_read", Resource("server"))


def require(request: RouteRequest, permission: str, resource: Resource) -> None:
    """Return if the caller has a permission.

    Raises:
        Refusal: it has not; the page for errors shows the reason, and the form for signing in.
    """
    verdict = request.view.may(permission, resource)
    if verdict.allowed:
        return
    if request.principal.name is None:
        raise NotAuthenticated(f"Sign in to do that: {verdict.reason}.")
    raise Forbidden(f"user '{request.principal.name}' may not do that: {verdict.reason}")


def require_on_user(request: RouteRequest, permission: str, name: str) -> None:
    """Return if the caller has a permission on a user; raise as :func:`require` does."""
    require(request, permission, Resource("user", name, name, proposed=NO_CHANGE))


def require_on_index(request: RouteRequest, permission: str, owner: str, name: str = "") -> None:
    """Return if the caller has a permission on an index; raise as :func:`require` does."""
    require(request, permission, Resource("index", name, owner, proposed=NO_CHANGE))
