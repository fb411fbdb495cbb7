"""Decides which indices a caller may read, and whether the caller may know that the others exist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from wheelgate.errors import NotAuthenticated, Refusal
from wheelgate.identity.identify import ANONYMOUS_PRINCIPAL, Caller
from wheelgate.rights.decision import Observe, Rights, token_verdict
from wheelgate.services.indices import index_not_found
from wheelgate.services.packages.inheritance import Inheritance, Resolution
from wheelgate.store.access import StoreAccess
from wheelgate.store.protocols import IndexStore
from wheelgate.store.serial_cache import SerialCache
from wheelgate.values import ROOT, Index, Principal, Resource, Verdict

READ, MODIFY = "index_read", "index_modify"
READER_PERMISSIONS = frozenset({READ, "toxresult_upload"})
"""Permissions that need the right to read, too: by default everyone may upload test results, even to an index that only
some users may read."""


class IndexRights:
    """Finds indices for callers, and refuses those that a caller may not read.

    A caller may read an index if policies, access list and token allow it for the index and for every index that it
    inherits from. So nothing that is private in a base can leak through an index that inherits from it.

    ========================  ==================================================================================
    ``find``, ``check``       return one index, or raise the error that the caller may see
    ``visible``               keeps the readable ones of several indices
    ``unreadable``            keeps the paths of unreadable indices
    ``unnamed``               keeps the paths that an answer must not name
    ``all_public``            whether anonymous may read every index
    ``read_refusal``          why a principal may not read an index, its token included; None if it may
    ``user_read_refusal``     the same without the restriction of the token
    ``_may_know``             whether a principal who may not read an index may know that it exists
    ``_is_public``            whether anonymous may read an index
    ``_has_no_access_list``   whether neither the index nor its bases have an access list for readers
    ========================  ==================================================================================
    """

    def __init__(
        self, rights: Rights, inheritance: Inheritance, store: IndexStore, access: StoreAccess, *, hide: bool
    ) -> None:
        """Take the parts, and whether to hide unreadable indices as if they did not exist."""
        self._rights = rights
        self._inheritance = inheritance
        self._store = store
        self._access = access
        self._any_access_list: SerialCache[None, bool] = SerialCache(1)
        self._hide = hide
        self._acl_key = rights.access_list(READ)
        self._hides_nothing = rights.hides_nothing(READ)
        """Whether listings show every index without an access list to everyone."""
        self._default_decides = self._hides_nothing and rights.has_no_policy(READ)
        """Whether everyone may read every index without an access list."""

    async def find(
        self, caller: Caller, owner: str, name: str, permission: str = READ, project: str | None = None
    ) -> Resolution:
        """Return an index that the caller may read, or on which it has a permission.

        It refuses a caller with neither only if the index is hidden. Otherwise the check of the permission, which
        follows, refuses with the reason.

        Args:
            caller: the sender of the request.
            owner: the owner of the index.
            name: the name of the index.
            permission: the permission that will be checked next.
            project: the project, as in :class:`Resource`; it matters for the restriction of a token only.

        Raises:
            NotFound: there is no such index, or the caller may not know of it.
            NotAuthenticated: the same for a caller who is not logged in, if some index is private.
            Forbidden: the caller is logged in and may know of the index, but not read it.
            Refusal: the credentials could not be verified.
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
        """Do what :meth:`find` does, with an index that was already looked up; None if it does not exist."""
        if found is None:
            raise await self._not_found(caller, owner, name)
        if self._default_decides and self._has_no_access_list(found):  # PERF: most indices end here
            return found
        principal = caller.principal
        refusal = await self.read_refusal(principal, found, project)
        if refusal is None:
            if principal.name is not None and not await self._is_public(found):
                caller.incoming.keep_private()
            return found
        if permission not in READER_PERMISSIONS and await self._is_allowed(
            principal, permission, replace(found.resource, project=project)
        ):
            return found
        if self._hide and not await self._may_know(principal, found):
            raise await self._not_found(caller, owner, name)
        if permission == READ or (permission in READER_PERMISSIONS and await self.user_read_refusal(principal, found)):
            raise self._rights.refusal(caller, READ, found.resource, refusal)
        return found

    async def visible(self, caller: Caller, indices: Sequence[Index]) -> list[Index]:
        """Return the indices that the caller may read."""
        found = await self._access.read(self._resolutions, indices)
        principal = caller.principal
        if principal.name is not None:
            caller.incoming.keep_private()
        seen = await self._readable_paths(principal, found)
        restriction = principal.restriction
        if restriction is not None:
            own = [replace(each.resource, project="") for each in found]
            within_restriction = {resource.path for resource in own if not restriction.refusal(READ, resource)}
            seen &= within_restriction | await self._readable_paths(ANONYMOUS_PRINCIPAL, found)
        return [each.index for each in found if each.index.path in seen]

    async def _readable_paths(self, principal: Principal, found: Sequence[Resolution]) -> set[str]:
        """Return the paths of the indices that a principal may read, without the restriction of its token."""
        resources = list({resource.path: resource for each in found for resource in each.lineage}.values())
        seen = await self._rights.visible_unrestricted(principal, READ, resources)
        hidden = {resource.path for resource, visible in zip(resources, seen, strict=True) if not visible}
        return {each.index.path for each in found if hidden.isdisjoint(resource.path for resource in each.lineage)}

    async def unreadable(self, caller: Caller, paths: Iterable[str]) -> frozenset[str]:
        """Return the paths of the indices that the caller may not read."""
        hidden = set()
        for path in paths:
            found = await self._access.read(self._inheritance.find, path)
            if found is not None and await self.read_refusal(caller.principal, found, ""):
                hidden.add(path)
        return frozenset(hidden)

    async def unnamed(self, caller: Caller, paths: Iterable[str]) -> frozenset[str]:
        """Return the paths that an answer must not name: those of unreadable indices, and of others' deleted ones.

        Nothing tells whether an index that was deleted could be read. Its owner and root know of it anyway.
        """
        hidden = set()
        for path in paths if self._hide else ():
            found = await self._access.read(self._inheritance.find, path)
            if found is None:
                may_know = caller.principal.name in (ROOT, path.partition("/")[0])
            else:
                may_know = await self.read_refusal(caller.principal, found, "") is None
            if not may_know:
                hidden.add(path)
            elif found is None or not await self._is_public(found):
                caller.incoming.keep_private()
        return frozenset(hidden)

    def all_public(self) -> bool:
        """Return whether everyone may read every index. Do not call it inside a transaction."""
        return self._hides_nothing and not self._some_access_list()

    async def read_refusal(
        self, principal: Principal, found: Resolution, project: str | None, observe: Observe | None = None
    ) -> Verdict | None:
        """Return the verdict that keeps a principal from reading an index; None if it may read it.

        A token for an index may read everything that the index inherits. A token for other indices may read an index
        only if everyone may, including all of its bases: a private base must not show through a public index.
        """
        refusal = await self.user_read_refusal(principal, found, observe)
        restriction = principal.restriction
        if refusal is not None or restriction is None:
            return refusal
        reason = restriction.refusal(READ, replace(found.resource, project=project))
        return token_verdict(reason) if reason and await self.user_read_refusal(ANONYMOUS_PRINCIPAL, found) else None

    async def user_read_refusal(
        self, principal: Principal, found: Resolution, observe: Observe | None = None
    ) -> Verdict | None:
        """Return the verdict that keeps a user from reading an index, without the restriction of a token."""
        for resource in found.lineage:
            verdict = await self._rights.decide_unrestricted(principal, READ, resource, observe)
            if not verdict.allowed:
                return verdict if resource is found.resource else self._inherited_refusal(resource, verdict)
        return None

    async def _may_know(self, principal: Principal, found: Resolution) -> bool:
        """Return whether a principal who may not read an index may know that it exists.

        A user who may change the bases of an index may know that one of them is private, to be able to repair the
        index. A token for this index may know of it, even if its restriction does not allow to read it; a token for
        other indices may not.
        """
        restriction = principal.restriction
        if restriction is not None and not restriction.covers_index(found.index.path):
            return False
        if await self.user_read_refusal(principal, found) is None:
            return True
        return (await self._rights.decide_unrestricted(principal, MODIFY, found.resource)).allowed

    def _inherited_refusal(self, base: Resource, verdict: Verdict) -> Verdict:
        cause = "an index that you may not read" if self._hide else f"{base.label}: {verdict.reason}"
        return replace(verdict, reason=f"it inherits from {cause}")

    async def _is_allowed(self, principal: Principal, permission: str, resource: Resource) -> bool:
        return (await self._rights.decide(principal, permission, resource)).allowed

    def _has_no_access_list(self, found: Resolution) -> bool:
        """Return whether neither an index nor one that it inherits from has an access list for readers."""
        return all(self._acl_key not in resource.config for resource in found.lineage)

    async def _is_public(self, found: Resolution) -> bool:
        """Return whether everyone may read an index."""
        # PERF: an index is hidden by an access list, or by a plugin that filters listings as well.
        if self._hides_nothing and self._has_no_access_list(found):
            return True
        return await self.user_read_refusal(ANONYMOUS_PRINCIPAL, found) is None

    async def _not_found(self, caller: Caller, owner: str, name: str) -> Refusal:
        """Return the error for an index that does not exist or that the caller may not know of.

        Installers send credentials only after a 401. So if some index is private, anonymous callers get a 401 for every
        index that they cannot see.
        """
        if caller.principal.name is not None:
            caller.incoming.keep_private()
        elif self._hide and await self._some_index_is_private(owner, name):
            sentence = f"not logged in: there is no public index {ascii(owner)[1:-1]}/{ascii(name)[1:-1]}"
            return caller.problem or NotAuthenticated(sentence)
        return index_not_found(owner, name)

    async def _some_index_is_private(self, owner: str, name: str) -> bool:
        """Return whether some index may be private, or an index of this name would be."""
        if not await self._access.read(self.all_public):
            return True
        return not await self._is_allowed(ANONYMOUS_PRINCIPAL, READ, Resource("index", name, owner))

    def _some_access_list(self) -> bool:
        """Return whether any index has an access list for readers."""
        return self._any_access_list.get_or_make(
            self._access.read_serial(),
            None,
            lambda: self._store.any_has(self._acl_key),
        )

    def _resolutions(self, indices: Sequence[Index]) -> list[Resolution]:
        found = [self._inheritance.find(index.path) for index in indices]
        return [each for each in found if each is not None]
