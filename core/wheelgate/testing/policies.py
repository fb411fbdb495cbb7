"""Contract tests for every plugin that checks permissions.

Subclass the contract, and return a server with your policy from the fixture ``site``::

    class TestPolicy(PolicyContract):
        @pytest.fixture
        def site(self, tmp_path: Path) -> Iterator[Site]:
            with Site(tmp_path / "server", extra={"my_policy": wheelgate_my_policy}) as site:
                yield site

The tests combine every principal with every permission and every resource. Override the fixtures ``principals`` and
``resources`` to add those that your policy treats differently. The tests change nothing on the server; to start it
once, write ``@pytest.fixture(scope="class")`` above ``@classmethod``.
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

SAMPLE_PRINCIPALS = (
    Principal(),
    Principal("root", credential="password"),
    Principal("alice", credential="session"),
    Principal("bob", frozenset({"admins"}), "directory"),
    Principal("admins", credential="session"),
    Principal("carol", frozenset({"devs", "alice"}), "remote_user"),
)
"""Anonymous, root, an owner, a member of a group, a user named like a group, a member of a group named like a user."""

SAMPLE_INDEX_CONFIGS: tuple[Mapping[str, Any], ...] = (
    {},
    {"volatile": True, "acl_upload": ["alice"], "bases": ["root/pypi"]},
    {"volatile": False, "acl_upload": [":admins", ":ANONYMOUS:"]},
    {"volatile": True, "acl_upload": [], "acl_read": ["alice", ":devs"]},
)

SAMPLE_RESOURCES = (
    Resource("server"),
    *(Resource("user", name, name) for name in ("root", "alice", "bob", "nobody")),
    *(
        Resource("index", name, owner, config)
        for owner, name, config in product(("root", "alice", "bob"), ("dev", "secret"), SAMPLE_INDEX_CONFIGS)
    ),
    Resource("index", "new", "alice", proposed={"type": "mirror", "bases": []}),
)
"""The server, users, and indices with several owners, names and access lists."""

RESOURCE_KINDS_BY_LISTING_PERMISSION = {"user_read": "user", "index_read": "index"}
"""The permissions that listings check, with the kind of resource that each lists."""

POLICY_FAILURE_REASON = "policy error"
"""The reason that the core gives for a policy that raised or timed out."""


class PolicyContract:
    """The tests that every policy passes."""

    @pytest.fixture
    def site(self) -> Site:
        """Return a server with the policy under test; override this."""
        raise NotImplementedError("define the fixture 'site' in your subclass of PolicyContract")

    @pytest.fixture
    def principals(self) -> Sequence[Principal]:
        """Return the principals that the tests ask for; override this to add your own."""
        return SAMPLE_PRINCIPALS

    @pytest.fixture
    def resources(self) -> Sequence[Resource]:
        """Return the resources that the tests ask about; override this to add your own."""
        return SAMPLE_RESOURCES

    def test_every_answer_has_a_reason(
        self, site: Site, principals: Sequence[Principal], resources: Sequence[Resource]
    ) -> None:
        """A policy never raises, gives a reason in one line, and answers the same question the same way again."""
        for permission in CORE_PERMISSIONS:
            of_kind = [resource for resource in resources if resource.kind == permission.resource]
            questions = [(principal, permission.name, resource) for principal, resource in product(principals, of_kind)]
            verdicts = decide_each(site, questions)
            for question, verdict, again in zip(questions, verdicts, decide_each(site, questions), strict=True):
                assert verdict.reason != POLICY_FAILURE_REASON, f"do not raise on {question}"
                assert verdict.reason.strip(), f"give a reason for {question}"
                assert verdict.reason.isprintable(), f"give a printable reason, in one line, for {question}"
                assert verdict == again, f"give the same answer again for {question}"

    @pytest.mark.parametrize("permission", RESOURCE_KINDS_BY_LISTING_PERMISSION)
    def test_listings_agree_with_checks(
        self, site: Site, principals: Sequence[Principal], resources: Sequence[Resource], permission: str
    ) -> None:
        """``filter_visible`` agrees with ``check_permission`` on each entry, alone and in a list of all entries."""
        kind = RESOURCE_KINDS_BY_LISTING_PERMISSION[permission]
        entries = [resource for resource in resources if resource.kind == kind]
        for principal in principals:
            verdicts = decide_each(site, [(principal, permission, entry) for entry in entries])
            allowed = [verdict.allowed for verdict in verdicts]

            assert list_visible(site, principal, permission, entries) == allowed, f"show {principal} what it may read"
            alone = [list_visible(site, principal, permission, [entry]) for entry in entries]
            assert alone == [[may] for may in allowed], f"answer for one entry as for many, for {principal}"
            assert list_visible(site, principal, permission, []) == [], "return one answer for each entry"


def decide_each(site: Site, questions: Sequence[tuple[Principal, str, Resource]]) -> list[Verdict]:
    """Decide each question as the server does for a request."""

    async def decide() -> list[Verdict]:
        return [await site.application.rights.decide(*question) for question in questions]

    return asyncio.run(decide())


def list_visible(site: Site, principal: Principal, permission: str, entries: Sequence[Resource]) -> list[bool]:
    """Return for each entry of a listing whether the server shows it."""
    return asyncio.run(site.application.rights.visible(principal, permission, entries))
