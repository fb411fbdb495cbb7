"""Renders templates as pages, with the headers that every page has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from wheelgate.providers import RouteRequest, RouteResponse
from wheelgate.values import EMPTY_MAPPING
from wheelgate_web.assets import Assets
from wheelgate_web.notices import notice_of
from wheelgate_web.permissions import may_administer

if TYPE_CHECKING:
    from jinja2 import Environment

SERVER_NAME = "wheelgate"
"""What titles and the first link of every page call the server."""
TEMPLATES = Path(__file__).parent / "templates"
HTML_TYPE = "text/html; charset=utf-8"
SEARCH, SUGGESTIONS = "/+x/web/search", "/+x/web/suggestions"
"""Where the form of every page leads, and where its script asks while somebody types."""
ETAG_CHARS = 32
"""Hexadecimal digits of a page's hash that its entity tag has."""

Crumb = tuple[str, str]
"""The text of a step in the way to a page, and its address."""


class Renderer:
    """Makes pages from templates."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._headers = {
            "content-security-policy": (
                f"default-src 'none'; script-src 'self'; style-src '{assets.style_hash}'; img-src 'self'; "
                "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            ),
            # With 'no-referrer', browsers would send 'Origin: null' with forms, which then prove nothing.
            "referrer-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
            "x-robots-tag": "noindex",
        }

    def page(
        self,
        request: RouteRequest,
        template: str,
        title: str,
        *,
        status: int = 200,
        crumbs: Sequence[Crumb] = (),
        alternate: str = "",
        may_be_kept: bool = True,
        headers: Mapping[str, str] = EMPTY_MAPPING,
        **values: Any,
    ) -> RouteResponse:
        """Return a page.

        Args:
            request: the request.
            template: the file of the template.
            title: what the page is about.
            status: the status of the answer.
            crumbs: the way from the overview to the page, which is the last step.
            alternate: the address of the same data as JSON; empty if there is none.
            may_be_kept: whether a browser may keep the page of an anonymous reader, and ask whether it has changed.
            headers: further headers.
            values: the values of the template.
        """
        name = request.principal.name
        root = root_of(request)
        text = self._environment.get_template(template).render(
            {
                "title": title,
                "status": status,
                "server": SERVER_NAME,
                "root": root,
                "style": self._style,
                "script": self._assets.script,
                "icon": self._assets.icon,
                "user": name,
                "administers": name is not None and may_administer(request),
                "crumbs": crumbs,
                "alternate": alternate,
                "notice": notice_of(request.query),
                "next": address_of(request),
                "blocks": (),
                "search": SEARCH,
                "suggestions": SUGGESTIONS,
                "query": "",
                "signing_in": False,
                "typed_user": "",
                **values,
            }
        )
        body = text.encode("utf-8", "replace")
        headers = {**self._headers, "cache-control": "no-store", **headers}
        if name is None and may_be_kept and status == 200:
            etag = f'"{hashlib.sha256(body).hexdigest()[:ETAG_CHARS]}"'
            headers |= {"cache-control": "no-cache", "etag": etag}
        return RouteResponse(status=status, headers=headers, body=body, media_type=HTML_TYPE)

    def fragment(self, request: RouteRequest, template: str, **values: Any) -> RouteResponse:
        """Return a piece of a page, which the script puts into one."""
        text = self._environment.get_template(template).render({"root": root_of(request), **values})
        headers = {**self._headers, "cache-control": "no-store"}
        return RouteResponse(headers=headers, body=text.encode("utf-8", "replace"), media_type=HTML_TYPE)

    @cached_property
    def _environment(self) -> Environment:
        """The environment of all templates; the library is imported with the first page, which costs 50 ms."""
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        from wheelgate_web import text_filters

        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
        )
        environment.filters |= {
            "time": text_filters.time_element,
            "size": text_filters.size_text,
            "segment": text_filters.segment,
            "address": text_filters.address,
        }
        return environment

    @cached_property
    def _style(self) -> Any:
        from markupsafe import Markup

        return Markup(self._assets.style)  # noqa: S704 - our own file


def root_of(request: RouteRequest) -> str:
    """Return the path of the server's address, which is empty unless a proxy serves it below a path."""
    return urlsplit(request.base_url).path.rstrip("/")


def address_of(request: RouteRequest) -> str:
    """Return the address of the page with its query, to come back to; the overview for the plugin's own forms."""
    path = request.request.path
    if path.startswith("/+x/") or request.request.method not in ("GET", "HEAD"):
        return "/"
    query = {name: value for name, value in request.query.items() if name != "done"}
    return f"{path}?{urlencode(query)}" if query else path
