"""Helps upload tools that send their form to a wrong address."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import falcon.asgi

from wheelgate.errors import BadInput
from wheelgate.http.multipart import is_form
from wheelgate.http.path_segments import FORBIDDEN_IN_SEGMENT


def upload_hint(req: falcon.asgi.Request, server_url: Callable[[falcon.asgi.Request], str]) -> str:
    """Return the end of a sentence that names the address for uploads; empty if the request is no upload.

    The names of user and index come from the request's own path, so the hint does not tell whether they exist.
    """
    if req.method != "POST" or not is_form(req):
        return ""
    names = req.scope["path"].split("/")[1:3]
    usable = len(names) > 1 and all(name and not FORBIDDEN_IN_SEGMENT.search(name) for name in names)
    index = "/".join(quote(name) for name in names) if usable else "USER/INDEX"
    try:
        server = server_url(req)
    except BadInput:  # the Host header is no address
        server = ""
    return f"; upload to {server}/{index}/"
