"""API tokens: programs send them in place of a password; their holders can limit them further without the server."""

from __future__ import annotations

from pathlib import Path

from wheelgate import Event, Option, Permission, Server, hookimpl
from wheelgate.hookspecs import about
from wheelgate.option_types import positive_time_span
from wheelgate.providers import CredentialExtractor, Route, TokenHandler
from wheelgate_tokens.bearer import BearerExtractor
from wheelgate_tokens.handler import ApiTokenHandler
from wheelgate_tokens.queries import TokenTable
from wheelgate_tokens.routes import MANAGE_PERMISSION, TokenRoutes


@hookimpl
def wheelgate_options() -> list[Option]:
    """Declare how long tokens may last."""
    return [
        Option(
            "token-longest-lifetime",
            "longest time that an API token may last; a shorter time also ends tokens that are older",
            365 * 86400,
            positive_time_span,
            "TIME",
        )
    ]


@hookimpl
def wheelgate_migrations() -> Path:
    """Return the folder with the migrations."""
    return Path(__file__).parent / "migrations"


@hookimpl
def wheelgate_permissions() -> list[Permission]:
    """Define the permission for the routes; no token has it."""
    return [Permission(MANAGE_PERMISSION, "manage API tokens on", "server", "authenticated")]


@hookimpl
def wheelgate_credential_extractors(server: Server) -> list[CredentialExtractor]:
    """Read ``Authorization: Bearer``."""
    return [BearerExtractor()]


@hookimpl
def wheelgate_token_handlers(server: Server) -> list[TokenHandler]:
    """Verify tokens."""
    return [ApiTokenHandler(server)]


@hookimpl
def wheelgate_routes(server: Server) -> list[Route]:
    """Create, show and revoke tokens."""
    return TokenRoutes(server).routes()


@hookimpl
def wheelgate_features() -> list[str]:
    """Tell clients that the server has API tokens."""
    return ["api-tokens"]


@hookimpl
@about("TokenUsed")
def wheelgate_on_event(server: Server, event: Event) -> None:
    """Record when a token was used last."""
    TokenTable(server.database).record_use(event.detail["token"], int(event.time.timestamp()))
