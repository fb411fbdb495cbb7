"""Asks the plugins whether something may be: one that objects refuses it, and so does one that fails."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from wheelgate.errors import Refusal
from wheelgate.plugin_host.discovery import Implementation
from wheelgate.server import Server
from wheelgate.threads.pool import Provider

BUDGET = 5.0
"""Seconds that a plugin has for its answer."""

log = logging.getLogger("wheelgate.objections")


class Objections:
    """One hook whose answers are texts that say why not."""

    def __init__(self, server: Server, implementations: Sequence[Implementation], refusal: type[Refusal]) -> None:
        """Take who implements the hook, and what an objection is raised as."""
        self._server = server
        self._asked = [(each, Provider(each.plugin, BUDGET, instant=each.instant)) for each in implementations]
        self._refusal = refusal
        self.instant = all(each.instant for each in implementations)
        """Whether all who are asked answer at once."""

    def raise_any(self, what: str, **question: Any) -> None:
        """Ask, and raise the first objection; ``what`` begins its sentence. In a thread."""
        for implementation, provider in self._asked:
            try:
                objection: object = provider.wait(implementation, server=self._server, **question)
            except Exception as error:  # noqa: BLE001 - a stranger's code; one that cannot answer refuses
                log.error("plugin '%s' failed to check %s: %s", implementation.plugin, what, type(error).__name__)
                objection = f"plugin '{implementation.plugin}' failed to check it"
            if objection is not None:
                raise self._refusal(f"{what} is refused: {objection}")
