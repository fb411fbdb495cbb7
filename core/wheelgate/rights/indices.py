"""Which indices a caller may read, and what is said of the others: no more than of absent ones, if they are hidden."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from wheelgate.errors import NotAuthenticated, Refusal
from wheelgate.identity.identify import ANYONE, Caller
from wheelgate.rights.decision import Rights
from wheelgate.services.indices import absent
from wheelgate.services.inheritance import Inheritance, Resolution
from wheelgate.store.access import Access, Kept
from wheelgate.store.protocols import IndexStore
from wheelgate.values import Index, Principal, Resource, Verdict

READ, MODIFY = "index_read", "index_modify"


class IndexRights:
    """Lets a caller reach an index.

    Who may read an index is who may read it and all indices that it inherits from: what is private in a base can then
    leak through nothing that stands on it.
    """

    def __init__(
        self, rights: Rights, inheritance: Inheritance, store: IndexStore, access: Access, kept: Kept, *, hide: bool
    ) -> None:
        """Take what decides, and whether an index that a caller may not read looks to it as one that is absent."""
        self._rights = rights
        self._inheritance = inheritance
        self._store = store
        self._access = access
        self._kept = kept
        self._hide = hide

    async def find(self, caller: Caller, owner: str, name: str, permission: str = READ) -> Resolution:
        """Return an index that the caller may read, or on which it has a permission.

        Whoever lacks both is refused here only if the index is hidden; asking for the permission tells it why not.

        Raises:
            NotFound: there is no such index, or the caller is not to know of it.
            NotAuthenticated: the same, said to somebody who has not logged in where some index is not for everybody.
            Forbidden: it is clear who asks, and who may know of the index, but not read it.
            Refusal: whatever kept the credentials from being judged.
        """
        path, look = f"{owner}/{name}", self._inheritance.find
        found = look(path) if self._access.instant else await self._access.read(look, path)
        return await self.check(caller, owner, name, found, permission)

    async def check(
        self, caller: Caller, owner: str, name: str, found: Resolution | None, permission: str = READ
    ) -> Resolution:
        """Do as :meth:`find` does with what has been looked up."""
        if found is None:
            raise await self._absent(caller, owner, name)
        principal = caller.principal
        denied = await self._denied(principal, found)
        if denied is None:
            if principal.name is not None and not await self._public(found):
                caller.incoming.keep_private()
            return found
        if permission != READ and await self._may(principal, permission, found.resource):
            return found
        # Who may change the bases may know that one of them is closed, or could never mend the index.
        if self._hide and not await self._may(principal, MODIFY, found.resource):
            raise await self._absent(caller, owner, name)
        if permission == READ:
            raise self._rights.refusal(caller, READ, found.resource, denied)
        return found

    async def visible(self, caller: Caller, indices: Sequence[Index]) -> list[Index]:
        """Return those of some indices that the caller may read."""
        found = await self._access.read(self._resolutions, indices)
        resources = list({resource.label: resource for each in found for resource in each.line}.values())
        seen = await self._rights.visible(caller, READ, resources)
        hidden = {resource.label for resource, visible in zip(resources, seen, strict=True) if not visible}
        if caller.principal.name is not None:
            caller.incoming.keep_private()
        return [each.index for each in found if not any(resource.label in hidden for resource in each.line)]

    async def unreadable(self, caller: Caller, paths: Iterable[str]) -> frozenset[str]:
        """Return which of these paths are those of indices that the caller may not read."""
        hidden = set()
        for path in paths:
            found = await self._access.read(self._inheritance.find, path)
            if found is not None and await self._denied(caller.principal, found):
                hidden.add(path)
        return frozenset(hidden)

    def all_public(self) -> bool:
        """Say whether everybody may read every index. Belongs outside of transactions."""
        return self._rights.hides_nothing(READ) and not self._some_listed()

    async def _denied(self, principal: Principal, found: Resolution) -> Verdict | None:
        """Return the verdict that keeps somebody from reading an index; None if nothing does."""
        for resource in found.line:
            verdict = await self._rights.decide(principal, READ, resource)
            if not verdict.allowed:
                return verdict if resource is found.resource else self._inherited(resource, verdict)
        return None

    def _inherited(self, base: Resource, verdict: Verdict) -> Verdict:
        told = "an index that you may not read" if self._hide else f"{base.label}: {verdict.reason}"
        return replace(verdict, reason=f"it inherits from {told}")

    async def _may(self, principal: Principal, permission: str, resource: Resource) -> bool:
        return (await self._rights.decide(principal, permission, resource)).allowed

    async def _public(self, found: Resolution) -> bool:
        """Say whether everybody may read an index."""
        # PERF: whoever hides an index says so in an access list, or filters listings as well.
        if self._rights.hides_nothing(READ):
            key = self._rights.access_list(READ)
            if not any(key in resource.config for resource in found.line):
                return True
        return await self._denied(ANYONE, found) is None

    async def _absent(self, caller: Caller, owner: str, name: str) -> Refusal:
        """Return what is said of an index that is not there, and of one that the caller is not to know of.

        An installer sends the credentials that it has only when it is asked to. So where some index is not for
        everybody, it is asked to for every index that it does not see.
        """
        if caller.principal.name is not None:
            caller.incoming.keep_private()
        elif self._hide and await self._some_closed(owner, name):
            sentence = f"not logged in: there is no index {ascii(owner)[1:-1]}/{ascii(name)[1:-1]} for everybody"
            return caller.problem or NotAuthenticated(sentence)
        return absent(owner, name)

    async def _some_closed(self, owner: str, name: str) -> bool:
        """Say whether some index may not be for everybody, or one of this name would not be."""
        if not await self._access.read(self.all_public):
            return True
        return not await self._may(ANYONE, READ, Resource("index", name, owner))

    def _some_listed(self) -> bool:
        """Say whether an access list says who may read some index."""
        values = self._kept.now()
        if "some listed" not in values:
            key = self._rights.access_list(READ)
            values["some listed"] = any(key in index.config for index in self._store.list())
        return bool(values["some listed"])

    def _resolutions(self, indices: Sequence[Index]) -> list[Resolution]:
        found = [self._inheritance.find(index.path) for index in indices]
        return [each for each in found if each is not None]
