"""API tokens as macaroons: a chain of HMACs, so that anybody can narrow one offline and nobody can widen it.

``tiny_`` and a JSON list in base64: the user's name, the caveats (``index=alice/dev``, ``until=1800000000``), and the
signature, which is the key of the next caveat's.
"""

import base64
import hmac
import json
import time

from wheelgate import Credentials, Deny, Ok, Outcome, Principal, Reject, Resource, Server, Unknown, User, hookimpl
from wheelgate.errors import Forbidden, NotAuthenticated
from wheelgate.providers import Authenticator, Route, RouteRequest, RouteResponse

NAME = "tiny_tokens"
PREFIX = "tiny_"
FOR_INDEX = "only-index/"


def chained(key: bytes, parts: list[str]) -> bytes:
    for part in parts:
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def packed(parts: list[str], signature: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(json.dumps([*parts, signature.hex()]).encode()).decode()


def unpacked(token: str) -> tuple[list[str], bytes]:
    *parts, signature = json.loads(base64.urlsafe_b64decode(token.removeprefix(PREFIX)))
    return [str(part) for part in parts], bytes.fromhex(signature)


def narrowed(token: str, caveat: str) -> str:
    """Add a caveat, without asking anybody."""
    parts, signature = unpacked(token)
    return packed([*parts, caveat], chained(signature, [caveat]))


class Tokens:
    """Judges tokens that stand in the place of a password."""

    name = NAME
    accepts = frozenset({"password"})
    local = True
    rank = 10

    def __init__(self, server: Server) -> None:
        self._secret = server.config.secret_path.read_bytes()

    def mint(self, user: User) -> str:
        return packed([user.name], chained(self._key(user), [user.name]))

    def authenticate(self, credentials: Credentials, request: object, user: User | None) -> Outcome:
        if not credentials.secret.startswith(PREFIX) or user is None:
            return Unknown()
        try:
            (name, *caveats), signature = unpacked(credentials.secret)
        except (ValueError, TypeError):
            return Reject("this is no token")
        if name != user.name or not hmac.compare_digest(signature, chained(self._key(user), [name, *caveats])):
            return Reject("nobody here has signed that token")
        return self._within(caveats, user.name)

    def _within(self, caveats: list[str], name: str) -> Outcome:
        groups = {FOR_INDEX}
        for caveat in caveats:
            kind, _, value = caveat.partition("=")
            if kind == "until" and value.isdecimal() and time.time() < int(value):
                continue
            if kind != "index":
                return Reject("the token is over, or says what nobody understands")
            groups.add(FOR_INDEX + value)
        return Ok(name, frozenset(groups))

    def _key(self, user: User) -> bytes:
        """The user's stamp is in it: a token ends with the password, and with the user."""
        return hmac.digest(self._secret, f"{NAME} {user.stamp}".encode(), "sha256")


@hookimpl
def wheelgate_authenticators(server: Server) -> list[Authenticator]:
    return [Tokens(server)]


@hookimpl
def wheelgate_check_permission(principal: Principal, permission: str, resource: Resource) -> Deny | None:
    """A token reads and uploads, on the indices alone that all its caveats name."""
    if principal.credential != NAME:
        return None
    if permission not in ("index_read", "upload", "user_read", "user_list"):
        return Deny("a token reads and uploads, and nothing else")
    named = {group for group in principal.groups if group.startswith(FOR_INDEX)} - {FOR_INDEX}
    if permission == "upload" and not named <= {f"{FOR_INDEX}{resource.owner}/{resource.name}"}:
        return Deny("the token is for another index")
    return None


@hookimpl
def wheelgate_routes(server: Server) -> list[Route]:
    def mint(request: RouteRequest) -> RouteResponse:
        user = server.users.get(request.principal.name or "")
        if user is None:
            raise NotAuthenticated("log in to get a token")
        if request.principal.credential == NAME:
            raise Forbidden("a token makes no tokens")
        return RouteResponse(Tokens(server).mint(user), "token", headers={"Cache-Control": "no-store"})

    return [Route("POST", "/tokens", mint, public=True)]
