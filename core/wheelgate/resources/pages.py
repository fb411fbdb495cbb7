"""Pages of plugins for people with a browser, at addresses where all other clients get JSON."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any

import falcon.asgi

from wheelgate.errors import StartupError
from wheelgate.http.negotiation import wants_page
from wheelgate.http.router import MergedResource
from wheelgate.identity.identify import ANONYMOUS_PRINCIPAL, Caller
from wheelgate.logs import error_location
from wheelgate.plugin_host import budgets
from wheelgate.plugin_host.circuit import CircuitBreaker
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.plugin_host.failures import failure_text
from wheelgate.providers import Page, PageError, RouteResponse
from wheelgate.resources.kept_pages import KeptPages, coding_of, is_unchanged
from wheelgate.resources.package_paths import project_name
from wheelgate.resources.plugin_calls import PluginCalls
from wheelgate.server import Server

PAGE_ADDRESSES = (
    "/",
    "/{user}",
    "/{user}/{index}",
    "/{user}/{index}/{project}",
    "/{user}/{index}/{project}/{version}",
    "/{user}/{index}/+why/{project}",
)
ERROR_ADDRESS = "error"
"""The address of the page that shows refusals and faults."""
MAX_WAITING_PAGES = 1000
"""Calls of one page that wait for a thread."""
WHY_PATTERN = re.compile(r"/[^+/][^/]*/[^+/][^/]*/\+why/[^/]+/?")
PLUS_SEGMENT = re.compile(r"/\+")
SHOWN_STATUSES = frozenset({401, 403, 404, 410})
"""Refusals that an error page shows, with all of 500 and above; below the plugin's own addresses it shows any."""
PAGE_METHODS = frozenset({"GET", "HEAD"})
DATA_VARY, PAGE_VARY = "Accept, User-Agent", "Accept, User-Agent, Cookie"

log = logging.getLogger("wheelgate.http")


def collect_pages(plugins: Plugins, server: Server) -> dict[str, tuple[str, Page]]:
    """Return the pages of all plugins by address, each with its plugin.

    Raises:
        StartupError: two plugins have a page for one address, a plugin raised, or there can be no page at an address.
    """
    found: dict[str, tuple[str, Page]] = {}
    for plugin, page in plugins.collect("wheelgate_pages", lambda page: page.address, server=server):
        if page.address not in (*PAGE_ADDRESSES, ERROR_ADDRESS):
            known = ", ".join((*PAGE_ADDRESSES, ERROR_ADDRESS))
            raise StartupError(
                f"plugin '{plugin}': there can be no page at '{page.address}'; it must be one of {known}"
            )
        found[page.address] = plugin, page
    return found


def page_breaker(plugin: str, page: Page) -> CircuitBreaker:
    """Return the circuit breaker of a page."""
    name = f"page {page.address} of {plugin}"
    return CircuitBreaker(name, budgets.ROUTE_SECONDS, instant=page.instant, max_waiting=MAX_WAITING_PAGES)


def add_pages(
    resources: dict[str, object], pages: Mapping[str, tuple[str, Page]], calls: PluginCalls
) -> Mapping[str, tuple[str, Page]]:
    """Let the resources of the API answer browsers with pages, which are returned."""
    for address, (plugin, page) in pages.items():
        if address != ERROR_ADDRESS:
            resource = resources[address]
            paged = PagedResource(page, page_breaker(plugin, page), calls, resource)
            resources[address] = MergedResource(resource, paged)
    return pages


