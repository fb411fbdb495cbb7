"""Notices that other machines can reach a server that listens on loopback: through a proxy that no setting names."""

from __future__ import annotations

import logging

import falcon.asgi

from wheelgate.http.handler_context import HandlerContext
from wheelgate.outgoing.policy import AddressPolicy

log = logging.getLogger("wheelgate.http")


class ExposureGuard:
    """Falcon middleware that limits outgoing requests as soon as a request does not come from this machine.

    Until then, users of a server on loopback are users of its machine, and may make the server connect to whatever they
    can reach themselves. The rule is that of root's empty password, but here it lasts: a mirror that someone elsewhere
    has configured must not become reachable because a program on this machine asks for it.
    """

    def __init__(self, context: HandlerContext, policy: AddressPolicy) -> None:
        self._context = context
        self._policy = policy

    async def process_request(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Limit outgoing requests if this one comes from elsewhere."""
        if self._policy.unlimited and not self._context.incoming(req).info.from_this_machine:
            self._policy.limit()
            log.warning(
                "a request came through a proxy, or from another machine: until the next start, mirrors and pushes of"
                " this worker reach public addresses only. Name the proxy with --trusted-proxy, and open the networks"
                " of internal upstreams with --allow-upstream"
            )
