"""The API tokens of the reader: list, create, revoke; the page is there if the plugin ``tokens`` is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from wheelgate.errors import Forbidden, NotAuthenticated, NotFound
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate_web.forms import Field, api_address, redirect, text_of
from wheelgate_web.rendering import Renderer
from wheelgate_web.text_filters import segment

FEATURE = "api-tokens"
"""What ``/+api`` says if the server has API tokens."""
SCOPES = ("read", "upload", "yank", "delete")
SECONDS_PER_DAY = 86400
TOKENS = "/+x/tokens"


class ApiTokens:
    """Shows the tokens, and sends to the API what the forms say."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """Return the routes."""
        create, revoke = "Create an API token", "Revoke an API token"
        return [
            Route("GET", "/tokens", self.show, public=True, summary="Show your API tokens"),
            Route("POST", "/tokens", self.create, public=True, form=True, same_origin=True, summary=create),
            Route("POST", "/tokens/{id}/revoke", self.revoke, public=True, form=True, same_origin=True, summary=revoke),
        ]

    def show(self, request: RouteRequest) -> RouteResponse:
        """List the tokens of the reader, with the form for another one."""
        return self._page(request)

    def create(self, request: RouteRequest) -> RouteResponse:
        """Create a token, which this answer alone shows."""
        answer = request.ask("POST", f"{TOKENS}/", token_request(request))
        if answer.result is None:
            return self._page(request, answer.status, answer.message)
        return self._page(request, token=answer.result["token"])

    def revoke(self, request: RouteRequest) -> RouteResponse:
        """Revoke a token."""
        answer = request.ask("DELETE", TOKENS + api_address(request.params["id"]))
        if answer.status != 200:
            return self._page(request, answer.status, answer.message)
        return redirect(request, "/+x/web/tokens", "token-revoked")

    def _page(self, request: RouteRequest, status: int = 200, alert: str = "", token: str = "") -> RouteResponse:
        name = request.principal.name
        found = request.ask("GET", f"{TOKENS}/")
        if name is None or found.result is None:
            raise refusal(found.status, found.message)
        typed = request.form if status != 200 else {}
        return self._renderer.page(
            request,
            "tokens.html",
            "API tokens",
            status=status,
            crumbs=[(name, f"/{segment(name)}"), ("API tokens", "")],
            may_be_kept=False,
            tokens=[described(each) for each in found.result],
            token=token,
            alert=alert,
            scopes=[Field(scope, scope, "check", typed.get(scope, "")) for scope in SCOPES],
            fields=[
                Field("index", "Index", value=typed.get("index", ""), hint="Such as team/prod; empty: every index."),
                Field("project", "Project", value=typed.get("project", ""), hint="Empty: every project."),
                Field("days", "Days until it ends", "number", typed.get("days", "90")),
                Field("comment", "Comment", value=typed.get("comment", ""), hint="What it is for."),
            ],
        )


def has_tokens(request: RouteRequest) -> bool:
    """Return whether the server has API tokens."""
    return FEATURE in (request.ask("GET", "/+api").result or {}).get("features", ())


def refusal(status: int, message: str) -> Exception:
    """Return the error of a page that the reader may not see."""
    if status == 401:
        return NotAuthenticated(message)
    return Forbidden(message) if status == 403 else NotFound(message)


def token_request(request: RouteRequest) -> dict[str, Any]:
    """Return the body for the API; what is no number of days goes there as it is, to be refused."""
    body: dict[str, Any] = {"scopes": [scope for scope in SCOPES if request.form.get(scope)]}
    for key, field in (("indices", "index"), ("projects", "project")):
        entries = [entry.strip() for entry in text_of(request, field).split(",") if entry.strip()]
        if entries:
            body[key] = entries
    days = text_of(request, "days")
    if days:
        body["expires_in"] = (
            int(days) * SECONDS_PER_DAY if days.isascii() and days.isdigit() and len(days) < 6 else days
        )
    return {**body, "comment": text_of(request, "comment")}


def described(token: dict[str, Any]) -> dict[str, Any]:
    """Return a token for the template, with times in place of text."""
    times = {key: datetime.fromisoformat(token[key]) for key in ("expires", "last_used") if token.get(key)}
    limits = {key: ", ".join(token.get(key) or ()) for key in ("scopes", "indices", "projects")}
    return {"last_used": None, **token, **times, **limits}
