"""Which indices a caller may read, and what is said of the others: no more than of absent ones, if they are hidden."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from wheelgate.errors import NotAuthenticated, Refusal
from wheelgate.identity.identify import ANYONE, Caller
from wheelgate.rights.decision import Rights, refused
from wheelgate.services.indices import index_not_found
from wheelgate.services.packages.inheritance import Inheritance, Resolution
from wheelgate.store.access import StoreAccess
from wheelgate.store.protocols import IndexStore
from wheelgate.store.serial_cache import SerialCache
from wheelgate.values import Index, Principal, Resource, Verdict

READ, MODIFY = "index_read", "index_modify"
FOR_READERS = frozenset({READ, "toxresult_upload"})
"""What opens no index to who may not read it: everybody may upload results at first, also where only some may read."""


class IndexRights:
    """Lets a caller reach an index.

    Who may read an index is who may read it and all indices that it inherits from: what is private in a base can then
    leak through nothing that stands on it.
    """

    def __init__(
        self, rights: Rights, inheritance: Inheritance, store: IndexStore, access: StoreAccess, *, hide: bool
    ) -> None:
        """Take what decides, and whether an index that a caller may not read looks to it as one that is absent."""
        self._rights = rights
        self._inheritance = inheritance
        self._store = store
        self._access = access
        self._listed: SerialCache[None, bool] = SerialCache(1)
        self._hide = hide
        self._list = rights.access_list(READ)
        self._hides_nothing = rights.hides_nothing(READ)
        """Whether everybody may read an index of which no access list says who may, as far as listings tell."""
        self._asks_nobody = self._hides_nothing and rights.asks_nobody(READ)
        """Whether no plugin has an opinion on that either."""

    async def find(
        self, caller: Caller, owner: str, name: str, permission: str = READ, project: str | None = None
    ) -> Resolution:
        """Return an index that the caller may read, or on which it has a permission.

        Whoever lacks both is refused here only if the index is hidden; asking for the permission tells it why not.

        Args:
            caller: who asks.
            owner: the index's owner.
            name: its name.
            permission: what it is about to be asked for.
            project: the project that is meant, as in :class:`Resource`; only what a token leaves out depends on it.

        Raises:
            NotFound: there is no such index, or the caller is not to know of it.
            NotAuthenticated: the same, said to somebody who has not logged in where some index is not for everybody.
            Forbidden: it is clear who asks, and who may know of the index, but not read it.
            Refusal: whatever kept the credentials from being judged.
        """
        path, look = f"{owner}/{name}", self._inheritance.find
        found = look(path) if self._access.instant else await self._access.read(look, path)
        return await self.check(caller, owner, name, found, permission, project)

    async def check(
        self,
        caller: Caller,
        owner: str,
        name: str,
        found: Resolution | None,
        permission: str = READ,
        project: str | None = None,
    ) -> Resolution:
        """Do as :meth:`find` does with what has been looked up."""
        if found is None:
            raise await self._absent(caller, owner, name)
        if self._asks_nobody and self._unlisted(found):  # PERF: so it is for most indices
            return found
        principal = caller.principal
        denied = await self._denied(principal, found, project)
        if denied is None:
            if principal.name is not None and not await self._public(found):
                caller.incoming.keep_private()
            return found
        if permission not in FOR_READERS and await self._may(
            principal, permission, replace(found.resource, project=project)
        ):
            return found
        if self._hide and not await self._knows(principal, found):
            raise await self._absent(caller, owner, name)
        if permission == READ or (permission in FOR_READERS and await self._closed(principal, found)):
            raise self._rights.refusal(caller, READ, found.resource, denied)
        return found

    async def visible(self, caller: Caller, indices: Sequence[Index]) -> list[Index]:
        """Return those of some indices that the caller may read."""
        found = await self._access.read(self._resolutions, indices)
        principal = caller.principal
        if principal.name is not None:
            caller.incoming.keep_private()
        seen = await self._open_to(principal, found)
        restriction = principal.restriction
        if restriction is not None:
            own = [replace(each.resource, project="") for each in found]
            meant = {resource.path for resource in own if not restriction.refusal(READ, resource)}
            seen &= meant | await self._open_to(ANYONE, found)
        return [each.index for each in found if each.index.path in seen]

    async def _open_to(self, principal: Principal, found: Sequence[Resolution]) -> set[str]:
        """Return the paths of the indices that a principal may read, whatever its token leaves out."""
        resources = list({resource.path: resource for each in found for resource in each.line}.values())
        seen = await self._rights.visible_to_user(principal, READ, resources)
        hidden = {resource.path for resource, visible in zip(resources, seen, strict=True) if not visible}
        return {each.index.path for each in found if hidden.isdisjoint(resource.path for resource in each.line)}

    async def unreadable(self, caller: Caller, paths: Iterable[str]) -> frozenset[str]:
        """Return which of these paths are those of indices that the caller may not read."""
        hidden = set()
        for path in paths:
            found = await self._access.read(self._inheritance.find, path)
            if found is not None and await self._denied(caller.principal, found, ""):
                hidden.add(path)
        return frozenset(hidden)

    def all_public(self) -> bool:
        """Say whether everybody may read every index. Belongs outside of transactions."""
        return self._hides_nothing and not self._some_listed()

    async def _denied(self, principal: Principal, found: Resolution, project: str | None) -> Verdict | None:
        """Return the verdict that keeps somebody, or a token, from reading an index; None if nothing does.

        A token for an index reads what that index inherits. One for others reads only what is open to everybody, with
        all that it inherits: a private base must not show through an open index either.
        """
        closed = await self._closed(principal, found)
        restriction = principal.restriction
        if closed is not None or restriction is None:
            return closed
        refusal = restriction.refusal(READ, replace(found.resource, project=project))
        return refused(refusal) if refusal and await self._closed(ANYONE, found) else None

    async def _closed(self, principal: Principal, found: Resolution) -> Verdict | None:
        """Return the verdict that keeps somebody from reading an index, whatever a token leaves out besides."""
        for resource in found.line:
            verdict = await self._rights.judge(principal, READ, resource)
            if not verdict.allowed:
                return verdict if resource is found.resource else self._inherited(resource, verdict)
        return None

    async def _knows(self, principal: Principal, found: Resolution) -> bool:
        """Say whether somebody who is refused an index may know that it is there.

        Who may change the bases may know that one of them is closed, or could never mend the index. A token that is
        for the index, but not for this, is told so; for one that is for other indices it is not there.
        """
        restriction = principal.restriction
        if restriction is not None and not restriction.names(found.index.path):
            return False
        if await self._closed(principal, found) is None:
            return True
        return (await self._rights.judge(principal, MODIFY, found.resource)).allowed

    def _inherited(self, base: Resource, verdict: Verdict) -> Verdict:
        told = "an index that you may not read" if self._hide else f"{base.label}: {verdict.reason}"
        return replace(verdict, reason=f"it inherits from {told}")

    async def _may(self, principal: Principal, permission: str, resource: Resource) -> bool:
        return (await self._rights.decide(principal, permission, resource)).allowed

    def _unlisted(self, found: Resolution) -> bool:
        """Say whether no access list says who may read an index, or one that it inherits from."""
        return all(self._list not in resource.config for resource in found.line)

    async def _public(self, found: Resolution) -> bool:
        """Say whether everybody may read an index."""
        # PERF: whoever hides an index says so in an access list, or filters listings as well.
        if self._hides_nothing and self._unlisted(found):
            return True
        return await self._closed(ANYONE, found) is None

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
        return index_not_found(owner, name)

    async def _some_closed(self, owner: str, name: str) -> bool:
        """Say whether some index may not be for everybody, or one of this name would not be."""
        if not await self._access.read(self.all_public):
            return True
        return not await self._may(ANYONE, READ, Resource("index", name, owner))

    def _some_listed(self) -> bool:
        """Say whether an access list says who may read some index."""
        return self._listed.get_or_make(
            self._access.read_serial(),
            None,
            lambda: any(self._list in index.config for index in self._store.list()),
        )

    def _resolutions(self, indices: Sequence[Index]) -> list[Resolution]:
        found = [self._inheritance.find(index.path) for index in indices]
        return [each for each in found if each is not None]
