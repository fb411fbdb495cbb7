"""Serves ``/+x/tokens``: creates, shows and revokes tokens, for logins and passwords but never for tokens."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from wheelgate import Principal, Server
from wheelgate.errors import BadInput, Conflict, Forbidden, NotFound
from wheelgate.fields import excerpt
from wheelgate.providers import Route, RouteEvent, RouteRequest, RouteResponse
from wheelgate.values import ROOT
from wheelgate_tokens import bodies, caveats
from wheelgate_tokens.chain import MAX_API_TOKEN_CHARS
from wheelgate_tokens.handler import ApiTokenHandler
from wheelgate_tokens.queries import TokenRecord, TokenTable

MANAGE_PERMISSION = "token_manage"
"""The permission for these routes; no scope of a token includes it."""
MAX_TOKENS_PER_USER = 200
NO_STORE_HEADERS = {"cache-control": "no-store"}


class TokenRoutes:
    """Creates, lists, shows and revokes tokens."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._table = TokenTable(server.database)
        self._handler = ApiTokenHandler(server)
        self._max_lifetime: int = server.config["token-longest-lifetime"]

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", "/", self.list, MANAGE_PERMISSION, summary="List your API tokens"),
            Route(
                "POST",
                "/",
                self.create,
                MANAGE_PERMISSION,
                summary="Create an API token",
                schema=bodies.TOKEN_REQUEST_SCHEMA,
            ),
            Route("GET", "/{id}", self.show, MANAGE_PERMISSION, summary="Show an API token, without its secret"),
            Route("DELETE", "/{id}", self.revoke, MANAGE_PERMISSION, summary="Revoke an API token"),
        ]

    def create(self, request: RouteRequest) -> RouteResponse:
        """Create a token; only this answer contains its secret."""
        wanted = bodies.read_token_request(request.body, self._max_lifetime)
        name = str(request.principal.name)
        with self._server.database.transaction():
            request.confirm()
            stamp = self._stamp(name)
            if len(self._table.list_for(name, stamp)) >= MAX_TOKENS_PER_USER:
                raise Conflict(f"user '{name}' already has {MAX_TOKENS_PER_USER} tokens; revoke some")
            expires = int(time.time()) + wanted.lifetime
            secret, record = self._handler.make(name, stamp, wanted.caveat, wanted.comment, expires)
            if len(secret) > MAX_API_TOKEN_CHARS:
                raise BadInput("the token would be too long: name fewer indices and projects")
            self._table.add(record)
        created = RouteEvent("TokenCreated", name, {"token": record.id})
        content = {**describe_token(record), "token": secret}
        return RouteResponse(content, "token", headers=NO_STORE_HEADERS, events=[created])

    def list(self, request: RouteRequest) -> RouteResponse:
        """List the tokens of the caller; root can list those of another user with ``?user=``."""
        name = request.query.get("user") or str(request.principal.name)
        if not may_manage(request.principal, name):
            raise Forbidden(f"only user {excerpt(name)} and root may see these tokens")
        user = self._server.users.get(name) if name.isprintable() else None
        if user is None:
            raise NotFound(f"no user {excerpt(name)}")
        found = [self._with_effective_end(record) for record in self._table.list_for(name, user.stamp)]
        return RouteResponse([describe_token(record) for record in found if record.expires > time.time()], "tokens")

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show a token."""
        return RouteResponse(describe_token(self._find(request)), "token")

    def revoke(self, request: RouteRequest) -> RouteResponse:
        """Revoke a token, and with it all tokens that were derived from it."""
        record = self._find(request)
        with self._server.database.transaction():
            request.confirm()
            self._table.remove(record.id)
        revoked = RouteEvent("TokenRevoked", record.username, {"token": record.id})
        return RouteResponse(message=f"token {record.id} revoked", events=[revoked])

    def _find(self, request: RouteRequest) -> TokenRecord:
        """Return the token in the path; another user's token is answered like one that does not exist."""
        record = self._table.get(request.params["id"]) if request.params["id"].isprintable() else None
        if record is None or not may_manage(request.principal, record.username):
            raise NotFound(f"you have no token {excerpt(request.params['id'])}")
        user = self._server.users.get(record.username)
        if user is None or user.stamp != record.stamp:
            raise NotFound(f"the token {record.id} has ended: its user was deleted or has a new password")
        return self._with_effective_end(record)

    def _with_effective_end(self, record: TokenRecord) -> TokenRecord:
        """Return a record that expires no later than ``--token-longest-lifetime`` allows."""
        return replace(record, expires=min(record.expires, record.created + self._max_lifetime))

    def _stamp(self, name: str) -> str:
        user = self._server.users.get(name)
        if user is None:
            raise Conflict(f"user '{name}' is not on this server yet; log in once with 'devpi login {name}'")
        return user.stamp


def may_manage(principal: Principal, name: str) -> bool:
    """Whether a principal may see and revoke the tokens of a user."""
    return principal.name in (name, ROOT)


def describe_token(record: TokenRecord) -> dict[str, Any]:
    """Return the description of a token in answers."""
    caveat = caveats.decode_caveat(record.caveat) or caveats.Caveat(scopes=frozenset())
    limits = {key: getattr(caveat, key) for key in caveats.LIST_KEYS}
    return {
        "id": record.id,
        "user": record.username,
        **{key: None if value is None else sorted(value) for key, value in limits.items()},
        "comment": record.comment,
        "created": format_time(record.created),
        "expires": format_time(record.expires),
        "last_used": None if record.last_used is None else format_time(record.last_used),
    }


def format_time(seconds: int) -> str:
    """Return a time in the form of answers, such as ``2030-01-02T03:04:05Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
