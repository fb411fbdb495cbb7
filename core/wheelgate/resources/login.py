"""``/+login`` and ``/+logout``: sessions begin and end."""

from __future__ import annotations

import time
import unicodedata

import falcon.asgi

from wheelgate.errors import BadInput, NotAuthenticated, Refusal
from wheelgate.http.answers import answer
from wheelgate.http.front import Front
from wheelgate.http.request import read_json
from wheelgate.identity.authentication import Authentication
from wheelgate.identity.identify import ANYONE, Caller, Identifier
from wheelgate.identity.sessions import Sessions
from wheelgate.services.users import LONGEST_PASSWORD
from wheelgate.store.server_state import ServerState
from wheelgate.values import LONGEST_NAME, Credentials


class LoginResource:
    """``POST /+login``: a name and a password for a token; the empty one where a proxy vouches for the name."""

    def __init__(
        self, front: Front, identifier: Identifier, authentication: Authentication, sessions: Sessions
    ) -> None:
        self._front = front
        self._identifier = identifier
        self._authentication = authentication
        self._sessions = sessions

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
        principal, user = await self._identifier.enter(proof, user, incoming.info)
        token = self._sessions.issue(name, user.stamp)
        self._front.tell("LoginSucceeded", Caller(principal, incoming), name)
        result = {"password": token, "expiration": self._sessions.lifetime}
        answer(resp, result, "proxyauth", "login successful")


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
