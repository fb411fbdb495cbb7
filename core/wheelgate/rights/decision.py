"""The decision: every policy is asked, one no refuses, one yes grants, else the permission's default holds."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from wheelgate.errors import Forbidden, NotAuthenticated, Refusal
from wheelgate.facade import Server
from wheelgate.identity.identify import Caller
from wheelgate.plugins import Implementation
from wheelgate.pools import Provider
from wheelgate.rights.permissions import by_default
from wheelgate.values import Allow, Deny, Permission, Principal, Resource, Verdict

CORE = "core"

log = logging.getLogger("wheelgate.rights")

Policy = tuple[Implementation, Provider]


class Rights:
    """Step 5 of a request's way."""

    def __init__(
        self,
        server: Server,
        permissions: Iterable[Permission],
        policies: Sequence[Policy],
        filters: Sequence[Policy],
    ) -> None:
        self._server = server
        self._permissions: Mapping[str, Permission] = {permission.name: permission for permission in permissions}
        self._policies = policies
        self._filters = filters

    async def decide(self, principal: Principal, permission: str, resource: Resource) -> Verdict:
        """Ask every policy and return the decision with its reason."""
        granted: Verdict | None = None
        question = {"server": self._server, "principal": principal, "permission": permission, "resource": resource}
        for policy, provider in self._policies:
            try:
                answer = policy(**question) if provider.instant else await provider.call(policy, **question)
            except Exception as error:  # noqa: BLE001 - a stranger's code; a policy that cannot answer denies
                log.error("plugin '%s' failed to check a permission: %s", policy.plugin, type(error).__name__)
                answer = Deny("policy error")
            if answer is None:
                continue
            if not isinstance(answer, Allow | Deny):
                log.error("plugin '%s' answered %s to a permission check", policy.plugin, type(answer).__name__)
                answer = Deny("policy error")
            if isinstance(answer, Deny):
                return Verdict(allowed=False, reason=answer.reason, plugin=policy.plugin)
            if granted is None:
                granted = Verdict(allowed=True, reason=answer.reason, plugin=policy.plugin)
        if granted is not None:
            return granted
        default = by_default(principal, self._permissions[permission], resource)
        return Verdict(allowed=isinstance(default, Allow), reason=default.reason, plugin=CORE)

    async def require(self, caller: Caller, permission: str, resource: Resource) -> None:
        """Let the caller pass, or refuse.

        Raises:
            NotAuthenticated: nobody is logged in, or the credentials were not good.
            Forbidden: it is clear who asks, and the answer is no.
            Refusal: whatever kept the credentials from being judged, such as ``BackendUnavailable``.
        """
        verdict = await self.decide(caller.principal, permission, resource)
        if not verdict.allowed:
            raise self.refusal(caller, permission, resource, verdict)

    def refusal(self, caller: Caller, permission: str, resource: Resource, verdict: Verdict) -> Refusal:
        """Return how a caller is told of a verdict that is a no."""
        if caller.problem is not None:
            return caller.problem
        action = f"{self._permissions[permission].description} {resource.label}"
        name = caller.principal.name
        if name is None:
            return NotAuthenticated(f"not logged in: no permission to {action}: {verdict.reason}")
        log.info("'%s' has no permission to %s: %s (%s)", name, action, verdict.reason, verdict.plugin)
        return Forbidden(f"user '{name}' has no permission to {action}: {verdict.reason}")

    def access_list(self, permission: str) -> str:
        """Return the key of an index that says who has a permission."""
        return self._permissions[permission].acl

    def hides_nothing(self, permission: str) -> bool:
        """Whether a listing looks the same to everyone, unless an access list says something else."""
        return not self._filters and self._permissions[permission].default == "everyone"

    async def visible(self, caller: Caller, permission: str, resources: Sequence[Resource]) -> list[bool]:
        """Say which entries of a listing the caller may see."""
        principal, known = caller.principal, self._permissions[permission]
        seen = [
            isinstance(by_default(principal, known, resource), Allow)
            or (await self.decide(principal, permission, resource)).allowed
            for resource in resources
        ]
        for implementation, provider in self._filters:
            try:
                answer = await provider.call(
                    implementation,
                    server=self._server,
                    principal=principal,
                    permission=permission,
                    resources=resources,
                )
                if answer is not None:
                    seen = [before and bool(now) for before, now in zip(seen, answer, strict=True)]
            except Exception as error:  # noqa: BLE001 - a stranger's code; what cannot be filtered is not shown
                log.error("plugin '%s' failed to filter a listing: %s", implementation.plugin, type(error).__name__)
                return [False] * len(resources)
        return seen
