"""Names of projects in addresses, and redirects to the address that a client should use."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote

import falcon.asgi

from wheelgate.errors import NotFound
from wheelgate.http.answers import JSON_TYPE, PLAIN_TYPE
from wheelgate.http.negotiation import best_media_type
from wheelgate.http.path_segments import path_segment
from wheelgate.packages import MAX_PROJECT_NAME_CHARS, parse_project_name

INSTALLER_USER_AGENT = re.compile(r"(?:^| )(?:distribute|setuptools|pip|pex|uv)/")
SIMPLE_API_TYPES = (
    "application/vnd.pypi.simple.v1+json",
    "application/vnd.pypi.simple.v1+html",
    "application/vnd.pypi.simple.latest+json",
    "application/vnd.pypi.simple.latest+html",
)


PROJECT_NAME_CACHE_ENTRIES = 5000
"""Names whose normalised form is cached."""


def project_name(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, project: str, below: str = "", *, slash: bool = False
) -> str:
    """Return the normalised name of a project; empty if the client is redirected to the address that contains it.

    Args:
        req: the request.
        resp: the answer; its status is 302 if the client is redirected.
        project: the name as it occurs in the address.
        below: what follows the name in the address.
        slash: whether the address must end with a slash.

    Raises:
        NotFound: no project can have such a name.
    """
    name, has_slash = normalized_name(project), req.scope["path"][-1] == "/"
    if name == project and (has_slash or not slash):
        return name
    steps = below.count("/") + has_slash
    redirect(req, resp, "../" * steps + name + below + "/" * (has_slash or slash))
    return ""


@lru_cache(PROJECT_NAME_CACHE_ENTRIES)
def normalized_name(project: str) -> str:
    """Return the normalised name of a project. Raise ``NotFound`` if no project can have such a name."""
    try:
        return parse_project_name(path_segment(project))
    except ValueError:
        raise NotFound(f"The project {ascii(project)[1:-1][:MAX_PROJECT_NAME_CHARS]} does not exist.") from None


def redirect(req: falcon.asgi.Request, resp: falcon.asgi.Response, location: str) -> None:
    """Redirect the client to an address relative to this one, so that it is right behind every proxy."""
    resp.status_code = 302
    resp.content_type = PLAIN_TYPE
    resp.set_header("location", quote(location, "/+") + (f"?{req.query_string}" if req.query_string else ""))
    resp.set_header("cache-control", "no-cache")


def wants_simple_page(req: falcon.asgi.Request) -> bool:
    """Return whether to redirect a client to the simple page of the requested index or project.

    That is the case for clients that prefer a media type of PEP 691, and for installers that accept HTML.
    """
    accept = req.get_header("accept", default="")
    best = best_media_type(accept, (JSON_TYPE, *SIMPLE_API_TYPES)) or ""
    if best in SIMPLE_API_TYPES:
        return True
    installer = INSTALLER_USER_AGENT.search(req.get_header("user-agent", default=""))
    return installer is not None and best_media_type(accept, ("text/html",)) is not None
