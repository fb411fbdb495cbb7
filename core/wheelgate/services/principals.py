"""Names of users and groups that are deleted: nothing may go on referring to them."""

from __future__ import annotations

from collections.abc import Sequence

from wheelgate.plugin_host.discovery import Implementation
from wheelgate.server import Server
from wheelgate.services.indices import Indices


class Principals:
    """Knows everybody who keeps names."""

    def __init__(self, server: Server, indices: Indices, keepers: Sequence[Implementation]) -> None:
        self._server = server
        self._indices = indices
        self._keepers = keepers

    def forget(self, name: str) -> None:
        """Take a user or a ``:group`` out of every access list, and have plugins forget it. Within a transaction."""
        self._indices.forget("principals", name)
        for keeper in self._keepers:
            keeper(server=self._server, principal=name)
