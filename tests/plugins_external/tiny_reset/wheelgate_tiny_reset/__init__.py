"""Lets people who forgot their password set a new one, with a link that works once; and refuses weak passwords.

The plugin writes the link to a folder, where a mail program would pick it up. The answer does not reveal whether a
user exists.
"""

import hmac
import secrets
import time
from pathlib import Path

from wheelgate import Option, Server, User, hookimpl
from wheelgate.errors import BadInput, Forbidden
from wheelgate.providers import Route, RouteRequest, RouteResponse

LINK_VALID_SECONDS = 3600


def field(request: RouteRequest, name: str) -> str:
    value = request.body.get(name) if isinstance(request.body, dict) else None
    if not isinstance(value, str) or not value:
        raise BadInput(f"the body must be an object with the string '{name}'")
    return value


class Reset:
    """Creates and redeems links. The signature includes the user's stamp, so a new password ends all links."""

    def __init__(self, server: Server, outbox: Path) -> None:
        self._server = server
        self._outbox = outbox

    def ask(self, request: RouteRequest) -> RouteResponse:
        user = self._server.users.get(field(request, "user"))
        if user is not None and user.email and not user.provider:
            self._outbox.mkdir(mode=0o700, exist_ok=True)
            mail = self._outbox / f"{secrets.token_hex(8)}.txt"
            mail.touch(0o600)
            mail.write_text(f"{user.email}\n{self._signed(user, int(time.time()) + LINK_VALID_SECONDS)}\n", "utf-8")
        return RouteResponse(message="if there is such a user with an address, a mail is on its way")

    def take(self, request: RouteRequest) -> RouteResponse:
        user = self._server.users.get(field(request, "user"))
        token = field(request, "token")
        until = token.partition(".")[0]
        good = until.isdecimal() and len(until) < 12 and time.time() < int(until)
        if user is None or not good or not hmac.compare_digest(token.encode(), self._signed(user, int(until)).encode()):
            raise Forbidden("the link is invalid or has expired; ask for another one")
        stored = self._server.hash_password(user.name, field(request, "password"))
        with self._server.database.transaction():
            self._server.users.set_password_hash(user, stored, secrets.token_urlsafe(12))
        return RouteResponse(message="password set; log in with it")

    def _signed(self, user: User, until: int) -> str:
        secret = self._server.config.secret_path.read_bytes()
        signature = hmac.digest(secret, f"tiny_reset {user.name} {user.stamp} {until}".encode(), "sha256")
        return f"{until}.{signature.hex()}"


@hookimpl
def wheelgate_options() -> list[Option]:
    return [
        Option("outbox", "folder for mails, inside the server's folder", "outbox", metavar="DIR", section="tiny-reset")
    ]


@hookimpl
def wheelgate_check_password(username: str, password: str) -> str | None:
    return "it needs eight characters, and not the name" if len(password) < 8 or username in password else None


@hookimpl
def wheelgate_routes(server: Server) -> list[Route]:
    reset = Reset(server, server.config.serverdir / server.config["tiny-reset-outbox"])
    return [Route("POST", "/ask", reset.ask, public=True), Route("POST", "/take", reset.take, public=True)]
