"""A token allows what its user may do, within its own limits."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.helpers.distributions import Distribution, sdist, wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, encode, submit, upload
from tests.plugins.tokens.conftest import ALL_SCOPES, ROOT, TokenOwner

from wheelgate import Allow, Index, Server, hookimpl
from wheelgate.fields import IndexType
from wheelgate.packages import CheckedUpload, ReceivedFile, UploadForm
from wheelgate.providers import Route, RouteRequest, RouteResponse
from wheelgate.testing.site import Response, Site
from wheelgate_stage.index_fields import STAGE_FIELDS
from wheelgate_stage.packages import StagePackages

OTHER_INDEX = "the token is for {name}/else only"
MINE, OTHERS = wheel("my.project"), wheel("other")

Auth = tuple[str, str]
Change = Callable[[TokenOwner, str, Auth, Distribution], Response]


def json(method: str, path: str, body: Any = None) -> Change:
    """Return a function that sends a request; ``{i}`` is the index, ``{p}`` the project, ``{f}`` the file."""

    def send(owner: TokenOwner, index: str, auth: Auth, made: Distribution) -> Response:
        where = path.format(i=index, p=made.name, f=address(made))
        given = body(owner, made) if callable(body) else body
        return owner.site.request(method, f"/{where}", given, auth=auth)

    return send


def push(owner: TokenOwner, made: Distribution) -> dict[str, Any]:
    """Return the body of a push to the user's other index."""
    return {"name": made.name, "version": "1.0", "targetindex": f"{owner.name}/target"}


def send_new(owner: TokenOwner, index: str, auth: Auth, made: Distribution) -> Response:
    """Upload another file of the project."""
    return upload(owner.site, index, sdist(made.name, "2.0"), auth)


def register(owner: TokenOwner, index: str, auth: Auth, made: Distribution) -> Response:
    """Register a version."""
    return submit(owner.site, index, auth, **{":action": "submit", "name": made.name, "version": "3.0"})


def document(owner: TokenOwner, index: str, auth: Auth, made: Distribution) -> Response:
    """Upload documentation of the existing version."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.html", "hello")
    content = ("docs.zip", packed.getvalue(), "application/zip")
    body, headers = encode([(":action", "doc_upload"), ("name", made.name), ("version", "1.0"), ("content", content)])
    return owner.site.request("POST", f"/{index}/", body, auth=auth, headers=headers)


CHANGES: dict[str, tuple[str, Change]] = {
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
"""The scope and the request of each change that a token can make."""


def fill(owner: TokenOwner) -> TokenOwner:
    """Create an index with two projects, and an empty one to push to."""
    for name in ("dev", "target"):
        owner.index(name, acl_toxresult_upload=[owner.name])
    for made in (MINE, OTHERS):
        assert upload(owner.site, f"{owner.name}/dev", made, owner.auth).status == 200
    return owner


@pytest.fixture
def filled(alice: TokenOwner) -> TokenOwner:
    """Return a user with the two indices, for a test that changes them."""
    return fill(alice)


@pytest.fixture(scope="module")
def unchanged(shared: Site, numbers: Iterator[int]) -> TokenOwner:
    """Return a user with the two indices, for all tests whose requests are refused."""
    return fill(TokenOwner(shared, shared.add_user(f"unchanged{next(numbers)}")))


def dev(owner: TokenOwner) -> str:
    """Return the path of the filled index."""
    return f"{owner.name}/dev"


def projects(owner: TokenOwner, name: str = "dev") -> list[str]:
    """Return the projects on an index."""
    return list(owner.site.request("GET", f"/{owner.name}/{name}").result["projects"])


@pytest.mark.parametrize("key", ["projects", "change_projects"])
@pytest.mark.parametrize(("scope", "change"), CHANGES.values(), ids=CHANGES)
def test_a_scope_is_enough_for_its_changes(filled: TokenOwner, scope: str, change: Change, key: str) -> None:
    """A token with the scope, for these indices and this project, can make the change, however its name is written."""
    narrow = {"indices": [dev(filled), f"{filled.name}/target"], key: ["My_Project", "more"]}

    done = change(filled, dev(filled), filled.token(scope, **narrow), MINE)

    assert done.status == 200, done.content


@pytest.mark.parametrize(("scope", "change"), CHANGES.values(), ids=CHANGES)
def test_no_other_scope_is_enough(unchanged: TokenOwner, scope: str, change: Change) -> None:
    """A token with all the other scopes cannot make the change, and nothing changes."""
    others = [each for each in ALL_SCOPES if each != scope]

    refused = change(unchanged, dev(unchanged), unchanged.token(*others), MINE)

    assert (refused.status, refused.message[-25:]) == (403, "the token is not for that")
    assert (projects(unchanged), projects(unchanged, "target")) == (["my-project", "other"], [])


@pytest.mark.parametrize(("scope", "change"), CHANGES.values(), ids=CHANGES)
def test_a_token_for_another_index_is_refused(unchanged: TokenOwner, scope: str, change: Change) -> None:
    """The reason names the index that the token is for."""
    refused = change(unchanged, dev(unchanged), unchanged.token(indices=[f"{unchanged.name}/else"]), MINE)

    assert (refused.status, refused.message.endswith(OTHER_INDEX.format(name=unchanged.name))) == (403, True)
    assert (projects(unchanged), projects(unchanged, "target")) == (["my-project", "other"], [])


@pytest.mark.parametrize("key", ["projects", "change_projects"])
@pytest.mark.parametrize(("scope", "change"), CHANGES.values(), ids=CHANGES)
def test_a_token_for_another_project_is_refused(unchanged: TokenOwner, scope: str, change: Change, key: str) -> None:
    """The token is refused even if the server learns the project only from the form or the file; nothing is stored."""
    refused = change(unchanged, dev(unchanged), unchanged.token(**{key: ["my-project"]}), OTHERS)

    assert (refused.status, refused.message.endswith("the token is for my-project only")) == (403, True)
    assert (projects(unchanged), projects(unchanged, "target")) == (["my-project", "other"], [])
    page = unchanged.site.request("GET", f"/{dev(unchanged)}/other", headers={"Accept": "application/json"})
    assert list(page.result) == ["1.0"]


def test_a_form_cannot_hide_its_project(unchanged: TokenOwner) -> None:
    """A form that names the token's project over the file of another is refused."""
    token = unchanged.token("upload", projects=["my-project"])

    refused = upload(unchanged.site, dev(unchanged), wheel("other", "2.0"), token, name="my-project")

    assert refused.status == 400
    assert not unchanged.site.request("GET", f"/{dev(unchanged)}/+simple/other/").content.count(b"2.0")


