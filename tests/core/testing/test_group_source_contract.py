"""The group source contract fails for answers that access lists cannot use, and for changes that go unseen."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from tests.helpers.sites import Serve

from wheelgate.testing.group_sources import GroupSourceCase, GroupSourceContract


@pytest.mark.parametrize(
    "groups",
    [lambda _: "admins", lambda _: frozenset(), lambda _: frozenset({"admins", "a:b"})],
    ids=["a string", "no groups", "a colon in a name"],
)
def test_a_flawed_group_source_fails(groups: Callable[[str], Any]) -> None:
    """The contract finds a group source whose answers no access list can use."""
    case = GroupSourceCase(SimpleNamespace(name="flawed", groups=groups), "ada", frozenset({"admins"}))

    with pytest.raises(AssertionError):
        GroupSourceContract().test_returns_the_groups_of_a_member(case)


@pytest.mark.parametrize("live", [True, "yes"], ids=["groups outside of the database", "live is a string"])
def test_a_source_that_is_not_live_fails(serve: Serve, live: object) -> None:
    """The contract finds a group source whose changes the server would not notice."""
    members = {"ada"}
    source: Any = SimpleNamespace(
        name="flawed", live=live, groups=lambda name: frozenset({"admins"} if name in members else ())
    )
    case = GroupSourceCase(source, "ada", frozenset({"admins"}), remove_member=members.clear, server=serve().server)

    with pytest.raises(AssertionError):
        GroupSourceContract().test_a_live_source_advances_the_serial(case)
