"""Forms: their fields, how they come back with a refusal, and where they lead after they have done their work."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from wheelgate.errors import BadInput
from wheelgate.providers import Answer, Route, RouteRequest, RouteResponse
from wheelgate.values import EMPTY_MAPPING
from wheelgate_web.rendering import Crumb, Renderer, root_of
from wheelgate_web.text_filters import segment

LOCAL_ADDRESS = re.compile(
    r"/(?:(?!//)[^\\\x00-\x20\x7f?#/](?:(?!//)[^\\\x00-\x20\x7f?#])*)?(?:\?[^\\\x00-\x20\x7f#]*)?"
)
"""An address on this server: one slash, no second one beside it, no backslash and no control character."""
UNQUOTED_IN_LOCATION = "/+!@,=~:?&%"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form."""

    name: str
    label: str
    kind: str = "text"
    """``text``, ``email``, ``number``, ``password``, ``area``, ``check`` or ``choice``."""
    value: str = ""
    hint: str = ""
    autocomplete: str = "off"
    required: bool = False
    options: Sequence[str] = ()
    """The values of a choice."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form, as a reader sees it before it is sent."""

    title: str
    button: str
    fields: Sequence[Field]
    crumbs: Sequence[Crumb]
    intro: str = ""
    dangerous: bool = False
    """Whether the button destroys something."""


def form_page(renderer: Renderer, request: RouteRequest, form: Form) -> RouteResponse:
    """Return the page of a form."""
    return _page(renderer, request, form, 200, "")


def refused_page(renderer: Renderer, request: RouteRequest, form: Form, status: int, alert: str) -> RouteResponse:
    """Return the form with what was typed, apart from passwords, and with the sentence of the refusal."""
    fields = [
        field if field.kind == "password" else replace(field, value=request.form.get(field.name, ""))
        for field in form.fields
    ]
    return _page(renderer, request, replace(form, fields=fields), status, alert)


def refusal_page(renderer: Renderer, request: RouteRequest, form: Form, answer: Answer) -> RouteResponse:
    """Return the form with the refusal of the API."""
    return refused_page(renderer, request, form, answer.status, answer.message)


def _page(renderer: Renderer, request: RouteRequest, form: Form, status: int, alert: str) -> RouteResponse:
    return renderer.page(
        request,
        "form.html",
        form.title,
        status=status,
        crumbs=form.crumbs,
        may_be_kept=False,
        form=form,
        alert=alert,
    )


def form_routes(
    path: str,
    show: Callable[[RouteRequest], RouteResponse],
    send: Callable[[RouteRequest], RouteResponse],
    summary: str,
) -> list[Route]:
    """Return the routes that show and take a form; the API decides who may use it."""
    return [
        Route("GET", path, show, public=True, summary=f"Show the form: {summary}"),
        Route("POST", path, send, public=True, form=True, same_origin=True, summary=summary),
    ]


def text_of(request: RouteRequest, name: str) -> str:
    """Return a field without spaces around it, and with the line ends of Unix; browsers send those of Windows."""
    return request.form.get(name, "").replace("\r\n", "\n").strip()


def api_address(*names: str) -> str:
    """Return the address of a user or an index whose name may be anything that a reader has typed.

    Raises:
        BadInput: a name is empty, or has a slash, so that the address would be that of something else.
    """
    for name in names:
        if not name:
            raise BadInput("give a name")
        if "/" in name:
            raise BadInput("a name has no slash")
    return "/" + "/".join(segment(name) for name in names)


def local_address(given: str) -> str:
    """Return an address that a form may lead to; the overview in place of anything but a path of this server."""
    return given if LOCAL_ADDRESS.fullmatch(given) else "/"


def redirect(
    request: RouteRequest, address: str, done: str = "", headers: Mapping[str, str] = EMPTY_MAPPING
) -> RouteResponse:
    """Lead the browser to a page, which says what was done.

    Args:
        request: the request.
        address: the address on this server, without the path of the outside URL.
        done: the name of the sentence in :data:`wheelgate_web.notices.NOTICES`.
        headers: further headers.
    """
    location = root_of(request) + quote(address, UNQUOTED_IN_LOCATION)
    if done:
        location += f"{'&' if '?' in location else '?'}done={done}"
    return RouteResponse(
        status=303,
        media_type="text/plain; charset=utf-8",
        headers={"cache-control": "no-store", **headers, "location": location},
    )