class RenamingIndexType:
    """A plugin with a type of index that finds another project in a file than the form names."""

    @hookimpl
    def wheelgate_index_types(self, server: Server) -> list[IndexType]:
        """Provide the type."""

        class Packages(StagePackages):
            def check_upload(self, index: Index, form: UploadForm, file: ReceivedFile | None) -> CheckedUpload:
                return replace(super().check_upload(index, form, file), project="other")

        return [IndexType("renaming", STAGE_FIELDS, takes_uploads=True, packages=Packages(server))]


def test_the_project_that_a_plugin_finds_counts(serve: Serve) -> None:
    """The token's project is checked again after a plugin has read the file, whatever the form says."""
    site = serve(extra={"renaming": RenamingIndexType()})
    alice = TokenOwner(site, site.add_user("alice"))
    alice.index(type="renaming")

    refused = upload(site, "alice/dev", MINE, alice.token("upload", projects=["my-project"]))
    taken = upload(site, "alice/dev", MINE, alice.token("upload", projects=["my-project", "other"]))

    assert (refused.status, taken.status) == (403, 200)


def test_a_refused_upload_does_not_reveal_files(filled: TokenOwner) -> None:
    """The answer to a token for another project does not reveal whether the file exists."""
    filled.index("stable", volatile=False)
    assert upload(filled.site, f"{filled.name}/stable", OTHERS, filled.auth).status == 200
    token = filled.token("upload", projects=["my-project"])

    existing = upload(filled.site, f"{filled.name}/stable", wheel("other", seed=1), token)
    missing = upload(filled.site, f"{filled.name}/stable", wheel("other", "9", seed=1), token)

    assert (existing.status, existing.message) == (403, missing.message)


def test_a_file_of_no_release_belongs_to_no_project(unchanged: TokenOwner) -> None:
    """A token for a project cannot delete a file that belongs to no release."""
    refused = unchanged.site.request(
        "DELETE",
        f"/{dev(unchanged)}/+f/123/4567890123456/my-project-9.zip",
        auth=unchanged.token(projects=["my-project"]),
    )

    assert refused.status == 403


ALWAYS_REFUSED: dict[str, tuple[str, str, Any]] = {
    "create a user": ("PUT", "/somebody", {"password": "correct horse"}),
    "change one's own title": ("PATCH", "/{u}", {"title": "x"}),
    "change one's own password": ("PATCH", "/{u}", {"password": "new password"}),
    "delete the user": ("DELETE", "/{u}", None),
    "create an index": ("PUT", "/{u}/new", {}),
    "change an index": ("PATCH", "/{u}/dev", {"title": "x"}),
    "let others upload": ("PATCH", "/{u}/dev", ["acl_upload+=:ANONYMOUS:"]),
    "delete an index": ("DELETE", "/{u}/dev", None),
    "create a token": ("POST", "/+x/tokens", {"scopes": ["read"]}),
    "list tokens": ("GET", "/+x/tokens", None),
    "revoke a token": ("DELETE", "/+x/tokens/AAAAAAAAAAAA", None),
}


