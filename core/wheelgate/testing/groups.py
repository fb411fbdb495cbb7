"""What a :class:`~wheelgate.providers.GroupSource` promises, as tests for any of them.

Subclass, and say by a fixture whom it knows::

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
from wheelgate.testing.authenticators import NAMES


@dataclass(frozen=True, slots=True)
class GroupSourceCase:
    """A source of groups, and somebody who is in some."""

    source: GroupSource
    member: str
    groups: frozenset[str]
    """All groups that ``member`` is in; not empty."""
    outage: Callable[[], object] | None = None
    """Takes down what the source asks; None if it asks nothing that could be down."""
    leave: Callable[[], object] | None = None
    """Takes ``member`` out of all groups; needed for a live source."""
    server: Server | None = None
    """The server in whose database a live source keeps its groups."""


class GroupSourceContract:
    """What a source of groups promises."""

    @pytest.fixture
    def case(self) -> GroupSourceCase:
        """Return the source under test, with somebody whom it knows."""
        raise NotImplementedError("the class that tests a source of groups defines the fixture 'case'")

    def test_it_says_what_it_is(self, case: GroupSourceCase) -> None:
        """The name is one that a log can show."""
        assert case.source.name.isprintable()
        assert case.source.name == case.source.name.strip() != ""

    def test_a_member_is_in_its_groups(self, case: GroupSourceCase) -> None:
        """The answer is a set of names that an access list can hold, the same again and from several threads."""
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(case.source.groups, [case.member] * 16))

        assert all(isinstance(answer, frozenset | set) for answer in answers)
        assert all(answer == case.groups for answer in answers)
        assert not any(set(group) & set(":,") for group in answers[0])

    @pytest.mark.parametrize("name", NAMES)
    def test_nobody_else_is(self, case: GroupSourceCase, name: str) -> None:
        """Whom it does not know is in no group, which is no error, whatever the name would mean to a filter."""
        assert not case.source.groups(name)

    def test_a_live_source_tells_of_every_change(self, case: GroupSourceCase) -> None:
        """One that is asked again only after a change keeps its groups where the server sees that there was one."""
        live = case.source.live
        assert live in (True, False)
        if not live:
            pytest.skip("its answers are kept for a minute")
        assert case.leave is not None, "a live source is tested with somebody who leaves"
        assert case.server is not None, "a live source is tested with the server that keeps its groups"
        serial = case.server.database.serial()

        case.leave()

        assert case.server.database.serial() != serial
        assert not case.source.groups(case.member)

    def test_an_outage_is_no_answer(self, case: GroupSourceCase) -> None:
        """While it cannot tell it raises: an empty answer would take everybody's rights for a minute."""
        if case.outage is None:
            pytest.skip("it asks nothing that could be down")
        case.outage()

        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it raises, core asks again
            case.source.groups(case.member)
