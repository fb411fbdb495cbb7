"""The server's own groups keep every promise of a source of groups, on both databases."""

from __future__ import annotations

import pytest

from wheelgate.testing.group_sources import GroupSourceCase, GroupSourceContract
from wheelgate.testing.site import Site
from wheelgate_groups.local_groups import Groups, LocalGroups


class TestLocalGroups(GroupSourceContract):
    """Groups that this server keeps, which is a live source."""

    @pytest.fixture
    def case(self, site: Site) -> GroupSourceCase:
        """Return the source, and a user who is in a group by another one, too."""
        site.add_user("alice")
        groups = Groups(site.server)
        groups.create("devs", {"members": ["alice"]})
        groups.create("staff", {"members": [":devs"]})
        return GroupSourceCase(
            LocalGroups(site.server),
            "alice",
            frozenset({"devs", "staff"}),
            remove_member=lambda: groups.modify("devs", {"members": []}),
            server=site.server,
        )