@pytest.mark.parametrize(("method", "path", "body"), ALWAYS_REFUSED.values(), ids=ALWAYS_REFUSED)
@pytest.mark.parametrize("who", ["alice", "root"])
def test_requests_that_no_token_can_make(unchanged: TokenOwner, who: str, method: str, path: str, body: Any) -> None:
    """No token can make these requests, neither a user's nor root's, with all scopes."""
    owner = unchanged if who == "alice" else TokenOwner(unchanged.site, ROOT)

    refused = unchanged.site.request(method, path.format(u=unchanged.name), body, auth=owner.token())

    assert (refused.status, refused.message[-25:]) == (403, "the token is not for that")


def test_a_logout_does_not_end_a_token(alice: TokenOwner) -> None:
    """``POST /+logout`` refuses a token, which stays valid."""
    token = alice.token()

    assert alice.site.request("POST", "/+logout", auth=token).status == 401
    assert alice.site.request("GET", "/+api", auth=token).result["authstatus"][0] == "ok"


def test_a_token_has_no_right_that_its_user_lacks(filled: TokenOwner) -> None:
    """A token has the current rights of its user: rights given and taken away count at once."""
    other = TokenOwner(filled.site, filled.site.add_user(f"{filled.name}-other"))
    token = other.token(indices=[dev(filled)])
    acl = [f"acl_upload={filled.name},{other.name}", f"acl_upload={filled.name}"]

    def may() -> int:
        return upload(filled.site, dev(filled), sdist("my-project"), token).status

    assert may() == 403
    assert filled.site.request("PATCH", f"/{dev(filled)}", acl[:1], auth=filled.auth).status == 200
    assert may() == 200
    assert filled.site.request("PATCH", f"/{dev(filled)}", acl[1:], auth=filled.auth).status == 200
    assert may() == 403


class AllowingPolicy:
    """A policy that allows everything to all users."""

    @hookimpl
    def wheelgate_check_permission(self) -> Allow:
        """Allow."""
        return Allow("this policy allows everything")


def test_no_policy_widens_a_token(serve: Serve) -> None:
    """A right that a policy gives to the user does not count for the token."""
    site = serve(extra={"allowing": AllowingPolicy()})
    alice = TokenOwner(site, site.add_user("alice"))
    token = alice.token("read", indices=["alice/dev"])
    assert site.request("PUT", "/alice/dev", {}, auth=alice.auth).status == 200

    refused = [
        upload(site, "alice/dev", MINE, token),
        site.request("PUT", "/alice/new", {}, auth=token),
        site.request("POST", "/+x/tokens", {"scopes": ["read"]}, auth=token),
    ]

    assert [each.status for each in refused] == [403, 403, 403]


def test_a_push_to_another_server_needs_scope_upload(filled: TokenOwner) -> None:
    """A token without the scope ``upload`` cannot make this server send a release elsewhere."""
    elsewhere = {"name": "my-project", "version": "1.0", "posturl": "http://127.0.0.1:9/", "username": "x"}
    body = {**elsewhere, "password": "x"}

    refused = filled.site.request("PUSH", f"/{dev(filled)}", body, auth=filled.token("read", "yank", "delete"))
    sent = filled.site.request("PUSH", f"/{dev(filled)}", body, auth=filled.token("read", "upload"))

    assert (refused.status, sent.status) == (403, 502)


class PublicRoute:
    """A plugin with a public route that answers with the caller's name."""

    @hookimpl
    def wheelgate_routes(self) -> list[Route]:
        """Provide the route."""

        def answer(request: RouteRequest) -> RouteResponse:
            return RouteResponse(request.principal.name, "name")

        return [Route(method, "/", answer, public=True) for method in ("GET", "POST")]


def test_a_public_route_refuses_changes_by_tokens(serve: Serve) -> None:
    """A token can read a public route of a plugin, but cannot make changes through it."""
    site = serve(extra={"public_route": PublicRoute()})
    alice = TokenOwner(site, site.add_user("alice"))

    statuses = [
        site.request(method, "/+x/public_route", auth=auth).status
        for method in ("GET", "POST")
        for auth in (None, alice.auth, alice.token())
    ]

    assert statuses == [200, 200, 200, 200, 200, 403]
