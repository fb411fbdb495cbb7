"""``/+login`` and ``/+logout``: sessions begin and end."""

from __future__ import annotations

import time
import unicodedata

import falcon.asgi

from wheelgate.errors import BadInput, Conflict, NotAuthenticated, Refusal
from wheelgate.http.answers import answer
from wheelgate.http.front import Front
from wheelgate.http.request import read_json
from wheelgate.identity.authentication import Authentication, Proof
from wheelgate.identity.identify import ANYONE, Caller, Identifier
from wheelgate.identity.sessions import Sessions
from wheelgate.services.names import check_name
from wheelgate.services.users import LONGEST_PASSWORD, UserChange, Users
from wheelgate.store.state import ServerState
from wheelgate.values import LONGEST_NAME, Credentials, User


class LoginResource:
    """``POST /+login``: a name and a password for a token; the empty one where a proxy vouches for the name."""

    def __init__(
        self, front: Front, identifier: Identifier, authentication: Authentication, sessions: Sessions, users: Users
    ) -> None:
        self._front = front
        self._identifier = identifier
        self._authentication = authentication
        self._sessions = sessions
        self._users = users

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Log in."""
        resp.set_header("cache-control", "no-store")
        name, password = read_login(await read_json(req))
        incoming = self._front.incoming(req)
        user = await self._front.read(self._identifier.user, name)
        self._identifier.refuse_token(password)
        credentials = Credentials("password", name, password, "login")
        vouched = None if password else await self._identifier.vouched(incoming, name)
        if vouched is not None:
            self._front.refuse_another_site(req)
            credentials = vouched
        try:
            proof = await self._authentication.judge(credentials, incoming.info, user)
        except Refusal:
            self._front.tell("LoginFailed", Caller(ANYONE, incoming), name)
            raise
        caller = Caller(await self._identifier.principal(proof), incoming)
        if user is None:
            user = await self._welcome(name, proof, caller)
        token = self._sessions.issue(name, user.stamp)
        self._front.tell("LoginSucceeded", caller, name)
        result = {"password": token, "expiration": self._sessions.lifetime}
        answer(resp, result, "proxyauth", "login successful")

    async def _welcome(self, name: str, proof: Proof, caller: Caller) -> User:
        """Keep somebody whom a directory knows: from the first login on the name belongs to that directory."""
        check_name("username", name)
        fields = {key: value for key, value in (("email", proof.ok.email), ("title", proof.ok.title)) if value}
        try:
            user = await self._front.change(self._users.create, name, UserChange(fields), None, proof.by)
        except Conflict:
            # Of two first logins at once, the other was quicker.
            there = await self._front.read(self._identifier.user, name)
            if there is None or there.provider != proof.by:
                raise
            return there
        self._front.tell("UserCreated", caller, name)
        return user


class LogoutResource:
    """``POST /+logout``: the token that the request carries is worth nothing from now on."""

    def __init__(self, front: Front, sessions: Sessions, state: ServerState) -> None:
        self._front = front
        self._sessions = sessions
        self._state = state

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Log out."""
        caller = await self._front.caller(req)
        if caller.problem is not None:
            raise caller.problem
        session = caller.session
        if session is None:
            raise NotAuthenticated("there is no login to end: the request carries no login token")
        await self._front.change(self._state.end_session, session.id, int(time.time()) + self._sessions.lifetime)
        self._front.tell("LoggedOut", caller, session.username)
        answer(resp, message="logged out")


def read_login(body: object) -> tuple[str, str]:
    """Read the body of a login; the password in Unicode's normal form NFC, as it is stored."""
    if not isinstance(body, dict):
        raise BadInput("the body must be a JSON object with 'user' and 'password'")
    name, password = body.get("user"), body.get("password")
    if name is None or password is None:
        raise BadInput("Bad request: no user/password specified")
    if set(body) - {"user", "password"}:
        raise BadInput("the body must hold 'user' and 'password' and nothing else")
    if not isinstance(name, str) or not isinstance(password, str):
        raise BadInput("'user' and 'password' must be text")
    if len(name) > LONGEST_NAME:
        raise BadInput(f"'user' must have at most {LONGEST_NAME} characters")
    password = unicodedata.normalize("NFC", password)
    if len(password.encode()) > LONGEST_PASSWORD:
        raise BadInput(f"'password' must have at most {LONGEST_PASSWORD} bytes")
    return name, password
