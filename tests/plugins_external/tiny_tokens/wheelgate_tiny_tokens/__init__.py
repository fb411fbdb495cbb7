"""API tokens as macaroons: a chain of HMACs, so that holders can narrow a token offline but not widen it.

A token is ``tiny_`` and a JSON list in base64: an ID, the user's name and stamp, the caveats (``index=alice/dev``,
``until=1800000000``), and the signature, which is the key for the next caveat's signature. The server stores nothing of
a token. It ends when it expires, or with the user's password.
"""

import base64
import hmac
import json
import re
import secrets
import time

from wheelgate import Reject, Restriction, Server, Token, User, hookimpl
from wheelgate.errors import NotAuthenticated
from wheelgate.providers import Route, RouteRequest, RouteResponse, TokenHandler

PREFIX = "tiny_"
LIFETIME_SECONDS = 86400
PERMISSIONS = frozenset({"index_read", "upload"})
CAVEAT = re.compile(r"until=(?P<until>[0-9]{1,12})|index=(?P<index>[^/]+/[^/]+)")


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
    """Add a caveat; this needs no server."""
    parts, signature = unpacked(token)
    return packed([*parts, caveat], chained(signature, [caveat]))


class Tokens(TokenHandler):
    """Makes and verifies tokens."""

    name = "tiny_tokens"
    prefix = PREFIX
    local = True

    def __init__(self, server: Server) -> None:
        self._key = server.derive_key("tiny_tokens")

    def mint(self, user: User) -> str:
        parts = [secrets.token_hex(6), user.name, user.stamp, f"until={int(time.time()) + LIFETIME_SECONDS}"]
        return packed(parts, chained(self._key, parts))

    def verify(self, secret: str) -> Token | Reject:
        try:
            parts, _ = unpacked(secret)
            good = packed(parts, chained(self._key, parts))
        except (ValueError, TypeError, RecursionError):
            return Reject("this is not a token")
        # Compares whole tokens, because base64 and JSON can encode the same content in several ways.
        if not hmac.compare_digest(secret.encode(), good.encode()):
            return Reject("this server has not signed the token")
        identifier, name, stamp, *caveats = parts
        found = [CAVEAT.fullmatch(caveat) for caveat in caveats]
        if None in found:
            return Reject("the token contains a condition that this server does not know")
        until = min(int(each["until"]) for each in found if each and each["until"])
        indices = {each["index"] for each in found if each and each["index"]}
        # All caveats must hold: two for different indices leave no index.
        only = None if not indices else frozenset(indices if len(indices) == 1 else ())
        return Token(identifier, name, stamp, until, Restriction(PERMISSIONS, only))


@hookimpl
def wheelgate_token_handlers(server: Server) -> list[TokenHandler]:
    return [Tokens(server)]


@hookimpl
def wheelgate_routes(server: Server) -> list[Route]:
    def mint(request: RouteRequest) -> RouteResponse:
        user = server.users.get(request.principal.name or "")
        if user is None:
            raise NotAuthenticated("log in to get a token")
        return RouteResponse(Tokens(server).mint(user), "token", headers={"Cache-Control": "no-store"})

    return [Route("POST", "/tokens", mint, public=True)]
