"""The server's own groups fulfil the contract of a group source, on both databases."""

from __future__ import annotations

import pytest

from wheelgate.testing.group_sources import GroupSourceCase, GroupSourceContract
from wheelgate.testing.site import Site
from wheelgate_groups.local_groups import GroupService, LocalGroupSource


class TestLocalGroups(GroupSourceContract):
    """The source of groups that this server stores, which is a live source."""

    @pytest.fixture
    def case(self, site: Site) -> GroupSourceCase:
        """Return the source, and a user who is in one group directly and in one through it."""
        site.add_user("alice")
        groups = GroupService(site.server)
        groups.create("devs", {"members": ["alice"]}, still_allowed)
        groups.create("staff", {"members": [":devs"]}, still_allowed)
        return GroupSourceCase(
            LocalGroupSource(site.server),
            "alice",
            frozenset({"devs", "staff"}),
            remove_member=lambda: groups.modify("devs", {"members": []}, still_allowed),
            server=site.server,
        )


def still_allowed() -> None:
    """Confirm that the caller may still change groups."""
