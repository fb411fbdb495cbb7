"""Fixtures for the tests of uploads: a user with an index, and another user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.helpers.upstream import upstream  # noqa: F401

from wheelgate.testing.site import Site


@dataclass(frozen=True)
class Owned:
    """An index that one test's user owns, on a server that other tests use too."""

    site: Site
    auth: tuple[str, str]
    index: str
    """``owner/dev``."""

    @property
    def owner(self) -> str:
        """The user's name."""
        return self.auth[0]

    def add_index(self, name: str, **config: object) -> str:
        """Create another index of the user; return its path."""
        path = f"{self.owner}/{name}"
        assert self.site.request("PUT", f"/{path}", config, auth=self.auth).status == 200
        return path


@pytest.fixture
def owned(shared: Site, fresh: str) -> Owned:
    """Return a new user's index."""
    return make(shared, fresh)


@pytest.fixture(scope="module")
def lasting(shared: Site, numbers: Iterator[int]) -> Owned:
    """Return an index for those tests of a file that change nothing."""
    return make(shared, f"lasting{next(numbers)}")


def make(site: Site, user: str) -> Owned:
    """Create a user with an index."""
    made = Owned(site, site.add_user(user), f"{user}/dev")
    made.add_index("dev")
    return made


@pytest.fixture
def other(owned: Owned) -> tuple[str, str]:
    """Return a user who has nothing to do with the index."""
    return owned.site.add_user(f"{owned.owner}-other")
