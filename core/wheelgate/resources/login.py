"""``/+login`` and ``/+logout``."""

from __future__ import annotations

import falcon.asgi

from wheelgate.errors import BadInput, NotAuthenticated, Refusal
from wheelgate.http.answers import answer
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.json_bodies import read_json
from wheelgate.identity.accounts import Accounts
from wheelgate.identity.authentication import Authentication
from wheelgate.identity.identify import ANONYMOUS_PRINCIPAL, Caller, Identifier
from wheelgate.identity.sessions import Sessions
from wheelgate.password_text import normalized_password
from wheelgate.rights.confirmation import NO_CLAIMS
from wheelgate.store.server_state import ServerState
from wheelgate.values import MAX_NAME_CHARS, Credentials


class LoginResource:
    """``POST /+login``: exchanges a name and a password for a login token.

    The password is empty if a trusted proxy vouches for the name.
    """

    def __init__(
        self,
        context: HandlerContext,
        identifier: Identifier,
        accounts: Accounts,
        authentication: Authentication,
        sessions: Sessions,
    ) -> None:
        self._context = context
        self._identifier = identifier
        self._accounts = accounts
        self._authentication = authentication
        self._sessions = sessions

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Log in."""
        resp.set_header("cache-control", "no-store")
        name, password = read_login(await read_json(req))
        incoming = self._context.incoming(req)
        user = await self._accounts.find(name)
        self._identifier.refuse_token(password)
        credentials = Credentials("password", name, password, "login")
        vouched = None if password else await self._identifier.proxy_credentials(incoming, name)
        if vouched is not None:
            self._context.refuse_another_site(req)
            credentials = vouched
        try:
            proof = await self._authentication.verify(credentials, incoming.info, user)
        except Refusal:
            logged = self._authentication.logged_names.of(name, user)
            self._context.announce("LoginFailed", Caller(ANONYMOUS_PRINCIPAL, incoming), logged)
            raise
        principal, user = await self._accounts.of_proof(proof, incoming.info)
        epoch = await self._context.read_stores(self._sessions.epoch)
        token = self._sessions.issue(user.name, user.stamp, epoch, name)
        self._context.announce("LoginSucceeded", Caller(principal, incoming), user.name)
        result = {"password": token, "expiration": self._sessions.lifetime}
        if user.name != name:
            result["user"] = user.name
        answer(resp, result, "proxyauth", "login successful")


class LogoutResource:
    """``POST /+logout``: ends the session of the login token that the request carries."""

    def __init__(self, context: HandlerContext, sessions: Sessions, state: ServerState) -> None:
        self._context = context
        self._sessions = sessions
        self._state = state

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """Log out."""
        caller = await self._context.identify(req)
        if caller.problem is not None:
            raise caller.problem
        session = caller.login.session if caller.login is not None else None
        if session is None:
            raise NotAuthenticated("there is no login to end: the request carries no login token")
        await self._context.change_stores(
            NO_CLAIMS, self._state.end_session, session.id, session.epoch, self._sessions.lifetime
        )
        self._context.announce("LoggedOut", caller, session.username)
        answer(resp, message="logged out")


def read_login(body: object) -> tuple[str, str]:
    """Return the name and the password of a login; the password as it was typed, which an imported hash may need."""
    if not isinstance(body, dict):
        raise BadInput("the body must be a JSON object with 'user' and 'password'")
    name, password = body.get("user"), body.get("password")
    if name is None or password is None:
        raise BadInput("Bad request: no user/password specified")
    if set(body) - {"user", "password"}:
        raise BadInput("the body must contain 'user' and 'password' and nothing else")
    if not isinstance(name, str) or not isinstance(password, str):
        raise BadInput("'user' and 'password' must be text")
    if len(name) > MAX_NAME_CHARS:
        raise BadInput(f"'user' must have at most {MAX_NAME_CHARS} characters")
    normalized_password(password)  # raises BadInput if it is too long
    return name, password
