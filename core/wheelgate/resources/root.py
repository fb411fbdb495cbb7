"""``/``: all users with their indices."""

from __future__ import annotations

from typing import Any

import falcon.asgi

from wheelgate.http.answers import answer, encode
from wheelgate.http.front import Front
from wheelgate.services.indices import index_resource
from wheelgate.services.users import user_config
from wheelgate.store.access import Kept
from wheelgate.store.protocols import IndexStore, UserStore
from wheelgate.values import Index, Resource, User

LISTING = "list:userconfig"


class RootResource:
    """``GET /``."""

    def __init__(self, front: Front, users: UserStore, indices: IndexStore, kept: Kept) -> None:
        self._front = front
        self._users = users
        self._indices = indices
        self._kept = kept

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """List the users and indices that the caller may see."""
        caller = await self._front.caller(req)
        rights = self._front.rights
        await self._front.require(caller, "user_list", Resource("server"))
        if rights.hides_nothing("user_read") and rights.hides_nothing("index_read"):
            resp.data = await self._front.read(self._whole_listing)
            return
        users, indices = await self._front.read(self._everything)
        seen_users = await rights.visible(caller, "user_read", [user_resource(user) for user in users])
        seen_indices = await rights.visible(caller, "index_read", [index_resource(index) for index in indices])
        visible = [user for user, seen in zip(users, seen_users, strict=True) if seen]
        shown = [index for index, seen in zip(indices, seen_indices, strict=True) if seen]
        answer(resp, listing(visible, shown), LISTING)

    def _everything(self) -> tuple[list[User], list[Index]]:
        return list(self._users.list()), list(self._indices.list())

    def _whole_listing(self) -> bytes:
        """Return the listing that everybody sees, as bytes: made once per state of the stores."""
        kept = self._kept.now()
        if "listing" not in kept:
            kept["listing"] = encode({"result": listing(*self._everything()), "type": LISTING})
        rendered: bytes = kept["listing"]
        return rendered


def listing(users: list[User], indices: list[Index]) -> dict[str, Any]:
    """Return the users' configurations by name."""
    owned: dict[str, list[Index]] = {}
    for index in indices:
        owned.setdefault(index.owner, []).append(index)
    return {user.name: user_config(user, owned.get(user.name, [])) for user in users}


def user_resource(user: User) -> Resource:
    """Return what a permission on a user is asked for."""
    return Resource("user", user.name, user.name)
