"""``/``: all users with their indices."""

from __future__ import annotations

from typing import Any

import falcon.asgi

from wheelgate.http.answers import answer, encode_json
from wheelgate.http.handler_context import HandlerContext
from wheelgate.services.user_json import user_summary
from wheelgate.store.access import StoreAccess
from wheelgate.store.protocols import IndexStore, UserStore
from wheelgate.store.serial_cache import SerialCache
from wheelgate.values import Index, Resource, User

LISTING_TYPE = "list:userconfig"
"""The ``type`` of the answer."""


class RootResource:
    """``GET /``."""

    def __init__(self, context: HandlerContext, users: UserStore, indices: IndexStore, access: StoreAccess) -> None:
        self._context = context
        self._users = users
        self._indices = indices
        self._access = access
        self._rendered: SerialCache[None, bytes] = SerialCache(1)

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """List the users and indices that the caller may see."""
        caller = await self._context.identify(req)
        await self._context.require(caller, "user_list", Resource("server"))
        encoded = await self._context.read_stores(self._encoded)
        if encoded is not None:
            resp.data = encoded
            return
        users, indices = await self._context.read_stores(self._users_and_indices)
        resources = [user_resource(user) for user in users]
        visible = await self._context.rights.visible(caller.principal, "user_read", resources)
        shown = [user for user, is_visible in zip(users, visible, strict=True) if is_visible]
        answer(resp, users_with_indices(shown, await self._context.index_rights.visible(caller, indices)), LISTING_TYPE)

    def _users_and_indices(self) -> tuple[list[User], list[Index]]:
        return list(self._users.list()), list(self._indices.list())

    def _encoded(self) -> bytes | None:
        """Return the answer, made once per state of the stores; None if it depends on the caller."""
        if not (self._context.rights.hides_nothing("user_read") and self._context.index_rights.all_public()):
            return None
        return self._rendered.get_or_make(
            self._access.read_serial(),
            None,
            lambda: encode_json({"result": users_with_indices(*self._users_and_indices()), "type": LISTING_TYPE}),
        )


def users_with_indices(users: list[User], indices: list[Index]) -> dict[str, Any]:
    """Return the configurations of users with their indices, by name."""
    owned: dict[str, list[Index]] = {}
    for index in indices:
        owned.setdefault(index.owner, []).append(index)
    return {user.name: user_summary(user, owned.get(user.name, [])) for user in users}


def user_resource(user: User) -> Resource:
    """Return the resource that permissions on a user are about."""
    return Resource("user", user.name, user.name)
