"""What all that shows packages shares: which address is asked for."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote

import falcon.asgi

from wheelgate.errors import NotFound
from wheelgate.http.answers import JSON, PLAIN
from wheelgate.http.front import segment
from wheelgate.http.negotiation import best_media_type
from wheelgate.packages import normalize

PROJECT = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]{0,198}[A-Za-z0-9]")
"""What a name of a project looks like (PEP 508); nobody is asked for anything else."""
INSTALLER = re.compile(r"(?:^| )(?:distribute|setuptools|pip|pex|uv)/")
"""In a User-Agent."""
SIMPLE = (
    "application/vnd.pypi.simple.v1+json",
    "application/vnd.pypi.simple.v1+html",
    "application/vnd.pypi.simple.latest+json",
    "application/vnd.pypi.simple.latest+html",
)


PROJECT_NAME_CACHE_ENTRIES = 5000
"""Names of projects of which the normalised form is remembered."""


def project_name(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, project: str, below: str = "", *, slash: bool = False
) -> str:
    """Return the normalised name of a project; empty if the client was sent to the address that has it.

    Args:
        req: the request.
        resp: the answer; its status is 302 if the client has to ask again.
        project: the name as it stands in the address.
        below: what follows it in the address.
        slash: whether the address must end with a slash.

    Raises:
        NotFound: nothing can have such a name.
    """
    name, ended = checked(project), req.scope["path"][-1] == "/"
    if name == project and (ended or not slash):
        return name
    steps = below.count("/") + ended
    redirect(req, resp, "../" * steps + name + below + "/" * (ended or slash))
    return ""


@lru_cache(PROJECT_NAME_CACHE_ENTRIES)
def checked(project: str) -> str:
    """Return the normalised name of a project. Raise ``NotFound`` if nothing can have such a name."""
    if not PROJECT.fullmatch(segment(project)):
        raise NotFound(f"The project {ascii(project)[1:-1][:200]} does not exist.")
    return normalize(project)


def redirect(req: falcon.asgi.Request, resp: falcon.asgi.Response, location: str) -> None:
    """Send the client to another address, relative to this one, so that it holds behind every proxy."""
    resp.status_code = 302
    resp.content_type = PLAIN
    resp.set_header("location", quote(location, "/+") + (f"?{req.query_string}" if req.query_string else ""))
    resp.set_header("cache-control", "no-cache")


def wants_simple(req: falcon.asgi.Request) -> bool:
    """Say whether a client is to be sent to the simple page of what it asks for.

    That is one whose Accept likes one of the simple API's own types best, and an installer that takes HTML.
    """
    accept = req.get_header("accept", default="")
    best = best_media_type(accept, (JSON, *SIMPLE)) or ""
    if best in SIMPLE:
        return True
    installer = INSTALLER.search(req.get_header("user-agent", default=""))
    return installer is not None and best_media_type(accept, ("text/html",)) is not None
