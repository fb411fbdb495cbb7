"""Asks again, inside the transaction that records a change, whether its caller may still make it.

A body may take minutes to arrive, and a change may wait for others. In the meantime the caller may have logged out,
lost a token, been removed from an access list, or got a new password from an administrator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from wheelgate.identity.identify import Caller
from wheelgate.identity.renewal import Renewal
from wheelgate.plugin_host.circuit import run_to_end
from wheelgate.rights.decision import Rights
from wheelgate.rights.indices import READ, READER_PERMISSIONS, IndexRights
from wheelgate.services.packages.inheritance import Inheritance
from wheelgate.store.protocols import IndexStore
from wheelgate.values import Resource


@dataclass(frozen=True, slots=True)
class Claim:
    """A permission that a caller has shown to have, and still needs when the change is recorded."""

    caller: Caller
    permission: str
    """Empty if only the credentials have to be valid still."""
    resource: Resource


NO_CLAIMS: Sequence[Claim] = ()
"""The claims of a change that everyone may make whose request is understood, such as to end one's own session."""

Confirm = Callable[[], None]
"""Raises the refusal of a claim that does not hold any more. Call it first thing inside the transaction."""


class Confirmation:
    """Confirms claims; see :class:`~wheelgate.identity.renewal.Renewal` for the two steps."""

    def __init__(
        self,
        renewal: Renewal,
        rights: Rights,
        index_rights: IndexRights,
        inheritance: Inheritance,
        indices: IndexStore,
    ) -> None:
        """Take the parts; ``rights`` and ``index_rights`` must ask plugins through ``BlockingCircuit``."""
        self._renewal = renewal
        self._rights = rights
        self._index_rights = index_rights
        self._inheritance = inheritance
        self._indices = indices

    async def prepare(self, claims: Sequence[Claim]) -> Confirm:
        """Ask everything that the transaction must not wait for, and return the function that asks the rest.

        Raises:
            Refusal: as :meth:`Renewal.before_transaction` does.
        """
        renewed = [replace(claim, caller=await self._renewal.before_transaction(claim.caller)) for claim in claims]

        def confirm() -> None:
            for claim in renewed:
                self._require(claim)

        return confirm

    def _require(self, claim: Claim) -> None:
        caller = replace(claim.caller, principal=self._renewal.in_transaction(claim.caller))
        resource = self._present(claim.resource)
        if claim.permission in READER_PERMISSIONS:
            self._require_readable(caller, claim.permission, resource)
        if claim.permission not in ("", READ):
            run_to_end(self._rights.require(caller, claim.permission, resource))

    def _present(self, resource: Resource) -> Resource:
        """Return a resource with its present configuration; the change itself finds out if it was deleted."""
        index = self._indices.get(str(resource.owner), resource.name) if resource.kind == "index" else None
        return resource if index is None else replace(resource, config=index.config)

    def _require_readable(self, caller: Caller, permission: str, resource: Resource) -> None:
        found = self._inheritance.find_in_transaction(resource.path)
        if found is None:
            return
        rights, principal = self._index_rights, caller.principal
        asking = (
            rights.read_refusal(principal, found, resource.project)
            if permission == READ
            else rights.user_read_refusal(principal, found)
        )
        verdict = run_to_end(asking)
        if verdict is not None:
            raise self._rights.refusal(caller, READ, found.resource, verdict)
