"""Decides about permissions: one ``Deny`` refuses; otherwise one ``Allow`` grants; otherwise the default decides."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from wheelgate.errors import Forbidden, NotAuthenticated, Refusal
from wheelgate.identity.identify import ANONYMOUS_PRINCIPAL, Caller
from wheelgate.plugin_host.circuit import Circuit
from wheelgate.plugin_host.discovery import Implementation
from wheelgate.plugin_host.failures import failure_text
from wheelgate.rights.permissions import decide_by_default
from wheelgate.server import Server
from wheelgate.values import READ_PERMISSIONS, Allow, Deny, Permission, Principal, Resource, Verdict

POLICY_ERROR = Deny("policy error")
"""Takes the place of an answer that a policy could not give."""
CORE_PLUGIN_NAME = "core"
"""The name that a verdict has in place of a plugin if no plugin decided."""

log = logging.getLogger("wheelgate.rights")

Policy = tuple[Implementation, Circuit]
Observe = Callable[[str, Allow | Deny | None], None]
"""Gets the name of each plugin that is asked, with its answer."""


class Rights:
    """Decides about permissions: step 5 in "How a request is handled" of the architecture."""

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
        """The policies to ask, by permission."""
        self._filters = filters

    def permission(self, name: str) -> Permission | None:
        """Return the permission of that name; None if there is none."""
        return self._permissions.get(name)

    @property
    def permission_names(self) -> list[str]:
        """The names of all permissions."""
        return sorted(self._permissions)

    def policy_names(self, permission: str) -> list[str]:
        """Return the plugins to ask about a permission, in their order."""
        return [policy.plugin for policy, _ in self._policies[permission]]

    async def decide(
        self, principal: Principal, permission: str, resource: Resource, observe: Observe | None = None
    ) -> Verdict:
        """Ask every policy, apply the restriction of a token, and return the decision with its reason."""
        verdict = await self.decide_unrestricted(principal, permission, resource, observe)
        if principal.restriction is None or not verdict.allowed:
            return verdict
        refusal = principal.restriction.refusal(permission, resource)
        if not refusal:
            return verdict
        # A token may read what anonymous may read, whatever its restriction: clients send their token with every
        # request, and without it they would get the same answer.
        if (
            permission in READ_PERMISSIONS
            and (await self.decide_unrestricted(ANONYMOUS_PRINCIPAL, permission, resource)).allowed
        ):
            return verdict
        return token_verdict(refusal)

    async def decide_unrestricted(
        self, principal: Principal, permission: str, resource: Resource, observe: Observe | None = None
    ) -> Verdict:
        """Decide as :meth:`decide` does, without the restriction of a token."""
        granted: Verdict | None = None
        question = {"server": self._server, "principal": principal, "permission": permission, "resource": resource}
        for policy, breaker in self._policies[permission]:
            try:
                answer = policy(**question) if breaker.instant else await breaker.call(policy, **question)
            except Exception as error:  # noqa: BLE001 - third-party code; a policy that cannot answer denies
                log.error("plugin '%s' failed to check a permission: %s", policy.plugin, failure_text(error))
                answer = POLICY_ERROR
            if answer is not None and not isinstance(answer, Allow | Deny):
                log.error("plugin '%s' answered %s to a permission check", policy.plugin, type(answer).__name__)
                answer = POLICY_ERROR
            if observe is not None:
                observe(policy.plugin, answer)
            if answer is None:
                continue
            if isinstance(answer, Deny):
                return Verdict(allowed=False, reason=answer.reason, plugin=policy.plugin)
            if granted is None:
                granted = Verdict(allowed=True, reason=answer.reason, plugin=policy.plugin)
        if granted is not None:
            return granted
        default = decide_by_default(principal, self._permissions[permission], resource)
        return Verdict(allowed=isinstance(default, Allow), reason=default.reason, plugin=CORE_PLUGIN_NAME)

    async def require(self, caller: Caller, permission: str, resource: Resource) -> None:
        """Refuse a caller who does not have a permission.

        Raises:
            NotAuthenticated: the caller is not logged in, or the credentials were invalid.
            Forbidden: the caller is logged in, but does not have the permission.
            Refusal: the credentials could not be verified, for example ``BackendUnavailable``.
        """
        verdict = await self.decide(caller.principal, permission, resource)
        if not verdict.allowed:
            raise self.refusal(caller, permission, resource, verdict)

    def refusal(self, caller: Caller, permission: str, resource: Resource, verdict: Verdict) -> Refusal:
        """Return the error for a caller whom a verdict refuses."""
        if caller.problem is not None:
            if caller.problem.details:
                rule = {"plugin": CORE_PLUGIN_NAME, "reason": caller.problem.message}
                caller.problem.details |= {**_question(permission, resource), "rule": rule}
            return caller.problem
        if caller.principal.name is None:
            action = f"{self._permissions[permission].description} {resource.label}"
            return NotAuthenticated(f"not logged in: no permission to {action}: {verdict.reason}")
        return self._forbidden(caller, permission, resource, verdict)

    def require_restriction(self, caller: Caller, permission: str, resource: Resource) -> None:
        """Apply the restriction of a token again, once the project is known.

        Call it after :meth:`require`, which did not know the project yet. It asks no plugin and never waits.

        Raises:
            Forbidden: the token is for other projects.
        """
        restriction = caller.principal.restriction
        refusal = restriction.refusal(permission, resource) if restriction is not None else ""
        if refusal:
            raise self._forbidden(caller, permission, resource, token_verdict(refusal))

    def _forbidden(self, caller: Caller, permission: str, resource: Resource, verdict: Verdict) -> Forbidden:
        name = caller.principal.name
        action = f"{self._permissions[permission].description} {resource.label}"
        log.info("'%s' has no permission to %s: %s (%s)", name, action, verdict.reason, verdict.plugin)
        details = {
            **_question(permission, resource),
            "user": name,
            "credential": caller.login.credential if caller.login is not None else None,
            "rule": {"plugin": verdict.plugin, "reason": verdict.reason},
        }
        return Forbidden(f"user '{name}' has no permission to {action}: {verdict.reason}", details=details)

    def is_known(self, permission: str) -> bool:
        """Return whether the core or a plugin defines a permission."""
        return permission in self._permissions

    def access_list(self, permission: str) -> str:
        """Return the configuration key of an index that lists who has a permission."""
        return self._permissions[permission].acl

    def hides_nothing(self, permission: str) -> bool:
        """Return whether listings show everything to everyone, unless an access list says otherwise."""
        return not self._filters and self._permissions[permission].default == "everyone"

    def has_no_policy(self, permission: str) -> bool:
        """Return whether no plugin is asked about a permission, so that its default and the access list decide."""
        return not self._policies[permission]

    async def visible(self, principal: Principal, permission: str, resources: Sequence[Resource]) -> list[bool]:
        """Return which entries of a listing a principal may see, within the restriction of its token."""
        seen = await self.visible_unrestricted(principal, permission, resources)
        restriction = principal.restriction
        if restriction is None:
            return seen
        allowed = [not restriction.refusal(permission, resource) for resource in resources]
        if permission in READ_PERMISSIONS and not all(allowed):
            to_anyone = await self.visible_unrestricted(ANONYMOUS_PRINCIPAL, permission, resources)
            allowed = [any(pair) for pair in zip(allowed, to_anyone, strict=True)]
        return [all(pair) for pair in zip(seen, allowed, strict=True)]

    async def visible_unrestricted(
        self, principal: Principal, permission: str, resources: Sequence[Resource]
    ) -> list[bool]:
        """Return the same as :meth:`visible`, without the restriction of a token."""
        known = self._permissions[permission]
        seen = [
            isinstance(decide_by_default(principal, known, resource), Allow)
            or (await self.decide_unrestricted(principal, permission, resource)).allowed
            for resource in resources
        ]
        for implementation, breaker in self._filters:
            try:
                answer = await breaker.call(
                    implementation,
                    server=self._server,
                    principal=principal,
                    permission=permission,
                    resources=resources,
                )
                if answer is not None:
                    seen = [before and bool(now) for before, now in zip(seen, answer, strict=True)]
            except Exception as error:  # noqa: BLE001 - third-party code; a listing that cannot be filtered is not shown
                log.error("plugin '%s' failed to filter a listing: %s", implementation.plugin, failure_text(error))
                return [False] * len(resources)
        return seen


def _question(permission: str, resource: Resource) -> dict[str, Any]:
    """Return the keys of a refusal that say what was asked."""
    question: dict[str, Any] = {"permission": permission, "resource": resource.address}
    return {**question, "project": resource.project} if resource.project else question


def token_verdict(reason: str) -> Verdict:
    """Return the verdict that refuses because of the restriction of a token."""
    return Verdict(allowed=False, reason=reason, plugin=CORE_PLUGIN_NAME)
