"""``/+x/tokens``: tokens are created, shown and revoked, by a login or a password and never by a token."""

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
from wheelgate_tokens.chain import LONGEST
from wheelgate_tokens.handler import Handler
from wheelgate_tokens.queries import Record, Records

MANAGE = "token_manage"
"""The permission; no scope of a token holds it."""
MOST_TOKENS = 200
"""Tokens of a user."""
NO_STORE = {"cache-control": "no-store"}


class Addresses:
    """What is below ``/+x/tokens``."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._records = Records(server.database)
        self._handler = Handler(server)
        self._longest: int = server.config["token-longest-lifetime"]

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/", self.list, MANAGE, summary="List your API tokens"),
            Route("POST", "/", self.create, MANAGE, summary="Create an API token", schema=bodies.SCHEMA),
            Route("GET", "/{id}", self.show, MANAGE, summary="Show an API token, without its secret"),
            Route("DELETE", "/{id}", self.revoke, MANAGE, summary="Revoke an API token"),
        ]

    def create(self, asked: RouteRequest) -> RouteResponse:
        """Create a token; its secret is in this answer and nowhere else."""
        wanted = bodies.read(asked.body, self._longest)
        name = str(asked.principal.name)
        with self._server.database.transaction():
            stamp = self._stamp(name)
            if len(self._records.of(name, stamp)) >= MOST_TOKENS:
                raise Conflict(f"user '{name}' has {MOST_TOKENS} tokens already; revoke some")
            expires = int(time.time()) + wanted.lifetime
            secret, record = self._handler.make(name, stamp, wanted.caveat, wanted.comment, expires)
            if len(secret) > LONGEST:
                raise BadInput("the token would be too long: name fewer indices and projects")
            self._records.add(record)
        happened = RouteEvent("TokenCreated", name, {"token": record.id})
        return RouteResponse({**described(record), "token": secret}, "token", headers=NO_STORE, events=[happened])

    def list(self, asked: RouteRequest) -> RouteResponse:
        """List the tokens of the caller; root may ask for those of another with ``?user=``."""
        name = asked.query.get("user") or str(asked.principal.name)
        if not may(asked.principal, name):
            raise Forbidden(f"only user {excerpt(name)} and root may see these tokens")
        user = self._server.users.get(name) if name.isprintable() else None
        if user is None:
            raise NotFound(f"no user {excerpt(name)}")
        found = [self._lasting(record) for record in self._records.of(name, user.stamp)]
        return RouteResponse([described(record) for record in found if record.expires > time.time()], "tokens")

    def show(self, asked: RouteRequest) -> RouteResponse:
        """Show a token."""
        return RouteResponse(described(self._find(asked)), "token")

    def revoke(self, asked: RouteRequest) -> RouteResponse:
        """Revoke a token: from now on it, and all that was derived from it, is worth nothing."""
        record = self._find(asked)
        with self._server.database.transaction():
            self._records.remove(record.id)
        happened = RouteEvent("TokenRevoked", record.username, {"token": record.id})
        return RouteResponse(message=f"token {record.id} revoked", events=[happened])

    def _find(self, asked: RouteRequest) -> Record:
        """Return the token that the path names; that of another is as much there as none."""
        record = self._records.get(asked.params["id"]) if asked.params["id"].isprintable() else None
        if record is None or not may(asked.principal, record.username):
            raise NotFound(f"you have no token {excerpt(asked.params['id'])}")
        user = self._server.users.get(record.username)
        if user is None or user.stamp != record.stamp:
            raise NotFound(f"the token {record.id} has ended with its user, or with the user's password")
        return self._lasting(record)

    def _lasting(self, record: Record) -> Record:
        """Return a record with the end that the settings leave it."""
        return replace(record, expires=min(record.expires, record.created + self._longest))

    def _stamp(self, name: str) -> str:
        user = self._server.users.get(name)
        if user is None:
            raise Conflict(f"user '{name}' is not known here yet; log in once with 'devpi login {name}'")
        return user.stamp


def may(principal: Principal, name: str) -> bool:
    """Whether somebody may see and revoke the tokens of a user."""
    return principal.name in (name, ROOT)


def described(record: Record) -> dict[str, Any]:
    """Return what is shown of a token."""
    caveat = caveats.read(record.caveat) or caveats.Caveat(scopes=frozenset())
    shown_lists = {"scopes": caveat.scopes, "indices": caveat.indices, "projects": caveat.projects}
    return {
        "id": record.id,
        "user": record.username,
        **{key: None if value is None else sorted(value) for key, value in shown_lists.items()},
        "comment": record.comment,
        "created": moment(record.created),
        "expires": moment(record.expires),
        "last_used": None if record.last_used is None else moment(record.last_used),
    }


def moment(seconds: int) -> str:
    """Write a time as the wire wants it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
