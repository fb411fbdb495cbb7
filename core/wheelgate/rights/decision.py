"""The decision: every policy is asked, one no refuses, one yes grants, else the permission's default holds."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from wheelgate.errors import Forbidden, NotAuthenticated, Refusal
from wheelgate.identity.identify import ANYONE, Caller
from wheelgate.plugin_host.discovery import Implementation
from wheelgate.rights.permissions import by_default
from wheelgate.server import Server
from wheelgate.threads.pool import Provider
from wheelgate.values import Allow, Deny, Permission, Principal, Resource, Verdict

CORE = "core"
OPEN = frozenset({"index_read", "user_read", "user_list"})
"""What a token may do beyond its restriction where anonymous may: who leaves the token out gets it anyway, and clients
send their token with every request."""

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
        self._policies = {
            name: [policy for policy in policies if policy[0].is_about(name)] for name in self._permissions
        }
        """Who is asked about each permission."""
        self._filters = filters

    async def decide(self, principal: Principal, permission: str, resource: Resource) -> Verdict:
        """Ask every policy, hold a token to its restriction, and return the decision with its reason."""
        verdict = await self.judge(principal, permission, resource)
        if principal.restriction is None or not verdict.allowed:
            return verdict
        refusal = principal.restriction.refusal(permission, resource)
        if not refusal or (permission in OPEN and (await self.judge(ANYONE, permission, resource)).allowed):
            return verdict
        return refused(refusal)

    async def judge(self, principal: Principal, permission: str, resource: Resource) -> Verdict:
        """Ask every policy what a principal may, whatever its token leaves out."""
        granted: Verdict | None = None
        question = {"server": self._server, "principal": principal, "permission": permission, "resource": resource}
        for policy, provider in self._policies[permission]:
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
        if caller.principal.name is None:
            action = f"{self._permissions[permission].description} {resource.label}"
            return NotAuthenticated(f"not logged in: no permission to {action}: {verdict.reason}")
        return self._forbidden(caller.principal.name, permission, resource, verdict)

    def require_restriction(self, caller: Caller, permission: str, resource: Resource) -> None:
        """Hold a token to its restriction again, now that it is known which project is meant.

        Belongs after :meth:`require`, which was asked about none. It asks nobody and never waits.

        Raises:
            Forbidden: the token is for others.
        """
        name, restriction = caller.principal.name, caller.principal.restriction
        refusal = restriction.refusal(permission, resource) if restriction is not None else ""
        if refusal:
            raise self._forbidden(str(name), permission, resource, refused(refusal))

    def _forbidden(self, name: str, permission: str, resource: Resource, verdict: Verdict) -> Forbidden:
        action = f"{self._permissions[permission].description} {resource.label}"
        log.info("'%s' has no permission to %s: %s (%s)", name, action, verdict.reason, verdict.plugin)
        return Forbidden(f"user '{name}' has no permission to {action}: {verdict.reason}")

    def access_list(self, permission: str) -> str:
        """Return the key of an index that says who has a permission."""
        return self._permissions[permission].acl

    def hides_nothing(self, permission: str) -> bool:
        """Whether a listing looks the same to everyone, unless an access list says something else."""
        return not self._filters and self._permissions[permission].default == "everyone"

    def asks_nobody(self, permission: str) -> bool:
        """Whether no plugin has an opinion on a permission: its default, and its access list, decide at once."""
        return not self._policies[permission]

    async def visible(self, principal: Principal, permission: str, resources: Sequence[Resource]) -> list[bool]:
        """Say which entries of a listing somebody, or a token, may see."""
        seen = await self.visible_to_user(principal, permission, resources)
        restriction = principal.restriction
        if restriction is None:
            return seen
        meant = [not restriction.refusal(permission, resource) for resource in resources]
        if permission in OPEN and not all(meant):
            for_all = await self.visible_to_user(ANYONE, permission, resources)
            meant = [any(pair) for pair in zip(meant, for_all, strict=True)]
        return [all(pair) for pair in zip(seen, meant, strict=True)]

    async def visible_to_user(self, principal: Principal, permission: str, resources: Sequence[Resource]) -> list[bool]:
        """Say which entries of a listing a principal may see, whatever its token leaves out."""
        known = self._permissions[permission]
        seen = [
            isinstance(by_default(principal, known, resource), Allow)
            or (await self.judge(principal, permission, resource)).allowed
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


def refused(reason: str) -> Verdict:
    """Return the verdict on what a token leaves out."""
    return Verdict(allowed=False, reason=reason, plugin=CORE)
