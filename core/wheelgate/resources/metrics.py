"""``/+metrics``: the numbers of all workers, for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

import falcon.asgi

from wheelgate.http.handler_context import HandlerContext
from wheelgate.metrics.catalogue import BUILD_INFO, SERIAL
from wheelgate.metrics.counting import series_key
from wheelgate.metrics.exposition import OPENMETRICS_TYPE, TEXT_TYPE, exposition
from wheelgate.metrics.processes import process_numbers
from wheelgate.metrics.shared_memory import SharedNumbers
from wheelgate.values import Resource

Network = IPv4Network | IPv6Network


class MetricsResource:
    """Shows the metrics to root, and to the networks of ``--metrics-from``."""

    def __init__(
        self, context: HandlerContext, numbers: SharedNumbers, version: str, networks: Sequence[Network]
    ) -> None:
        self._context = context
        self._numbers = numbers
        self._version = version
        self._networks = networks

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Write the metrics, as OpenMetrics if the client asks for it."""
        if not self._is_allowed(self._context.incoming(req).info.remote_address):
            caller = await self._context.identify(req)
            await self._context.require(caller, "metrics_read", Resource("server"))
        openmetrics = "application/openmetrics-text" in req.get_header("accept", default="")
        numbers = {
            series_key(BUILD_INFO.name, version=self._version): 1.0,
            SERIAL.name: float(self._context.serial),
            **self._numbers.sums(),
            **process_numbers(self._numbers.process_ids()),
        }
        resp.content_type = OPENMETRICS_TYPE if openmetrics else TEXT_TYPE
        resp.set_header("cache-control", "no-store")
        resp.text = exposition(numbers, openmetrics=openmetrics)

    def _is_allowed(self, address: str) -> bool:
        try:
            client = ip_address(address)
        except ValueError:
            return False
        return any(client in network for network in self._networks)
