"""Who can administer a server, as far as the server itself can say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wheelgate.plugin_host.discovery import Implementation, Plugins
from wheelgate.plugin_host.failures import failure_text
from wheelgate.plugin_host.provider_hooks import group_sources
from wheelgate.providers import GroupSource
from wheelgate.server import Server
from wheelgate.values import ROOT, Allow, Deny, Principal, Resource, User

ADMINISTRATION = (
    ("user_modify", Resource("user", ROOT, ROOT, proposed={})),
    ("user_create", Resource("user", "newcomer", "newcomer", proposed={})),
)
"""What administrators may do: change root, and create users. Not ``user_password``: policies let all users change their
own."""


class Administrators:
    """Finds users who may administer the server and can log in.

    The policies are asked in this thread, so that within a transaction they see its changes. Groups of a directory do
    not count: to ask a directory takes long, and it may be down.
    """

    def __init__(self, server: Server, plugins: Plugins) -> None:
        self._server = server
        self._policies: Sequence[Implementation] = plugins.implementations("wheelgate_check_permission")
        self._sources: Sequence[GroupSource] = [each for each in group_sources(plugins, server) if each.live]

    def permissions(self) -> frozenset[str]:
        """Return the permissions of an administrator that at least one user has."""
        principals = [self._principal(user) for user in self._candidates()]
        return frozenset(
            permission
            for permission, resource in ADMINISTRATION
            if any(self._has(principal, permission, resource) for principal in principals)
        )

    def _candidates(self) -> Iterator[User]:
        """Yield the users who can log in, root first."""
        users = self._server.users
        for user in sorted(users.list(), key=lambda each: each.name != ROOT):
            if user.provider or users.password_hash(user.name) is not None:
                yield user

    def _principal(self, user: User) -> Principal:
        return Principal(user.name, frozenset(group for source in self._sources for group in source.groups(user.name)))

    def _has(self, principal: Principal, permission: str, resource: Resource) -> bool:
        verdicts = [
            self._ask(policy, principal, permission, resource)
            for policy in self._policies
            if policy.is_about(permission)
        ]
        if any(isinstance(verdict, Deny) for verdict in verdicts):
            return False
        return principal.name == ROOT or any(isinstance(verdict, Allow) for verdict in verdicts)

    def _ask(self, policy: Implementation, principal: Principal, permission: str, resource: Resource) -> object:
        """Return the verdict of a policy; one that raises denies, as it does for requests."""
        try:
            return policy(server=self._server, principal=principal, permission=permission, resource=resource)
        except Exception as error:  # noqa: BLE001 - third-party code
            return Deny(failure_text(error))
