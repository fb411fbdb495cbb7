"""The forms about projects and versions: yank, status, delete."""

from __future__ import annotations

from wheelgate.packages import STATUSES
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
from wheelgate_web.permissions import may_change_index, require_on_index
from wheelgate_web.rendering import Crumb, Renderer
from wheelgate_web.text_filters import segment

PROJECT_FORMS = "/projects/{user}/{index}/{project}"
VERSION_FORMS = "/versions/{user}/{index}/{project}/{version}"
MODIFY, DELETE = "release_modify", "release_delete"


class ReleaseForms:
    """Shows the forms, and sends to the API what they say."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            *form_routes(f"{PROJECT_FORMS}/status", self.show_status, self.set_status, "Set the status of a project"),
            *form_routes(f"{PROJECT_FORMS}/delete", self.show_deletion, self.delete, "Delete a project"),
            *form_routes(f"{VERSION_FORMS}/yank", self.show_yank, self.yank, "Yank a version, or undo that"),
            *form_routes(f"{VERSION_FORMS}/delete", self.show_deletion, self.delete, "Delete a version"),
        ]

    def show_status(self, request: RouteRequest) -> RouteResponse:
        """Show the form for the status of a project."""
        _require(request, MODIFY)
        return form_page(self._renderer, request, status_form(request))

    def set_status(self, request: RouteRequest) -> RouteResponse:
        """Set the status of a project."""
        body = {"status": text_of(request, "status"), "reason": text_of(request, "reason")}
        answer = request.ask("PATCH", _address(request), body)
        if answer.status != 200:
            return refusal_page(self._renderer, request, status_form(request), answer)
        return redirect(request, _address(request), "status-set")

    def show_yank(self, request: RouteRequest) -> RouteResponse:
        """Show the form for yanking a version."""
        _require(request, MODIFY)
        return form_page(self._renderer, request, yank_form(request))

    def yank(self, request: RouteRequest) -> RouteResponse:
        """Yank a version, or undo that."""
        is_yanked = bool(request.form.get("yanked"))
        body = {"yanked": True, "reason": text_of(request, "reason")} if is_yanked else {"yanked": False}
        answer = request.ask("PATCH", _address(request), body)
        if answer.status != 200:
            return refusal_page(self._renderer, request, yank_form(request), answer)
        return redirect(request, _address(request), "yanked" if is_yanked else "unyanked")

    def show_deletion(self, request: RouteRequest) -> RouteResponse:
        """Ask whether to delete a project or a version."""
        _require(request, DELETE)
        return form_page(self._renderer, request, deletion_form(request))

    def delete(self, request: RouteRequest) -> RouteResponse:
        """Delete a project or a version."""
        form, name = deletion_form(request), _name(request)
        if text_of(request, "confirm") != name:
            said = f"Nothing was deleted: type {name} to confirm."
            return refused_page(self._renderer, request, form, 400, said)
        answer = request.ask("DELETE", _address(request))
        if answer.status != 200:
            return refusal_page(self._renderer, request, form, answer)
        params = request.params
        return redirect(request, api_address(params["user"], params["index"]), "deleted")


def release_actions(request: RouteRequest, path: str, project: str, version: str) -> list[tuple[str, str]]:
    """Return the text and the address of each form that the caller may use on a project and its version."""
    if request.principal.name is None:
        return []
    owner, _, name = path.partition("/")
    below = f"{segment(owner)}/{segment(name)}/{segment(project)}"
    of_project, of_version = f"/+x/web/projects/{below}", f"/+x/web/versions/{below}/{segment(version)}"
    offered = []
    if may_change_index(request, MODIFY, owner, name):
        offered += [(f"Yank {version}", f"{of_version}/yank"), ("Set status", f"{of_project}/status")]
    if may_change_index(request, DELETE, owner, name):
        offered += [(f"Delete {version}", f"{of_version}/delete"), ("Delete project", f"{of_project}/delete")]
    return offered


def status_form(request: RouteRequest) -> Form:
    """Return the form for the status of a project."""
    project = request.params["project"]
    found = request.view.files(f"{request.params['user']}/{request.params['index']}", project)
    hint = "Installers get no files of a quarantined project; the others are told to the people who install."
    fields = [
        Field("status", "Status", "choice", found.status, hint, options=STATUSES),
        Field("reason", "Reason", value=found.status_reason),
    ]
    return Form("Set status", "Save", fields, _crumbs(request, "Set status"))


def yank_form(request: RouteRequest) -> Form:
    """Return the form for yanking a version."""
    fields = [
        Field("yanked", "Yanked: installers take it only if they are asked for exactly this version", "check", "yes"),
        Field("reason", "Reason", hint="Shown to the people who install it."),
    ]
    return Form(f"Yank {request.params['version']}", "Save", fields, _crumbs(request, "Yank"))


def deletion_form(request: RouteRequest) -> Form:
    """Return the form that asks whether to delete a project or a version."""
    name = _name(request)
    title = "Delete version" if "version" in request.params else "Delete project"
    fields = [Field("confirm", f"Type the name {name} to confirm", required=True)]
    intro = f"This deletes {name} with its files. Nobody can undo it; to keep installers from it, yank it."
    return Form(title, title, fields, _crumbs(request, title), intro, dangerous=True)


def _require(request: RouteRequest, permission: str) -> None:
    owner, name = request.params["user"], request.params["index"]
    request.view.index(f"{owner}/{name}")
    require_on_index(request, permission, owner, name)


def _name(request: RouteRequest) -> str:
    """Return what the reader types to confirm a deletion."""
    params = request.params
    return f"{params['project']} {params['version']}" if "version" in params else params["project"]


def _address(request: RouteRequest) -> str:
    """Return the address of the project or the version."""
    params = request.params
    names = [params[key] for key in ("user", "index", "project", "version") if key in params]
    return api_address(*names)


def _crumbs(request: RouteRequest, last: str) -> list[Crumb]:
    owner, name, project = (request.params[key] for key in ("user", "index", "project"))
    return [
        (owner, api_address(owner)),
        (name, api_address(owner, name)),
        (project, api_address(owner, name, project)),
        (last, ""),
    ]
