"""What a plugin that checks permissions promises, as tests for any of them.

Subclass, and say by a fixture which server it takes part in::

    class TestPolicy(PolicyContract):
        @pytest.fixture
        def site(self, tmp_path: Path) -> Iterator[Site]:
            with Site(tmp_path / "server", extra={"my_policy": wheelgate_my_policy}) as site:
                yield site

Every question is asked: every principal, every permission, every resource. Override ``principals`` and ``resources``
to add those that your policy tells apart.
"""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pytest

from wheelgate.rights.permissions import CORE_PERMISSIONS
from wheelgate.testing.site import Site
from wheelgate.values import Principal, Resource, Verdict

PRINCIPALS = (
    Principal(),
    Principal("root", credential="password"),
    Principal("alice", credential="session"),
    Principal("bob", frozenset({"admins"}), "directory"),
    Principal("admins", credential="session"),
    Principal("carol", frozenset({"devs", "alice"}), "remote_user"),
)
"""Anonymous, root, an owner, somebody in a group, somebody named like a group, a group named like somebody."""

CONFIGS: tuple[Mapping[str, Any], ...] = (
    {},
    {"volatile": True, "acl_upload": ["alice"], "bases": ["root/pypi"]},
    {"volatile": False, "acl_upload": [":admins", ":ANONYMOUS:"]},
    {"volatile": True, "acl_upload": [], "acl_read": ["alice", ":devs"]},
)

RESOURCES = (
    Resource("server"),
    *(Resource("user", name, name) for name in ("root", "alice", "bob", "nobody")),
    *(
        Resource("index", name, owner, config)
        for owner, name, config in product(("root", "alice", "bob"), ("dev", "secret"), CONFIGS)
    ),
    Resource("index", "new", "alice", proposed={"type": "mirror", "bases": []}),
)
"""Of each kind some; the indices with several owners, names and access lists."""

LISTED = {"user_read": "user", "index_read": "index"}
"""The permissions that listings ask for, with the kind of their entries."""

FAILED = "policy error"
"""What core says in place of a policy that raised or hung."""


class PolicyContract:
    """What a check of permissions promises."""

    @pytest.fixture
    def site(self) -> Site:
        """Return a server in which the policy takes part."""
        raise NotImplementedError("the class that tests a policy defines the fixture 'site'")

    @pytest.fixture
    def principals(self) -> Sequence[Principal]:
        """Return who asks."""
        return PRINCIPALS

    @pytest.fixture
    def resources(self) -> Sequence[Resource]:
        """Return what they ask about."""
        return RESOURCES

    def test_every_answer_has_a_reason(
        self, site: Site, principals: Sequence[Principal], resources: Sequence[Resource]
    ) -> None:
        """No question makes it raise; every answer says why in one line, and is the same when asked again."""
        for permission in CORE_PERMISSIONS:
            of_kind = [resource for resource in resources if resource.kind == permission.resource]
            asked = [(principal, permission.name, resource) for principal, resource in product(principals, of_kind)]
            verdicts = decided(site, asked)
            for question, verdict, again in zip(asked, verdicts, decided(site, asked), strict=True):
                assert verdict.reason != FAILED, question
                assert verdict.reason.strip(), question
                assert verdict.reason.isprintable(), question
                assert verdict == again, question

    @pytest.mark.parametrize("permission", LISTED)
    def test_a_listing_shows_what_may_be_seen(
        self, site: Site, principals: Sequence[Principal], resources: Sequence[Resource], permission: str
    ) -> None:
        """``filter_visible`` agrees with ``check_permission``, entry by entry, on all entries at once and on each."""
        entries = [resource for resource in resources if resource.kind == LISTED[permission]]
        for principal in principals:
            asked = [(principal, permission, entry) for entry in entries]
            allowed = [verdict.allowed for verdict in decided(site, asked)]

            assert shown(site, principal, permission, entries) == allowed, principal
            alone = [shown(site, principal, permission, [entry]) for entry in entries]
            assert alone == [[may] for may in allowed], principal
            assert shown(site, principal, permission, []) == []


def decided(site: Site, asked: Sequence[tuple[Principal, str, Resource]]) -> list[Verdict]:
    """Ask every policy as requests do, one question after the other."""

    async def ask() -> list[Verdict]:
        return [await site.application.rights.decide(*question) for question in asked]

    return asyncio.run(ask())


def shown(site: Site, principal: Principal, permission: str, entries: Sequence[Resource]) -> list[bool]:
    """Filter a listing as a request does."""
    return asyncio.run(site.application.rights.visible(principal, permission, entries))
