"""What a token is good for: what its user may do, less everything that it leaves out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.helpers.distributions import Distribution, sdist, wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, encode, submit, upload
from tests.plugins.tokens.conftest import EVERYTHING, ROOT, Holder

from wheelgate import Allow, Index, Server, hookimpl
from wheelgate.fields import IndexType
from wheelgate.packages import CheckedUpload, ReceivedFile, UploadForm
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate.testing.site import Response
from wheelgate_stage.index_fields import STAGE_FIELDS
from wheelgate_stage.packages import StagePackages

OTHER_INDEX = "the token is for {name}/else only"
MINE, OTHERS = wheel("my.project"), wheel("other")

Auth = tuple[str, str]
Do = Callable[[Holder, str, Auth, Distribution], Response]


def json(method: str, path: str, body: Any = None) -> Do:
    """Make a request about an index and a file; ``{i}`` is the index, ``{p}`` the project, ``{f}`` the file."""

    def do(holder: Holder, index: str, auth: Auth, made: Distribution) -> Response:
        where = path.format(i=index, p=made.name, f=address(made))
        given = body(holder, made) if callable(body) else body
        return holder.site.request(method, f"/{where}", given, auth=auth)

    return do


def push(holder: Holder, made: Distribution) -> dict[str, Any]:
    """Return the body of a push to the index beside."""
    return {"name": made.name, "version": "1.0", "targetindex": f"{holder.name}/target"}


def send_new(holder: Holder, index: str, auth: Auth, made: Distribution) -> Response:
    """Upload another file of the project."""
    return upload(holder.site, index, sdist(made.name, "2.0"), auth)


def register(holder: Holder, index: str, auth: Auth, made: Distribution) -> Response:
    """Register a version."""
    return submit(holder.site, index, auth, **{":action": "submit", "name": made.name, "version": "3.0"})


def document(holder: Holder, index: str, auth: Auth, made: Distribution) -> Response:
    """Upload documentation of the version that is there."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.html", "hello")
    content = ("docs.zip", packed.getvalue(), "application/zip")
    body, headers = encode([(":action", "doc_upload"), ("name", made.name), ("version", "1.0"), ("content", content)])
    return holder.site.request("POST", f"/{index}/", body, auth=auth, headers=headers)


CHANGES: dict[str, tuple[str, Do]] = {
    "upload": ("upload", send_new),
    "register": ("upload", register),
    "documentation": ("upload", document),
    "push": ("upload", json("PUSH", "{i}", push)),
    "test result": ("upload", json("POST", "{i}/{f}", {"testenvs": {}})),
    "yank": ("yank", json("PATCH", "{i}/{p}/1.0", {"yanked": True})),
    "status": ("yank", json("PATCH", "{i}/{p}", {"status": "archived"})),
    "delete project": ("delete", json("DELETE", "{i}/{p}")),
    "delete version": ("delete", json("DELETE", "{i}/{p}/1.0")),
    "delete file": ("delete", json("DELETE", "{i}/{f}")),
}
"""Each change that a token can make, with its scope."""


@pytest.fixture
def filled(alice: Holder) -> Holder:
    """Return a user with an index that has two projects, and an empty one to push to."""
    for name in ("dev", "target"):
        alice.index(name, acl_toxresult_upload=[alice.name])
    for made in (MINE, OTHERS):
        assert upload(alice.site, f"{alice.name}/dev", made, alice.auth).status == 200
    return alice


def dev(holder: Holder) -> str:
    """Return the path of the filled index."""
    return f"{holder.name}/dev"


def projects(holder: Holder, name: str = "dev") -> list[str]:
    """Return the projects on an index."""
    return list(holder.site.request("GET", f"/{holder.name}/{name}").result["projects"])


@pytest.mark.parametrize(("scope", "change"), CHANGES.values(), ids=CHANGES)
def test_a_scope_is_enough_for_its_changes(filled: Holder, scope: str, change: Do) -> None:
    """For all indices and projects, and narrowed to the right ones, however the project's name is written."""
    narrow = {"indices": [dev(filled), f"{filled.name}/target"], "projects": ["My_Project", "more"]}

    done = change(filled, dev(filled), filled.token(scope, **narrow), MINE)

    assert done.status == 200, done.content