class PagedResource:
    """Answers GET with a page, or as the resource of the API does."""

    def __init__(self, page: Page, breaker: CircuitBreaker, calls: PluginCalls, resource: Any) -> None:
        self._page = page
        self._breaker = breaker
        self._calls = calls
        self._answer_data = resource.on_get
        self._kept = KeptPages(calls.context) if page.kept else None

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, **params: str) -> None:
        """Answer a browser with the page, and every other client with the data."""
        if has_plus_segment(req.path):  # such as /+nothing, which the template of users covers
            await self._answer_data(req, resp, **params)
            return
        if not is_browser(req):
            resp.set_header("vary", DATA_VARY)
            await self._answer_data(req, resp, **params)
            return
        resp.set_header("vary", PAGE_VARY)
        if "project" in params:
            version = params.get("version")
            name = project_name(req, resp, params["project"], f"/{version}" if version else "")
            if not name:
                return
        response = await self._response(req, resp, params)
        self._calls.write(resp, response)
        if is_unchanged(req, response):
            resp.data, resp.status_code = None, HTTPStatus.NOT_MODIFIED

    async def _response(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, params: Mapping[str, str]
    ) -> RouteResponse:
        caller = await self._calls.context.identify(req)
        serial = None if self._kept is None else await self._kept.serial(caller)
        if self._kept is None or serial is None:
            return await self._make(req, caller, params)
        resp.set_header("vary", f"{PAGE_VARY}, Accept-Encoding")
        key, coding = (req.path, req.query_string, self._calls.base_url(req)), coding_of(req)
        response = self._kept.find(serial, key, coding)
        return response or self._kept.keep(serial, key, await self._make(req, caller, params), coding)

    def _make(self, req: falcon.asgi.Request, caller: Caller, params: Mapping[str, str]) -> Awaitable[RouteResponse]:
        request = self._calls.request(req, caller, params, confirm_nothing)
        return self._breaker.call(self._page.handler, request)


class ErrorPages:
    """Shows refusals and faults to browsers."""

    def __init__(self, plugin: str, page: Page, calls: PluginCalls) -> None:
        self._own_addresses = f"/+x/{plugin}/"
        self._page = page
        self._breaker = page_breaker(plugin, page)
        self._calls = calls

    def mark(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Say in the headers of an error that its form depends on the client."""
        if req.method in PAGE_METHODS and (self._is_own(req) or not has_plus_segment(req.path)):
            resp.set_header("vary", PAGE_VARY if is_browser(req) else DATA_VARY)

    def shows(self, req: falcon.asgi.Request, status: int) -> bool:
        """Return whether the client gets a page for an error."""
        if not is_browser(req):
            return False
        if self._is_own(req):
            return True
        shown = status in SHOWN_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        return shown and req.method in PAGE_METHODS and not has_plus_segment(req.path)

    async def write(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, status: int, message: str) -> None:
        """Replace the JSON of an error by the page; if the page fails, the JSON stays."""
        try:
            response = await self._ask(req, PageError(status, message))
        except Exception as error:  # noqa: BLE001 - third-party code; the client gets the error in any case
            log.error("the page for errors failed: %s; %s", failure_text(error), error_location(error))
            return
        self._calls.write(resp, response)
        resp.status_code = status

    async def _ask(self, req: falcon.asgi.Request, error: PageError) -> RouteResponse:
        caller = await self._caller(req)
        request = self._calls.request(req, caller, {}, confirm_nothing, error=error)
        return await self._breaker.call(self._page.handler, request)

    async def _caller(self, req: falcon.asgi.Request) -> Caller:
        try:
            return await self._calls.context.identify(req)
        except Exception:  # noqa: BLE001 - the error to show may be this one
            return Caller(ANONYMOUS_PRINCIPAL, self._calls.context.incoming(req))

    def _is_own(self, req: falcon.asgi.Request) -> bool:
        # An address may begin with two slashes; the router takes them for one.
        return f"/{req.path.lstrip('/')}".startswith(self._own_addresses)


def confirm_nothing() -> None:
    """Return: a page changes nothing."""


def is_browser(req: falcon.asgi.Request) -> bool:
    """Return whether a browser asks for a page."""
    accept, user_agent = req.get_header("accept", default=""), req.get_header("user-agent", default="")
    return wants_page(accept, user_agent)


def has_plus_segment(path: str) -> bool:
    """Return whether an address is one of those that begin with ``+`` somewhere, and has no page."""
    return PLUS_SEGMENT.search(path) is not None and WHY_PATTERN.fullmatch(path) is None
