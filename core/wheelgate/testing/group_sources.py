"""Contract tests for every :class:`~wheelgate.providers.GroupSource`.

Subclass the contract, and return your group source and one of its members from the fixture ``case``::

    class TestGroups(GroupSourceContract):
        @pytest.fixture
        def case(self) -> GroupSourceCase:
            return GroupSourceCase(Directory(...), member="ada", groups=frozenset({"admins"}))
"""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from wheelgate.providers import GroupSource
from wheelgate.server import Server
from wheelgate.testing.hostile_values import HOSTILE_NAMES


@dataclass(frozen=True, slots=True)
class GroupSourceCase:
    """A group source, and a user who is in some of its groups."""

    source: GroupSource
    member: str
    """The user's name."""
    groups: frozenset[str]
    """All groups that ``member`` is in; not empty."""
    start_outage: Callable[[], object] | None = None
    """Takes down the service that the source asks; None if it asks none."""
    remove_member: Callable[[], object] | None = None
    """Removes ``member`` from all groups; needed for a live source."""
    server: Server | None = None
    """The server in whose database a live source keeps its groups."""


class GroupSourceContract:
    """The tests that every group source passes."""

    @pytest.fixture
    def case(self) -> GroupSourceCase:
        """Return the group source under test with one of its members; override this."""
        raise NotImplementedError("define the fixture 'case' in your subclass of GroupSourceContract")

    def test_attributes_are_valid(self, case: GroupSourceCase) -> None:
        """A group source has a printable name without spaces around it."""
        assert case.source.name.isprintable(), "use printable characters only: logs show the name"
        assert case.source.name == case.source.name.strip() != "", "give a name without spaces around it"

    def test_returns_the_groups_of_a_member(self, case: GroupSourceCase) -> None:
        """A group source returns a set of names without ``:`` and ``,``, the same in every call and every thread."""
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(case.source.groups, [case.member] * 16))

        assert all(isinstance(answer, frozenset | set) for answer in answers), "return a frozenset or a set"
        assert all(answer == case.groups for answer in answers), "return all groups of the user, and no others"
        assert not any(set(group) & set(":,") for group in answers[0]), "leave out groups with ':' or ','"

    @pytest.mark.parametrize("name", HOSTILE_NAMES)
    def test_unknown_users_are_in_no_group(self, case: GroupSourceCase, name: str) -> None:
        """A group source returns an empty set for an unknown user, and escapes names in filters, queries and paths."""
        assert not case.source.groups(name), "return an empty set for an unknown user"

    def test_a_live_source_advances_the_serial(self, case: GroupSourceCase) -> None:
        """A live group source keeps its groups in the server's database: each change advances the serial there."""
        live = case.source.live
        assert live in (True, False), "set 'live' to True or False"
        if not live:
            pytest.skip("the server caches the groups of this source for a minute")
        assert case.remove_member is not None, "set 'remove_member' in the case: the source is live"
        assert case.server is not None, "set 'server' in the case: the source is live"
        serial = case.server.database.serial()

        case.remove_member()

        assert case.server.database.serial() != serial, "keep groups in server.database, or do not call the source live"
        assert not case.source.groups(case.member), "return no groups once the user is in none"

    def test_raises_during_an_outage(self, case: GroupSourceCase) -> None:
        """A group source raises while its service is down: an empty set would take the rights of all for a minute."""
        if case.start_outage is None:
            pytest.skip("the source asks no service that could be down")
        case.start_outage()

        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it raises, the core asks again
            case.source.groups(case.member)