@pytest.mark.parametrize(("scope", "change"), CHANGES.values(), ids=CHANGES)
def test_no_other_scope_is(filled: Holder, scope: str, change: Do) -> None:
    """All the others together are not enough, and nothing has changed."""
    others = [each for each in EVERYTHING if each != scope]

    refused = change(filled, dev(filled), filled.token(*others), MINE)

    assert (refused.status, refused.message[-25:]) == (403, "the token is not for that")
    assert (projects(filled), projects(filled, "target")) == (["my-project", "other"], [])


@pytest.mark.parametrize(("scope", "change"), CHANGES.values(), ids=CHANGES)
def test_a_token_for_another_index_is_not(filled: Holder, scope: str, change: Do) -> None:
    """The reason names the index that it is for."""
    refused = change(filled, dev(filled), filled.token(indices=[f"{filled.name}/else"]), MINE)

    assert (refused.status, refused.message.endswith(OTHER_INDEX.format(name=filled.name))) == (403, True)
    assert (projects(filled), projects(filled, "target")) == (["my-project", "other"], [])


@pytest.mark.parametrize(("scope", "change"), CHANGES.values(), ids=CHANGES)
def test_a_token_for_another_project_is_not(filled: Holder, scope: str, change: Do) -> None:
    """Also where the project is known only once the form was read, or the file found; nothing is kept."""
    refused = change(filled, dev(filled), filled.token(projects=["my-project"]), OTHERS)

    assert (refused.status, refused.message.endswith("the token is for my-project only")) == (403, True)
    assert (projects(filled), projects(filled, "target")) == (["my-project", "other"], [])
    page = filled.site.request("GET", f"/{dev(filled)}/other", headers={"Accept": "application/json"})
    assert list(page.result) == ["1.0"]


def test_a_form_cannot_hide_its_project(filled: Holder) -> None:
    """A form that names the token's project over the file of another is refused."""
    token = filled.token("upload", projects=["my-project"])

    refused = upload(filled.site, dev(filled), wheel("other", "2.0"), token, name="my-project")

    assert refused.status == 400
    assert not filled.site.request("GET", f"/{dev(filled)}/+simple/other/").content.count(b"2.0")


class Renaming:
    """A plugin with a type of index that finds another project in a file than the form names."""

    @hookimpl
    def wheelgate_index_types(self, server: Server) -> list[IndexType]:
        """Bring it."""

        class Packages(StagePackages):
            def check_upload(self, index: Index, form: UploadForm, file: ReceivedFile | None) -> CheckedUpload:
                return replace(super().check_upload(index, form, file), project="other")

        return [IndexType("renaming", STAGE_FIELDS, takes_uploads=True, packages=Packages(server))]


def test_what_a_plugin_finds_in_a_file_counts(serve: Serve) -> None:
    """However the form calls the project: the token is asked again once the file was looked at."""
    site = serve(extra={"renaming": Renaming()})
    alice = Holder(site, site.add_user("alice"))
    alice.index(type="renaming")

    refused = upload(site, "alice/dev", MINE, alice.token("upload", projects=["my-project"]))
    taken = upload(site, "alice/dev", MINE, alice.token("upload", projects=["my-project", "other"]))

    assert (refused.status, taken.status) == (403, 200)


def test_what_a_refused_upload_would_meet_stays_untold(filled: Holder) -> None:
    """Whether there is such a file already, a token for another project does not learn."""
    filled.index("stable", volatile=False)
    assert upload(filled.site, f"{filled.name}/stable", OTHERS, filled.auth).status == 200
    token = filled.token("upload", projects=["my-project"])

    there = upload(filled.site, f"{filled.name}/stable", wheel("other", seed=1), token)
    not_there = upload(filled.site, f"{filled.name}/stable", wheel("other", "9", seed=1), token)

    assert (there.status, there.message) == (403, not_there.message)


def test_a_file_that_is_no_release_belongs_to_no_project(filled: Holder) -> None:
    """A token for a project does not get at what lies at another kind of address."""
    refused = filled.site.request(
        "DELETE", f"/{dev(filled)}/+f/123/4567890123456/my-project-9.zip", auth=filled.token(projects=["my-project"])
    )

    assert refused.status == 403


NEVER: dict[str, tuple[str, str, Any]] = {
    "create a user": ("PUT", "/somebody", {"password": "correct horse"}),
    "change the own title": ("PATCH", "/{u}", {"title": "x"}),
    "change the own password": ("PATCH", "/{u}", {"password": "new password"}),
    "delete the user": ("DELETE", "/{u}", None),
    "create an index": ("PUT", "/{u}/new", {}),
    "change an index": ("PATCH", "/{u}/dev", {"title": "x"}),
    "let others upload": ("PATCH", "/{u}/dev", ["acl_upload+=:ANONYMOUS:"]),
    "delete an index": ("DELETE", "/{u}/dev", None),
    "create a token": ("POST", "/+x/tokens", {"scopes": ["read"]}),
    "list tokens": ("GET", "/+x/tokens", None),
    "revoke a token": ("DELETE", "/+x/tokens/AAAAAAAAAAAA", None),
}


