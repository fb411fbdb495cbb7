"""The forms about indices: create, edit, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wheelgate.errors import BadInput
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate.server_view import IndexView
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
from wheelgate_web.permissions import require_on_index
from wheelgate_web.rendering import Crumb, Renderer
from wheelgate_web.text_filters import segment

LIST_HINT = "Names separated by commas; a group begins with a colon."


class IndexForms:
    """Shows the forms, and sends to the API what they say."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """Return the routes."""
        index = "/indices/{user}/{index}"
        return [
            *form_routes("/users/{user}/create-index", self.show_creation, self.create, "Create an index"),
            *form_routes(f"{index}/edit", self.show, self.edit, "Edit an index"),
            *form_routes(f"{index}/delete", self.show_deletion, self.delete, "Delete an index"),
        ]

    def show_creation(self, request: RouteRequest) -> RouteResponse:
        """Show the form for a new index."""
        owner = request.params["user"]
        request.view.user(owner)
        require_on_index(request, "index_create", owner)
        return form_page(self._renderer, request, creation_form(owner))

    def create(self, request: RouteRequest) -> RouteResponse:
        """Create an index."""
        owner = request.params["user"]
        body = {key: text_of(request, key) for key in ("title", "description", "bases") if text_of(request, key)}
        try:
            where = api_address(owner, text_of(request, "name"))
        except BadInput as error:
            return refused_page(self._renderer, request, creation_form(owner), 400, error.message)
        answer = request.ask("PUT", where, {"type": "stage", **body})
        if answer.result is None:
            return refusal_page(self._renderer, request, creation_form(owner), answer)
        return redirect(request, where, "index-created")

    def show(self, request: RouteRequest) -> RouteResponse:
        """Show the form for the configuration."""
        index = self._index(request, "index_modify")
        return form_page(self._renderer, request, edit_form(index))

    def edit(self, request: RouteRequest) -> RouteResponse:
        """Change the configuration."""
        index = self._index(request, "index_modify")
        answer = request.ask("PATCH", api_address(index.owner, index.name), operations(request, index.config))
        if answer.result is None:
            return refusal_page(self._renderer, request, edit_form(index), answer)
        return redirect(request, api_address(index.owner, index.name), "index-saved")

    def show_deletion(self, request: RouteRequest) -> RouteResponse:
        """Ask whether to delete an index."""
        return form_page(self._renderer, request, deletion_form(self._index(request, "index_delete")))

    def delete(self, request: RouteRequest) -> RouteResponse:
        """Delete an index."""
        index = self._index(request, "index_delete")
        if text_of(request, "confirm") != index.path:
            said = f"Nothing was deleted: type {index.path} to confirm."
            return refused_page(self._renderer, request, deletion_form(index), 400, said)
        answer = request.ask("DELETE", api_address(index.owner, index.name))
        if answer.status != 201:
            return refusal_page(self._renderer, request, deletion_form(index), answer)
        return redirect(request, api_address(index.owner), "index-deleted")

    def _index(self, request: RouteRequest, permission: str) -> IndexView:
        owner, name = request.params["user"], request.params["index"]
        index = request.view.index(f"{owner}/{name}")
        require_on_index(request, permission, owner, name)
        return index


def creation_form(owner: str) -> Form:
    """Return the form for a new index."""
    fields = [
        Field("name", "Name", required=True),
        Field("title", "Title"),
        Field("description", "Description", "area"),
        Field("bases", "Bases", hint="Indices whose packages it serves too, such as root/pypi, separated by commas."),
    ]
    return Form("Create index", "Create index", fields, [(owner, f"/{segment(owner)}"), ("Create index", "")])


def edit_form(index: IndexView) -> Form:
    """Return the form for the configuration of an index."""
    config = index.config
    fields = [
        Field("title", "Title", value=str(config.get("title") or "")),
        Field("description", "Description", "area", str(config.get("description") or "")),
    ]
    if not index.mirror:
        fields += [
            Field("bases", "Bases", value=listed(config, "bases"), hint="Indices whose packages it serves too."),
            Field("acl_upload", "May upload", value=listed(config, "acl_upload"), hint=LIST_HINT),
        ]
    fields += [
        Field("acl_read", "May read", value=listed(config, "acl_read"), hint=f"{LIST_HINT} Empty: everybody."),
        Field("volatile", "Releases can be replaced and deleted", "check", "yes" if config.get("volatile") else ""),
    ]
    return Form("Edit index", "Save", fields, crumbs(index, "Edit index"))


def listed(config: Mapping[str, Any], key: str) -> str:
    """Return a list of the configuration as the form shows it."""
    return ", ".join(config.get(key, ()))


def operations(request: RouteRequest, config: Mapping[str, Any]) -> list[str]:
    """Return the changes of the form as the API takes them; a field that the form did not have stays."""
    changes = [
        f"{key}={text_of(request, key)}"
        for key in ("title", "description", "bases", "acl_upload")
        if key in request.form
    ]
    if text_of(request, "acl_read"):
        changes.append(f"acl_read={text_of(request, 'acl_read')}")
    elif "acl_read" in config:
        changes.append("acl_read-=")
    return [*changes, f"volatile={'yes' if request.form.get('volatile') else 'no'}"]


def deletion_form(index: IndexView) -> Form:
    """Return the form that asks whether to delete an index."""
    fields = [Field("confirm", f"Type the name {index.path} to confirm", required=True)]
    intro = f"This deletes {index.path} with everything that was uploaded there. Nobody can undo it."
    return Form("Delete index", "Delete index", fields, crumbs(index, "Delete index"), intro, dangerous=True)


def crumbs(index: IndexView, last: str) -> list[Crumb]:
    """Return the way to a form."""
    return [
        (index.owner, f"/{segment(index.owner)}"),
        (index.name, f"/{segment(index.owner)}/{segment(index.name)}"),
        (last, ""),
    ]
