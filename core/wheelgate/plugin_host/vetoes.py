"""Asks plugins whether a change is allowed: one veto refuses it, and a plugin that fails counts as a veto."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from wheelgate.errors import Refusal
from wheelgate.plugin_host import budgets
from wheelgate.plugin_host.circuit import CircuitBreaker
from wheelgate.plugin_host.discovery import Implementation
from wheelgate.plugin_host.failures import failure_text
from wheelgate.plugin_host.masking import strings_in
from wheelgate.server import Server

log = logging.getLogger("wheelgate.vetoes")


class Vetoes:
    """One hook that answers with the reason why something is not allowed, or with None."""

    def __init__(self, server: Server, implementations: Sequence[Implementation], refusal: type[Refusal]) -> None:
        """Take the implementations of the hook, and the error that a veto is raised as."""
        self._server = server
        self._guarded = [
            (each, CircuitBreaker(each.plugin, budgets.VETO_SECONDS, instant=each.instant)) for each in implementations
        ]
        self._refusal = refusal
        self.instant = all(each.instant for each in implementations)
        """Whether every implementation answers from memory."""

    def raise_any(self, subject: str, **question: Any) -> None:
        """Ask every plugin, and raise the first veto. Blocks, so call it in a thread.

        Args:
            subject: the beginning of the error's sentence, such as ``the password``.
            question: the arguments of the hook.
        """
        for implementation, breaker in self._guarded:
            try:
                veto: object = breaker.call_blocking(implementation, server=self._server, **question)
            except Exception as error:  # noqa: BLE001 - third-party code; a plugin that cannot answer refuses
                failure = failure_text(error, strings_in(question))
                log.error("plugin '%s' failed to check %s: %s", implementation.plugin, subject, failure)
                veto = f"plugin '{implementation.plugin}' failed to check it"
            if veto is not None:
                raise self._refusal(f"{subject} is refused: {veto}")
