"""Signing in and out."""

from __future__ import annotations

from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate_web.forms import local_address, redirect
from wheelgate_web.rendering import Renderer
from wheelgate_web.session_cookie import begin_session, end_session


class SigningIn:
    """The form for the name and the password, and the button that ends the session."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """Return the routes; a server that asks for a login leaves them open."""
        return [
            Route("GET", "/sign-in", self.show, public=True, open=True, summary="Show the form for signing in"),
            Route(
                "POST", "/sign-in", self.sign_in, public=True, open=True, form=True, same_origin=True, summary="Sign in"
            ),
            Route(
                "POST",
                "/sign-out",
                self.sign_out,
                public=True,
                open=True,
                form=True,
                same_origin=True,
                summary="Sign out",
            ),
        ]

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show the form."""
        return self._form(request, local_address(request.query.get("next", "/")))

    def sign_in(self, request: RouteRequest) -> RouteResponse:
        """Sign in, and lead to the page where the reader came from."""
        form = request.form
        following = local_address(form.get("next", "/"))
        login = {"user": form.get("user", ""), "password": form.get("password", "")}
        answer = request.ask("POST", "/+login", login)
        if answer.result is None:
            headers = {name: answer.headers[name] for name in ("retry-after",) if name in answer.headers}
            return self._form(request, following, answer.status, answer.message, login["user"], headers)
        cookie = begin_session(request, answer.result["password"], answer.result["expiration"])
        return redirect(request, following, "signed-in", {"set-cookie": cookie})

    def sign_out(self, request: RouteRequest) -> RouteResponse:
        """End the session here and on the server."""
        request.ask("POST", "/+logout")
        return redirect(request, "/", "signed-out", {"set-cookie": end_session(request)})

    def _form(
        self,
        request: RouteRequest,
        following: str,
        status: int = 200,
        alert: str = "",
        name: str = "",
        headers: dict[str, str] | None = None,
    ) -> RouteResponse:
        return self._renderer.page(
            request,
            "sign_in.html",
            "Sign in",
            status=status,
            crumbs=[("Sign in", "")],
            headers=headers or {},
            may_be_kept=False,
            signing_in=True,
            next=following,
            alert=alert,
            typed_user=name,
        )
