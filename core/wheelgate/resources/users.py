"""``/{user}``: one user."""

from __future__ import annotations

import falcon.asgi

from wheelgate.errors import BadInput, Unsupported
from wheelgate.fields import excerpt
from wheelgate.http.answers import answer, encode_json
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.json_bodies import read_json
from wheelgate.http.path_segments import path_segment
from wheelgate.identity.sessions import Sessions
from wheelgate.names import check_name
from wheelgate.rights.confirmation import Claim
from wheelgate.services.indices import Indices
from wheelgate.services.passwords import Passwords
from wheelgate.services.user_json import read_changed_user, read_new_user, user_config
from wheelgate.services.users import UserChange, Users
from wheelgate.store.access import StoreAccess
from wheelgate.store.serial_cache import SerialCache
from wheelgate.threads.pool import ThreadPool
from wheelgate.values import Index, Resource, User

USER_ANSWER_CACHE_ENTRIES = 1000
"""Users whose encoded answer is cached: a few hundred bytes for each of the user's indices."""


class UserResource:
    """Shows, creates, changes and deletes a user."""

    def __init__(
        self,
        context: HandlerContext,
        users: Users,
        indices: Indices,
        access: StoreAccess,
        sessions: Sessions,
        hashing: ThreadPool,
        passwords: Passwords,
    ) -> None:
        self._context = context
        self._users = users
        self._indices = indices
        self._access = access
        self._rendered: SerialCache[str, bytes] = SerialCache(USER_ANSWER_CACHE_ENTRIES)
        self._sessions = sessions
        self._hashing = hashing
        self._passwords = passwords

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str) -> None:
        """Show a user, with the indices of the user that the caller may see."""
        caller = await self._context.identify(req)
        await self._context.require(caller, "user_read", Resource("user", path_segment(user), user))
        encoded = await self._context.read_stores(self._encoded, user)
        if encoded is not None:
            resp.data = encoded
            return
        found, indices = await self._context.read_stores(self._with_indices, user)
        answer(resp, user_config(found, await self._context.index_rights.visible(caller, indices)), "userconfig")

    def _encoded(self, name: str) -> bytes | None:
        """Return the answer, made once per state of the stores; None if it depends on the caller."""
        if not self._context.index_rights.all_public():
            return None
        return self._rendered.get_or_make(
            self._access.read_serial(),
            name,
            lambda: encode_json({"result": user_config(*self._with_indices(name)), "type": "userconfig"}),
        )

    def _with_indices(self, name: str) -> tuple[User, list[Index]]:
        return self._users.get(name), self._indices.owned_by(name)

    async def on_put(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str) -> None:
        """Create a user."""
        caller = await self._context.identify(req)
        await self._context.read_stores(self._users.refuse_taken, path_segment(user))
        resource = Resource("user", user, user, proposed={})
        await self._context.require(caller, "user_create", resource)
        check_name("username", user)
        self._users.refuse_missing_capability("create", "create users")
        change = read_new_user(await read_json(req), self._passwords.check)
        password_hash = await self._hash(user, change)
        claims = [Claim(caller, "user_create", resource)]
        created = await self._context.change_stores(claims, self._users.create, user, change, password_hash)
        self._context.announce("UserCreated", caller, user)
        answer(resp, user_config(created, []), "userconfig", status=201)

    async def on_patch(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str) -> None:
        """Change a user; a new password needs another permission than the other fields."""
        caller = await self._context.identify(req)
        found = await self._context.read_stores(self._users.get, path_segment(user))
        try:
            change = read_changed_user(await read_json(req), found, self._passwords.check)
        except BadInput:
            # A caller without the permission gets that refusal instead, and learns nothing about the body.
            await self._context.require(caller, "user_password", Resource("user", user, user, proposed={}))
            raise
        proposed = Resource("user", user, user, proposed=change.fields)
        claims = []
        if change.fields or change.password is None:
            await self._context.require(caller, "user_modify", proposed)
            self._users.refuse_missing_capability("modify", "modify users")
            claims.append(Claim(caller, "user_modify", proposed))
        if change.password is None:
            if change.fields:
                await self._context.change_stores(claims, self._users.modify, found, change, None)
                self._context.announce("UserModified", caller, user, changed=sorted(change.fields))
            answer(resp, message="user updated")
            return
        await self._context.require(caller, "user_password", proposed)
        self._refuse_external_password(found)
        claims.append(Claim(caller, "user_password", proposed))
        password_hash = await self._hash(user, change)
        modified = await self._context.change_stores(claims, self._users.modify, found, change, password_hash)
        self._context.announce("PasswordChanged", caller, user, changed=sorted(change.fields))
        resp.set_header("cache-control", "no-store")
        epoch = await self._context.read_stores(self._sessions.epoch)
        result = {"password": self._sessions.issue(user, modified.stamp, epoch), "expiration": self._sessions.lifetime}
        answer(resp, result, "userpassword", "user updated, new proxy auth")

    async def on_delete(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user: str) -> None:
        """Delete a user with all their indices."""
        caller = await self._context.identify(req)
        resource = Resource("user", path_segment(user), user)
        await self._context.require(caller, "user_delete", resource)
        self._users.refuse_missing_capability("delete", "delete users")
        found = await self._context.read_stores(self._users.get, user)
        owned = await self._context.change_stores([Claim(caller, "user_delete", resource)], self._users.delete, found)
        for index in owned:
            self._context.announce("IndexDeleted", caller, index.path)
        self._context.announce("UserDeleted", caller, user)
        answer(resp, message=f"user {excerpt(user)} deleted")

    def _refuse_external_password(self, user: User) -> None:
        """Refuse to change the password of a user whom another service authenticates."""
        if user.provider:
            raise Unsupported(f"user '{user.name}' logs in through '{user.provider}'; change the password there")
        self._users.refuse_missing_capability("passwords", "change passwords")

    async def _hash(self, name: str, change: UserChange) -> str:
        return await self._hashing.run(self._passwords.hash, name, change.password or "")
