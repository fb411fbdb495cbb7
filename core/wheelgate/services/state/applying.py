"""Applies a whole state file in one transaction, or finds out what that would change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from wheelgate.errors import BadInput, Forbidden
from wheelgate.names import did_you_mean
from wheelgate.plugin_host.discovery import Plugins, refuse_reserved
from wheelgate.plugin_host.provider_hooks import check_provider
from wheelgate.services.opened_server import OpenedServer
from wheelgate.services.state.administrators import Administrators
from wheelgate.services.state.index_section import IndexSection
from wheelgate.services.state.toml_values import refuse_other_values
from wheelgate.services.state.user_section import UserSection
from wheelgate.services.users import Users
from wheelgate.state_sections import PreparedSection, StateChange, StateOptions, StateSection

Changes = Sequence[StateChange]


class _RollBack(Exception):  # noqa: N818 - it is no error
    """Raised to end a transaction without its changes."""


class DeclaredState:
    """The sections of a server, and what a state file changes in them."""

    def __init__(self, opened: OpenedServer, plugins: Plugins) -> None:
        """Collect the sections.

        Raises:
            StartupError: two sections have the same name, or a plugin raised an exception.
        """
        server = opened.server
        check = partial(check_provider, protocol=StateSection)
        found = plugins.collect("wheelgate_state_sections", lambda section: section.name, check, server=server)
        refuse_reserved(found, "section", {UserSection.name, IndexSection.name}, lambda section: section.name)
        users = Users(server.users, opened.indices, server.users, opened.forget_principal)
        own: list[StateSection] = [
            UserSection(server.users, users, opened.passwords, opened.indices, opened.sources),
            IndexSection(server.indices, server.users, opened.indices, opened.sources),
        ]
        self._sections = sorted((*own, *(each for _, each in found)), key=lambda each: (each.rank, each.name))
        self._server = server
        self._administrators = Administrators(server, plugins)

    def export(self) -> dict[str, Any]:
        """Return the file that declares the present state, without secrets."""
        return {section.name: section.export() for section in self._sections}

    def plan(self, document: Mapping[str, Any], options: StateOptions) -> Changes:
        """Return the changes that :meth:`apply` would make; the options say that it is only planned.

        Raises:
            Refusal: the file has a mistake, or the server refuses a change.
            StartupError: a secret is not at its place.
        """

        def roll_back(changes: Changes) -> None:
            raise _RollBack

        return self._run(self._prepare(document, options), roll_back)

    def apply(self, document: Mapping[str, Any], options: StateOptions, confirm: Callable[[Changes], None]) -> Changes:
        """Make all changes, or none of them.

        Args:
            document: the file.
            options: how to apply it.
            confirm: called with the changes before they are committed; if it raises, nothing is changed.

        Raises:
            Refusal: as :meth:`plan` does.
            StartupError: as :meth:`plan` does.
        """

        def commit(changes: Changes) -> None:
            confirm(changes)
            if not changes:  # a commit would tell all workers that something has changed
                raise _RollBack

        changes = self._run(self._prepare(document, options), commit)
        if any(change.verb == "delete" for change in changes):
            self._server.files.remove_unreferenced()
        return changes

    def _prepare(self, document: Mapping[str, Any], options: StateOptions) -> list[PreparedSection]:
        """Read the tables, in the order of the sections."""
        known = [section.name for section in self._sections]
        for name, table in document.items():
            if name not in known:
                hint = did_you_mean(name, known) or f"; the tables are {', '.join(known)}"
                raise BadInput(f"unknown table [{name}]{hint}")
            if not isinstance(table, dict):
                raise BadInput(f"[{name}] must be a table")
            refuse_other_values(name, table)
        return [
            section.prepare(document[section.name], options) for section in self._sections if section.name in document
        ]

    def _run(self, prepared: Sequence[PreparedSection], end: Callable[[Changes], None]) -> Changes:
        """Make the changes within a transaction, and call ``end`` before it is committed."""
        changes: list[StateChange] = []
        try:
            with self._server.database.transaction():
                before = self._administrators.permissions()
                for section in reversed(prepared):
                    changes += section.delete()
                for section in prepared:
                    changes += section.write()
                if before - self._administrators.permissions():
                    raise Forbidden("nobody could administer the server after that; nothing was changed")
                end(changes)
        except _RollBack:
            pass
        return changes
