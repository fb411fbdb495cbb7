"""Explains decisions about permissions: the decision itself, made again with a record of what each policy answered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from wheelgate.rights.decision import POLICY_ERROR, Rights
from wheelgate.rights.indices import READ, READER_PERMISSIONS, IndexRights
from wheelgate.rights.permissions import decide_by_default
from wheelgate.services.packages.inheritance import Resolution
from wheelgate.values import Allow, Deny, Permission, Principal, Resource, Verdict


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """The answer of one policy to a question about a permission."""

    plugin: str
    answer: str
    """``allow``, ``deny``, ``no opinion``, ``failure``, or ``not asked`` because an earlier policy denied."""
    reason: str = ""
    milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision about a permission, and how it came about."""

    verdict: Verdict
    default: Allow | Deny
    """The decision if no policy has an opinion."""
    answers: Sequence[PolicyAnswer]
    """Those of the policies, in their order."""
    restriction: str
    """Why the API token does not allow it; empty if it does, or if there is no token."""


class Explainer:
    """Makes the same decisions as requests do, and records them."""

    def __init__(self, rights: Rights, index_rights: IndexRights) -> None:
        self._rights = rights
        self._index_rights = index_rights

    async def on_resource(self, principal: Principal, permission: Permission, resource: Resource) -> Explanation:
        """Explain a permission on the server, a user, or an index that does not have to exist."""
        record = _Record(self._rights.policy_names(permission.name))
        verdict = await self._rights.decide(principal, permission.name, resource, record.add)
        return _explanation(principal, permission, resource, verdict, record)

    async def on_index(
        self, principal: Principal, permission: Permission, found: Resolution, resource: Resource
    ) -> Explanation:
        """Explain a permission on an index that exists.

        Reading needs the right to read every index that it inherits from; uploads of test results need that, too. If
        one of them refuses, the answers are those about that index.
        """
        if permission.name in READER_PERMISSIONS:
            record = _Record(self._rights.policy_names(READ))
            refusal = await self._index_rights.read_refusal(principal, found, resource.project, record.add)
            if refusal is not None:
                read = self._rights.permission(READ) or permission
                return _explanation(principal, read, found.resource, refusal, record)
        if permission.name != READ:
            return await self.on_resource(principal, permission, resource)
        return await self._on_readable_index(principal, permission, resource)

    async def _on_readable_index(self, principal: Principal, permission: Permission, resource: Resource) -> Explanation:
        record = _Record(self._rights.policy_names(READ))
        verdict = await self._rights.decide_unrestricted(principal, READ, resource, record.add)
        return _explanation(principal, permission, resource, verdict, record)


class _Record:
    """Collects what the policies answer."""

    def __init__(self, plugins: Sequence[str]) -> None:
        self._plugins = plugins
        self._answers: list[PolicyAnswer] = []
        self._began = time.perf_counter()

    def add(self, plugin: str, answer: Allow | Deny | None) -> None:
        """Record an answer; the time since the last one is the time that it took."""
        if len(self._answers) == len(self._plugins):  # the next index of several
            self._answers.clear()
        now = time.perf_counter()
        kind = "no opinion" if answer is None else "allow" if isinstance(answer, Allow) else "deny"
        kind = "failure" if answer is POLICY_ERROR else kind
        reason = "" if answer is None else answer.reason
        self._answers.append(PolicyAnswer(plugin, kind, reason, round((now - self._began) * 1000, 3)))
        self._began = now

    def complete(self) -> list[PolicyAnswer]:
        """Return the answers, and the policies that were not asked."""
        not_asked = [PolicyAnswer(plugin, "not asked") for plugin in islice(self._plugins, len(self._answers), None)]
        return [*self._answers, *not_asked]


def _explanation(
    principal: Principal, permission: Permission, resource: Resource, verdict: Verdict, record: _Record
) -> Explanation:
    default = decide_by_default(principal, permission, resource)
    limits = principal.restriction
    restriction = "" if limits is None else limits.refusal(permission.name, resource)
    return Explanation(verdict, default, record.complete(), restriction)
