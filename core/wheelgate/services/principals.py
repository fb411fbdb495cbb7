"""Removes every reference to a deleted user or group."""

from __future__ import annotations

from collections.abc import Sequence

from wheelgate.plugin_host.discovery import Implementation
from wheelgate.server import Server
from wheelgate.services.indices import Indices


class Principals:
    """Removes references to principals from access lists and from plugins."""

    def __init__(self, server: Server, indices: Indices, forget_hooks: Sequence[Implementation]) -> None:
        self._server = server
        self._indices = indices
        self._forget_hooks = forget_hooks

    def forget(self, name: str) -> None:
        """Remove a user or ``:group`` from every access list, and tell the plugins to forget it.

        Runs inside a transaction.
        """
        self._indices.remove_references("principals", name)
        for hook in self._forget_hooks:
            hook(server=self._server, principal=name)
