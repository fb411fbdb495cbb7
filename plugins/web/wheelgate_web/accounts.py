"""The forms about users: create, edit the profile, change the password, delete."""

from __future__ import annotations

from typing import Any

from wheelgate.errors import BadInput
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate_web.forms import (
    Field,
    Form,
    api_address,
    form_page,
    form_routes,
    redirect,
    refusal_page,
    refused_page,
    text_of,
)
from wheelgate_web.permissions import require_on_user
from wheelgate_web.rendering import Renderer
from wheelgate_web.session_cookie import begin_session, end_session
from wheelgate_web.text_filters import segment

PROFILE_KEYS = ("email", "title", "description")


class Accounts:
    """Shows the forms, and sends to the API what they say."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            *form_routes("/create-user", self.show_creation, self.create, "Create a user"),
            *form_routes("/users/{user}/edit", self.show_profile, self.edit, "Edit the profile of a user"),
            *form_routes("/users/{user}/password", self.show_password, self.change_password, "Change a password"),
            *form_routes("/users/{user}/delete", self.show_deletion, self.delete, "Delete a user"),
        ]

    def show_creation(self, request: RouteRequest) -> RouteResponse:
        """Show the form for a new user."""
        require_on_user(request, "user_create", "")
        return form_page(self._renderer, request, creation_form())

    def create(self, request: RouteRequest) -> RouteResponse:
        """Create a user."""
        name = text_of(request, "user")
        body = {key: text_of(request, key) for key in PROFILE_KEYS if text_of(request, key)}
        try:
            where = api_address(name)
        except BadInput as error:
            return refused_page(self._renderer, request, creation_form(), 400, error.message)
        answer = request.ask("PUT", where, {**body, "password": request.form.get("password", "")})
        if answer.result is None:
            return refusal_page(self._renderer, request, creation_form(), answer)
        return redirect(request, where, "user-created")

    def show_profile(self, request: RouteRequest) -> RouteResponse:
        """Show the form for the profile."""
        name = request.params["user"]
        require_on_user(request, "user_modify", name)
        user = request.view.user(name).user
        return form_page(self._renderer, request, profile_form(name, user))

    def edit(self, request: RouteRequest) -> RouteResponse:
        """Change the profile."""
        name = request.params["user"]
        answer = request.ask("PATCH", api_address(name), {key: text_of(request, key) for key in PROFILE_KEYS})
        if answer.status != 200:
            return refusal_page(self._renderer, request, profile_form(name), answer)
        return redirect(request, f"/{segment(name)}", "profile-saved")

    def show_password(self, request: RouteRequest) -> RouteResponse:
        """Show the form for a new password."""
        name = request.params["user"]
        require_on_user(request, "user_password", name)
        return form_page(self._renderer, request, password_form(request, name))

    def change_password(self, request: RouteRequest) -> RouteResponse:
        """Change the password; whoever changes the own one stays signed in."""
        name, form = request.params["user"], password_form(request, request.params["user"])
        is_own = request.principal.name == name
        if is_own:
            login = {"user": name, "password": request.form.get("current", "")}
            proof = request.ask("POST", "/+login", login)
            if proof.result is None:
                return refusal_page(self._renderer, request, form, proof)
        answer = request.ask("PATCH", api_address(name), {"password": request.form.get("password", "")})
        if answer.result is None:
            return refusal_page(self._renderer, request, form, answer)
        headers = {}
        if is_own:
            token, seconds = answer.result["password"], answer.result["expiration"]
            headers["set-cookie"] = begin_session(request, token, seconds)
        return redirect(request, f"/{segment(name)}", "password-changed", headers)

    def show_deletion(self, request: RouteRequest) -> RouteResponse:
        """Ask whether to delete a user."""
        name = request.params["user"]
        require_on_user(request, "user_delete", name)
        return form_page(self._renderer, request, deletion_form(name))

    def delete(self, request: RouteRequest) -> RouteResponse:
        """Delete a user."""
        name = request.params["user"]
        if text_of(request, "confirm") != name:
            said = f"Nothing was deleted: type {name} to confirm."
            return refused_page(self._renderer, request, deletion_form(name), 400, said)
        answer = request.ask("DELETE", api_address(name))
        if answer.status != 200:
            return refusal_page(self._renderer, request, deletion_form(name), answer)
        headers = {"set-cookie": end_session(request)} if request.principal.name == name else {}
        return redirect(request, "/", "user-deleted", headers)


def creation_form() -> Form:
    """Return the form for a new user."""
    fields = [
        Field("user", "User name", required=True, autocomplete="username"),
        Field("password", "Password", "password", required=True, autocomplete="new-password"),
        *profile_fields(None),
    ]
    return Form("Create user", "Create user", fields, [("Create user", "")])


def profile_form(name: str, user: Any = None) -> Form:
    """Return the form for the profile of a user."""
    return Form("Edit profile", "Save", profile_fields(user), [(name, f"/{segment(name)}"), ("Edit profile", "")])


def profile_fields(user: Any) -> list[Field]:
    """Return the fields of a profile, filled with that of a user."""
    email, title, description = (getattr(user, key, None) or "" for key in PROFILE_KEYS)
    return [
        Field("email", "E-mail", "email", email, autocomplete="email", hint="Shown to the user and to root only."),
        Field("title", "Title", value=title),
        Field("description", "Description", "area", description),
    ]


def password_form(request: RouteRequest, name: str) -> Form:
    """Return the form for a new password; only the user has to know the present one."""
    fields = [Field("password", "New password", "password", autocomplete="new-password", required=True)]
    if request.principal.name == name:
        fields.insert(0, Field("current", "Current password", "password", autocomplete="current-password"))
    crumbs = [(name, f"/{segment(name)}"), ("Change password", "")]
    intro = f"All logins and API tokens of {name} end with the old password."
    return Form("Change password", "Change password", fields, crumbs, intro)


def deletion_form(name: str) -> Form:
    """Return the form that asks whether to delete a user."""
    fields = [Field("confirm", f"Type the name {name} to confirm", required=True)]
    crumbs = [(name, f"/{segment(name)}"), ("Delete user", "")]
    intro = f"This deletes {name} with all indices, and everything that was uploaded there. Nobody can undo it."
    return Form("Delete user", "Delete user", fields, crumbs, intro, dangerous=True)