@pytest.mark.parametrize(("method", "path", "body"), NEVER.values(), ids=NEVER)
@pytest.mark.parametrize("who", ["alice", "root"])
def test_what_no_token_may(filled: Holder, who: str, method: str, path: str, body: Any) -> None:
    """Neither a user's nor root's, with all scopes that there are."""
    holder = filled if who == "alice" else Holder(filled.site, ROOT)

    refused = filled.site.request(method, path.format(u=filled.name), body, auth=holder.token())

    assert (refused.status, refused.message[-25:]) == (403, "the token is not for that")


def test_a_logout_is_for_logins(alice: Holder) -> None:
    """A token is not ended by it."""
    token = alice.token()

    assert alice.site.request("POST", "/+logout", auth=token).status == 401
    assert alice.site.request("GET", "/+api", auth=token).result["authstatus"][0] == "ok"


def test_a_token_has_no_right_that_its_user_lacks(filled: Holder) -> None:
    """Rights are those of the moment: given and taken while the token is in use."""
    other = Holder(filled.site, filled.site.add_user(f"{filled.name}-other"))
    token = other.token(indices=[dev(filled)])
    acl = [f"acl_upload={filled.name},{other.name}", f"acl_upload={filled.name}"]

    def may() -> int:
        return upload(filled.site, dev(filled), sdist("my-project"), token).status

    assert may() == 403
    assert filled.site.request("PATCH", f"/{dev(filled)}", acl[:1], auth=filled.auth).status == 200
    assert may() == 200
    assert filled.site.request("PATCH", f"/{dev(filled)}", acl[1:], auth=filled.auth).status == 200
    assert may() == 403


class Generous:
    """A policy that allows everything to everybody."""

    @hookimpl
    def wheelgate_check_permission(self) -> Allow:
        """Allow."""
        return Allow("why not")


def test_no_policy_widens_a_token(serve: Serve) -> None:
    """What a policy allows to the user, it does not allow to the token."""
    site = serve(extra={"generous": Generous()})
    alice = Holder(site, site.add_user("alice"))
    token = alice.token("read", indices=["alice/dev"])
    assert site.request("PUT", "/alice/dev", {}, auth=alice.auth).status == 200

    refused = [
        upload(site, "alice/dev", MINE, token),
        site.request("PUT", "/alice/new", {}, auth=token),
        site.request("POST", "/+x/tokens", {"scopes": ["read"]}, auth=token),
    ]

    assert [each.status for each in refused] == [403, 403, 403]


def test_a_push_to_another_server_takes_the_right_to_upload(filled: Holder) -> None:
    """A token that may only read makes this server send nothing anywhere."""
    elsewhere = {"name": "my-project", "version": "1.0", "posturl": "http://127.0.0.1:9/", "username": "x"}
    body = {**elsewhere, "password": "x"}

    refused = filled.site.request("PUSH", f"/{dev(filled)}", body, auth=filled.token("read", "yank", "delete"))
    sent = filled.site.request("PUSH", f"/{dev(filled)}", body, auth=filled.token("read", "upload"))

    assert (refused.status, sent.status) == (403, 502)


class Guestbook:
    """A plugin with an address for everybody, that believes whoever is named."""

    @hookimpl
    def wheelgate_routes(self) -> list[Route]:
        """Bring it."""

        def answer(asked: RouteRequest) -> RouteResponse:
            return RouteResponse(asked.principal.name, "name")

        return [Route(method, "/", answer, public=True) for method in ("GET", "POST")]


def test_a_route_that_asks_for_no_right_is_no_way_around(serve: Serve) -> None:
    """A plugin that acts for whoever is logged in does not act for a token; what only shows something stays open."""
    site = serve(extra={"guestbook": Guestbook()})
    alice = Holder(site, site.add_user("alice"))

    statuses = [
        site.request(method, "/+x/guestbook", auth=auth).status
        for method in ("GET", "POST")
        for auth in (None, alice.auth, alice.token())
    ]

    assert statuses == [200, 200, 200, 200, 200, 403]
