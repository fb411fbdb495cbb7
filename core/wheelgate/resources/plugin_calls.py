"""Calls the handlers of plugins for requests, and writes their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import falcon.asgi

from wheelgate.errors import BadInput
from wheelgate.http.answers import answer
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.in_process import InProcessApi
from wheelgate.identity.identify import Caller
from wheelgate.plugin_host.block_collecting import PageBlocks
from wheelgate.providers import RouteRequest, RouteResponse
from wheelgate.views.caller_view import CallerView
from wheelgate.views.sources_of_views import ViewSources


class PluginCalls:
    """Makes the argument of a handler, and writes what it returns."""

    def __init__(self, context: HandlerContext, api: InProcessApi, views: ViewSources, blocks: PageBlocks) -> None:
        self.context = context
        self.api = api
        self._views = views
        self._blocks = blocks

    def request(
        self,
        req: falcon.asgi.Request,
        caller: Caller,
        params: Mapping[str, str],
        confirm: Callable[[], None],
        **details: Any,
    ) -> RouteRequest:
        """Return the argument of a handler.

        Args:
            req: the request.
            caller: its sender.
            params: the values of the placeholders in the path.
            confirm: confirms the claims of the caller.
            details: further fields of :class:`RouteRequest`.
        """
        query = {name: req.get_param(name) or "" for name in req.params}
        return RouteRequest(
            request=caller.info,
            principal=caller.principal,
            params=params,
            query=query,
            confirm=confirm,
            view=CallerView(self._views, caller),
            base_url=self.base_url(req),
            collect_blocks=self._blocks.collect,
            ask=partial(self.api.ask, req, asyncio.get_running_loop()),
            **{"body": None, **details},
        )

    def base_url(self, req: falcon.asgi.Request) -> str:
        """Return the server's address as the client must write it; empty if the request has no acceptable one."""
        with suppress(BadInput):  # a plugin that needs no address works without
            return self.context.server_url(req)
        return ""

    def write(self, resp: falcon.asgi.Response, response: RouteResponse) -> None:
        """Write an answer."""
        if response.media_type:
            resp.data, resp.content_type, resp.status_code = response.body, response.media_type, response.status
        else:
            answer(resp, response.result, response.type, response.message, response.status)
        for name, value in response.headers.items():
            # Falcon takes a complete Set-Cookie header only by append_header.
            (resp.append_header if name.lower() == "set-cookie" else resp.set_header)(name, value)
