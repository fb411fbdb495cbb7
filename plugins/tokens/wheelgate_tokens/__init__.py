"""API tokens: narrowed to what they are for, sent in place of a password, and derived further without the server."""

from __future__ import annotations

from pathlib import Path

from wheelgate import Event, Option, Permission, Server, hookimpl
from wheelgate.hookspecs import about
from wheelgate.option_types import positive_time_span
from wheelgate.providers import CredentialExtractor, Route, TokenHandler
from wheelgate_tokens.bearer import Bearer
from wheelgate_tokens.handler import Handler
from wheelgate_tokens.queries import Records
from wheelgate_tokens.routes import MANAGE, Addresses


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare how long tokens may last."""
    return [
        Option(
            "token-longest-lifetime",
            "how long an API token may last; a shorter time ends tokens that are older than that, too",
            365 * 86400,
            positive_time_span,
            "TIME",
        )
    ]


@hookimpl
def wheelgate_migrations() -> Path:
    """Name the folder with the table's history."""
    return Path(__file__).parent / "migrations"


@hookimpl
def wheelgate_permissions() -> list[Permission]:
    """Bring the permission that the routes ask for; no token has it."""
    return [Permission(MANAGE, "manage API tokens on", "server", "authenticated")]


@hookimpl
def wheelgate_credential_extractors(server: Server) -> list[CredentialExtractor]:
    """Read ``Authorization: Bearer``."""
    return [Bearer()]


@hookimpl
def wheelgate_token_handlers(server: Server) -> list[TokenHandler]:
    """Judge tokens."""
    return [Handler(server)]


@hookimpl
def wheelgate_routes(server: Server) -> list[Route]:
    """Create, show and revoke tokens."""
    return Addresses(server).routes()


@hookimpl
def wheelgate_features() -> list[str]:
    """Tell clients that there are tokens."""
    return ["api-tokens"]


@hookimpl
@about("TokenUsed")
def wheelgate_on_event(server: Server, event: Event) -> None:
    """Record when a token was used last."""
    Records(server.database).record_use(event.detail["token"], int(event.time.timestamp()))
