"""``/``: all users with their indices."""

from __future__ import annotations

from typing import Any

import falcon.asgi

from wheelgate.http.answers import answer, encode
from wheelgate.http.front import Front
from wheelgate.services.users import user_config
from wheelgate.store.access import StoreAccess
from wheelgate.store.protocols import IndexStore, UserStore
from wheelgate.store.serial_cache import SerialCache
from wheelgate.values import Index, Resource, User

LISTING = "list:userconfig"


class RootResource:
    """``GET /``."""

    def __init__(self, front: Front, users: UserStore, indices: IndexStore, access: StoreAccess) -> None:
        self._front = front
        self._users = users
        self._indices = indices
        self._access = access
        self._rendered: SerialCache[None, bytes] = SerialCache(1)

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """List the users and indices that the caller may see."""
        caller = await self._front.caller(req)
        await self._front.require(caller, "user_list", Resource("server"))
        whole = await self._front.read(self._whole_listing)
        if whole is not None:
            resp.data = whole
            return
        users, indices = await self._front.read(self._everything)
        resources = [user_resource(user) for user in users]
        seen = await self._front.rights.visible(caller.principal, "user_read", resources)
        visible = [user for user, shown in zip(users, seen, strict=True) if shown]
        answer(resp, listing(visible, await self._front.indices.visible(caller, indices)), LISTING)

    def _everything(self) -> tuple[list[User], list[Index]]:
        return list(self._users.list()), list(self._indices.list())

    def _whole_listing(self) -> bytes | None:
        """Return the listing as bytes, made once per state of the stores; None if not everybody sees all of it."""
        if not (self._front.rights.hides_nothing("user_read") and self._front.indices.all_public()):
            return None
        return self._rendered.get_or_make(
            self._access.read_serial(),
            None,
            lambda: encode({"result": listing(*self._everything()), "type": LISTING}),
        )


def listing(users: list[User], indices: list[Index]) -> dict[str, Any]:
    """Return the users' configurations by name."""
    owned: dict[str, list[Index]] = {}
    for index in indices:
        owned.setdefault(index.owner, []).append(index)
    return {user.name: user_config(user, owned.get(user.name, [])) for user in users}


def user_resource(user: User) -> Resource:
    """Return what a permission on a user is asked for."""
    return Resource("user", user.name, user.name)
