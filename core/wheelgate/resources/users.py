"""``/{user}``: one user."""

from __future__ import annotations

import falcon.asgi

from wheelgate.errors import BadInput, Unsupported
from wheelgate.fields import shown
from wheelgate.http.answers import answer, encode
from wheelgate.http.front import Front, segment
from wheelgate.http.request import held, read_json
from wheelgate.identity.sessions import Sessions
from wheelgate.names import check_name
from wheelgate.services.indices import Indices
from wheelgate.services.passwords import Passwords
from wheelgate.services.users import UserChange, Users, read_creation, read_modification, user_config
from wheelgate.store.access import StoreAccess
from wheelgate.store.serial_cache import SerialCache
from wheelgate.threads.pool import Pool
from wheelgate.values import Index, Resource, User

USER_ANSWER_CACHE_ENTRIES = 1000
"""Users whose encoded answer is remembered: a few hundred bytes for each of the user's indices."""


class UserResource:
    """Looks at, creates, changes and deletes a user."""

    def __init__(
        self,
        front: Front,
        users: Users,
        indices: Indices,
        access: StoreAccess,
        sessions: Sessions,
        hashing: Pool,
        passwords: Passwords,
        *,
        loopback: bool,
    ) -> None:
        self._front = front
        self._users = users
        self._indices = indices
        self._access = access
        self._rendered: SerialCache[str, bytes] = SerialCache(USER_ANSWER_CACHE_ENTRIES)
        self._sessions = sessions
        self._hashing = hashing
        self._passwords = passwords
        self._loopback = loopback

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str) -> None:
        """Show a user with the indices that the caller may see."""
        caller = await self._front.caller(req)
        await self._front.require(caller, "user_read", Resource("user", segment(user), user))
        whole = await self._front.read(self._whole, user)
        if whole is not None:
            resp.data = whole
            return
        found, indices = await self._front.read(self._with_indices, user)
        answer(resp, user_config(found, await self._front.indices.visible(caller, indices)), "userconfig")

    def _whole(self, name: str) -> bytes | None:
        """Return a user as bytes, made once per state of the stores; None if not everybody sees all of it."""
        if not self._front.indices.all_public():
            return None
        return self._rendered.get_or_make(
            self._access.read_serial(),
            name,
            lambda: encode({"result": user_config(*self._with_indices(name)), "type": "userconfig"}),
        )

    def _with_indices(self, name: str) -> tuple[User, list[Index]]:
        return self._users.get(name), self._indices.of(name)

    async def on_put(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str) -> None:
        """Create a user."""
        caller = await self._front.caller(req)
        await self._front.read(self._users.refuse_taken, segment(user))
        await self._front.require(caller, "user_create", Resource("user", user, user, proposed={}))
        check_name("username", user)
        self._users.refuse_missing_capability("create", "create users")
        change = read_creation(await read_json(req), user, loopback=self._loopback)
        created = await self._front.change(self._users.create, user, change, await self._hash(user, change))
        self._front.tell("UserCreated", caller, user)
        answer(resp, user_config(created, []), "userconfig", status=201)

    async def on_patch(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str) -> None:
        """Change a user. What only changes the password asks for another permission than the rest."""
        caller = await self._front.caller(req)
        found = await self._front.read(self._users.get, segment(user))
        change = await held(self._read_modification(req, found))
        if isinstance(change, BadInput):
            await self._front.require(caller, "user_password", Resource("user", user, user, proposed={}))
            raise change
        proposed = Resource("user", user, user, proposed=change.fields)
        if change.fields or change.password is None:
            await self._front.require(caller, "user_modify", proposed)
            self._users.refuse_missing_capability("modify", "modify users")
        if change.password is None:
            if change.fields:
                await self._front.change(self._users.modify, found, change, None)
                self._front.tell("UserModified", caller, user, changed=sorted(change.fields))
            answer(resp, message="user updated")
            return
        await self._front.require(caller, "user_password", proposed)
        self._refuse_foreign_password(found)
        modified = await self._front.change(self._users.modify, found, change, await self._hash(user, change))
        self._front.tell("PasswordChanged", caller, user, changed=sorted(change.fields))
        resp.set_header("cache-control", "no-store")
        result = {"password": self._sessions.issue(user, modified.stamp), "expiration": self._sessions.lifetime}
        answer(resp, result, "userpassword", "user updated, new proxy auth")

    async def on_delete(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str) -> None:
        """Delete a user with its indices."""
        caller = await self._front.caller(req)
        await self._front.require(caller, "user_delete", Resource("user", segment(user), user))
        self._users.refuse_missing_capability("delete", "delete users")
        found = await self._front.read(self._users.get, user)
        owned = await self._front.change(self._users.delete, found)
        for index in owned:
            self._front.tell("IndexDeleted", caller, index.path)
        self._front.tell("UserDeleted", caller, user)
        answer(resp, message=f"user {shown(user)} deleted")

    async def _read_modification(self, req: falcon.asgi.Request, user: User) -> UserChange:
        return read_modification(await read_json(req), user, loopback=self._loopback)

    def _refuse_foreign_password(self, user: User) -> None:
        if user.provider:
            raise Unsupported(f"user '{user.name}' logs in by '{user.provider}'; change the password there")
        self._users.refuse_missing_capability("passwords", "change passwords")

    async def _hash(self, name: str, change: UserChange) -> str:
        return await self._hashing.run(self._passwords.hash, name, change.password or "")
