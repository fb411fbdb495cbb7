"""Projects, versions and files: deletion, yanking, status, test results and refresh."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.core.uploads.conftest import Owned
from tests.helpers.distributions import sdist, wheel
from tests.helpers.upload_forms import address, upload
from tests.helpers.upstream import Upstream, upstream  # noqa: F401

from wheelgate.testing.site import Response

JSON = {"Accept": "application/json"}
SIMPLE = {"Accept": "application/vnd.pypi.simple.v1+json"}
OLD, NEW, SOURCE = wheel("My.Pkg", "1.0"), wheel("My.Pkg", "2.0"), sdist("My.Pkg", "2.0")


@pytest.fixture
def filled(owned: Owned) -> Owned:
    """Return an index with a project."""
    return fill(owned)


@pytest.fixture(scope="module")
def standing(lasting: Owned) -> Owned:
    """Return an index with a project that no test changes."""
    return fill(lasting)


def fill(owned: Owned) -> Owned:
    """Add a project of two versions, the second with two files."""
    for dist in (OLD, NEW, SOURCE):
        assert upload(owned.site, owned.index, dist, owned.auth).status == 200
    return owned


def prod(owned: Owned) -> str:
    """Create a non-volatile index with a file; return its path."""
    index = owned.add_index("prod", volatile=False)
    assert upload(owned.site, index, OLD, owned.auth).status == 200
    return index


def versions(owned: Owned, index: str = "") -> dict[str, int]:
    """Return the number of links of each version of the project."""
    shown = owned.site.request("GET", f"/{index or owned.index}/my-pkg?ignore_bases=", headers=JSON)
    if shown.status == 404:
        return {}
    return {version: len(data.get("+links", ())) for version, data in shown.result.items()}


@pytest.mark.parametrize(
    ("path", "message", "left"),
    [
        ("my-pkg", "project my-pkg deleted from stage {index}", {}),
        ("My_Pkg/", "project my-pkg deleted from stage {index}", {}),
        ("my-pkg/2.0", "project my-pkg version '2.0' deleted", {"1.0": 1}),
        ("MY.PKG/1.0", "project my-pkg version '1.0' deleted", {"2.0": 2}),
        (address(SOURCE), f"package '{{index}}/{address(SOURCE)}' deleted", {"1.0": 1, "2.0": 1}),
        (address(OLD), f"package '{{index}}/{address(OLD)}' deleted", {"2.0": 2}),
    ],
    ids=["project", "other spelling", "version", "version, other spelling", "file", "last file of a version"],
)
def test_deletion(filled: Owned, path: str, message: str, left: dict[str, int]) -> None:
    """Deleting the last file deletes the version, and the last version the project; deleted files answer 410."""
    done = filled.site.request("DELETE", f"/{filled.index}/{path}", auth=filled.auth)

    assert (done.status, done.message) == (200, message.format(index=filled.index))
    assert versions(filled) == left
    statuses = {
        dist.filename: filled.site.request("GET", f"/{filled.index}/{address(dist)}").status
        for dist in (OLD, NEW, SOURCE)
    }
    assert list(statuses.values()).count(200) == sum(left.values())
    assert set(statuses.values()) <= {200, 410}


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("nope", 404, "project not found"),
        ("my-pkg/9.9", 404, "version '9.9' of project my-pkg not found on stage '{index}'"),
        ("nope/1.0", 404, "version '1.0' of project nope not found on stage '{index}'"),
        ("+f/123/4567890123456/x-1.0.tar.gz", 404, "package '{index}/+f/123/4567890123456/x-1.0.tar.gz' doesn't exist"),
        ("+e/nowhere/x-1.0.tar.gz", 404, "package '{index}/+e/nowhere/x-1.0.tar.gz' doesn't exist"),
        ("+nope", 404, "there is nothing at this address"),
        ("%22%27%3Cb%3E", 404, "project not found"),
    ],
)
def test_deleting_something_unknown(standing: Owned, path: str, status: int, message: str) -> None:
    """Each kind has its own message, without a Python representation."""
    refused = standing.site.request("DELETE", f"/{standing.index}/{path}", auth=standing.auth)

    assert (refused.status, refused.message) == (status, message.format(index=standing.index))


def test_a_file_is_deleted_once(filled: Owned) -> None:
    """A file that was deleted before answers 410, not 404."""
    first, again = (
        filled.site.request("DELETE", f"/{filled.index}/{address(OLD)}", auth=filled.auth) for _ in range(2)
    )

    assert (first.status, again.status) == (200, 410)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("my-pkg", "project my-pkg is on non-volatile index {index}"),
        ("my-pkg/1.0", "cannot delete version on non-volatile index"),
        (address(OLD), "cannot delete version on non-volatile index"),
    ],
    ids=["project", "version", "file"],
)
def test_a_non_volatile_index_needs_force(owned: Owned, path: str, sentence: str) -> None:
    """Without ``?force`` nothing is deleted from it."""
    index = prod(owned)

    refused = owned.site.request("DELETE", f"/{index}/{path}", auth=owned.auth)
    assert refused.status == 403
    assert sentence.format(index=index) in refused.message
    assert versions(owned, index) == {"1.0": 1}

    assert owned.site.request("DELETE", f"/{index}/{path}?force=", auth=owned.auth).status == 200
    assert versions(owned, index) == {}


REQUESTS: list[tuple[str, str, Any]] = [
    ("DELETE", "my-pkg", None),
    ("DELETE", "my-pkg/1.0", None),
    ("DELETE", address(OLD), None),
    ("PATCH", "my-pkg", {"status": "archived"}),
    ("PATCH", "my-pkg/1.0", {"yanked": True}),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize(
    ("who", "status"), [("anonymous", 401), ("other", 403), ("owner", 200), ("root", 200), ("listed", 200)]
)
def test_who_may_change_a_project(
    filled: Owned, other: tuple[str, str], method: str, path: str, body: Any, who: str, status: int
) -> None:
    """The owner, root and the users in ``acl_upload`` may; all others get the reason why not."""
    acl = {"acl_upload": [other[0]]} if who == "listed" else {}
    filled.site.request("PATCH", f"/{filled.index}", acl, auth=filled.auth)
    auth = {"anonymous": None, "owner": filled.auth, "root": ("root", "")}.get(who, other)
    before = versions(filled)

    done = filled.site.request(method, f"/{filled.index}/{path}", body, auth=auth)

    assert done.status == status
    assert ("www-authenticate" in done.headers) == (status == 401)
    if status != 200:
        assert versions(filled) == before


@pytest.mark.parametrize("reason", ["", "it is broken", "größer"])
def test_a_yank_and_taking_it_back(filled: Owned, reason: str) -> None:
    """All files of the version, and no others, are marked with the reason until the yank is taken back (PEP 592)."""
    address_of_version = f"/{filled.index}/My_Pkg/2.0"

    done = filled.site.request("PATCH", address_of_version, {"yanked": True, "reason": reason}, auth=filled.auth)
    assert (done.status, done.message) == (200, "project my-pkg version '2.0' yanked")
    yanked = marks(filled)
    assert yanked == {OLD.filename: None, NEW.filename: reason or True, SOURCE.filename: reason or True}

    done = filled.site.request("PATCH", address_of_version, {"yanked": False}, auth=filled.auth)
    assert (done.status, done.message) == (200, "project my-pkg version '2.0' is no longer yanked")
    assert set(marks(filled).values()) == {None}


def marks(owned: Owned) -> dict[str, Any]:
    """Return how the simple page marks each file as yanked."""
    page = owned.site.request("GET", f"/{owned.index}/+simple/my-pkg/", headers=SIMPLE).json
    return {file["filename"]: file.get("yanked") or None for file in page["files"]}


@pytest.mark.parametrize("status", ["active", "archived", "quarantined", "deprecated"])
def test_the_status_of_a_project(filled: Owned, status: str) -> None:
    """The page shows it; archived and quarantined projects take no uploads, quarantined ones list no file (PEP 792)."""
    body = {"status": status, "reason": "because"}
    done = filled.site.request("PATCH", f"/{filled.index}/my-pkg", body, auth=filled.auth)
    page = filled.site.request("GET", f"/{filled.index}/+simple/my-pkg/", headers=SIMPLE).json

    assert (done.status, done.message) == (200, f"project my-pkg is now {status}")
    assert page.get("project-status", {"status": "active"})["status"] == status
    assert len(page["files"]) == (0 if status == "quarantined" else 3)
    refused = upload(filled.site, filled.index, wheel("my-pkg", "3.0"), filled.auth).status
    assert refused == (403 if status in ("archived", "quarantined") else 200)


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("my-pkg/1.0", {}, 400, "'yanked' must be true or false"),
        ("my-pkg/1.0", {"yanked": "yes"}, 400, "'yanked' must be true or false"),
        ("my-pkg/1.0", {"yanked": True, "reason": 5}, 400, "'reason' must be one line of text"),
        ("my-pkg/1.0", {"yanked": True, "reason": "a\nb"}, 400, "'reason' must be one line of text"),
        ("my-pkg/1.0", {"yanked": True, "reason": "x" * 1001}, 400, "'reason' must be one line of text"),
        ("my-pkg/1.0", {"yanked": True, "status": "active"}, 400, "unknown keys: status"),
        ("my-pkg/1.0", [], 400, "must be a JSON object"),
        ("my-pkg/1.0", b"{", 400, "could not decode json"),
        ("my-pkg/9.9", {"yanked": True}, 404, "9.9"),
        ("nope/1.0", {"yanked": True}, 404, "nope"),
        ("my-pkg", {}, 400, "'status' must be one of active, archived, quarantined, deprecated, not None"),
        ("my-pkg", {"status": "gone"}, 400, "'status' must be one of"),
        ("my-pkg", {"status": ["active"]}, 400, "'status' must be one of"),
        ("my-pkg", {"status": "active", "yanked": True}, 400, "unknown keys: yanked"),
        ("nope", {"status": "active"}, 404, "nope"),
    ],
)
def test_wrong_yanks_and_statuses(standing: Owned, path: str, body: Any, status: int, said: str) -> None:
    """A wrong body answers 400 with the key, and changes nothing."""
    refused = standing.site.request("PATCH", f"/{standing.index}/{path}", body, auth=standing.auth)

    assert refused.status == status
    assert said in refused.message
    assert set(marks(standing).values()) == {None}


@pytest.mark.parametrize("path", ["my-pkg", "my-pkg/1.0"])
def test_a_mirror_cannot_be_changed(standing: Owned, path: str) -> None:
    """Projects of a mirror cannot be yanked or get a status: they belong to the upstream."""
    body = {"status": "archived"} if "/" not in path else {"yanked": True}

    refused = standing.site.request("PATCH", f"/root/pypi/{path}", body, auth=("root", ""))

    assert (refused.status, refused.message) == (404, "cannot submit to mirror index")


def send_result(owned: Owned, path: str, body: Any, auth: tuple[str, str] | None = None) -> Response:
    """Upload a test result."""
    return owned.site.request("POST", f"/{owned.index}/{path}", body, auth=auth)


@pytest.mark.parametrize("result", [{"testenvs": {"py311": {"test": []}}}, [], "text", 5, None])
def test_a_result_is_kept_with_its_file(filled: Owned, result: Any) -> None:
    """Any JSON is accepted, and can be downloaded at the address in the answer."""
    body = json.dumps(result).encode()

    done = send_result(filled, address(OLD), body)

    assert (done.status, done.json["type"]) == (200, "toxresultpath")
    path, _, digest = done.result.partition("#sha256=")
    assert path.startswith(f"{filled.index}/{address(OLD)}.toxresult-")
    assert len(digest) == 64
    assert filled.site.request("GET", f"/{path}").content == body
    links = filled.site.request("GET", f"/{filled.index}/my-pkg/1.0", headers=JSON).result["+links"]
    assert [link["rel"] for link in links] == ["releasefile", "toxresult"]


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        (address(OLD), b"{", 400, "could not decode json"),
        (address(OLD), b"", 400, "could not decode json"),
        (address(OLD), b"[" * 100, 400, "decode json"),
        (address(OLD), b"[" * 50 + b"]" * 50, 400, "nested deeper"),
        (address(OLD), b'"' + b"x" * 16_100_000 + b'"', 413, "at most"),
        ("+f/123/4567890123456/x-1.0.tar.gz", {}, 404, ""),
    ],
    ids=["cut", "empty", "open", "deep", "large", "no file"],
)
def test_refused_results(standing: Owned, path: str, body: Any, status: int, said: str) -> None:
    """A result that is not JSON, is too long, or belongs to no file is refused and not stored."""
    refused = send_result(standing, path, body)

    assert refused.status == status
    assert said in refused.message
    assert versions(standing) == {"1.0": 1, "2.0": 2}


@pytest.mark.parametrize(
    ("acl", "who", "status"),
    [
        ([":ANONYMOUS:"], "anonymous", 200),
        ([":AUTHENTICATED:"], "anonymous", 401),
        ([":AUTHENTICATED:"], "other", 200),
        ([], "owner", 403),
        ([], "root", 403),
    ],
)
def test_who_may_upload_results(filled: Owned, other: tuple[str, str], acl: list[str], who: str, status: int) -> None:
    """Only the users in ``acl_toxresult_upload`` may."""
    filled.site.request("PATCH", f"/{filled.index}", {"acl_toxresult_upload": acl}, auth=filled.auth)
    auth = {"anonymous": None, "other": other, "owner": filled.auth, "root": ("root", "")}[who]

    assert send_result(filled, address(OLD), {}, auth).status == status


@pytest.mark.parametrize("project", ["my-pkg", "My.Pkg", "nope"])
def test_a_refresh_leads_to_the_page(standing: Owned, project: str) -> None:
    """A refresh needs no login and no body, and redirects to the project's page."""
    done = standing.site.request("POST", f"/{standing.index}/+simple/{project}/refresh")

    assert done.status == 302
    name = "nope" if project == "nope" else "my-pkg"
    assert done.headers["location"] == f"http://localhost/{standing.index}/+simple/{name}/"


def test_a_refresh_reaches_the_mirrors_below(owned: Owned, upstream: Upstream) -> None:  # noqa: F811
    """A refresh on a hosted index makes its mirrors ask their upstream again before their cache expires."""
    mirror = f"root/{owned.owner}"
    config = {"type": "mirror", "mirror_url": upstream.url}
    assert owned.site.request("PUT", f"/{mirror}", config, auth=("root", "")).status == 200
    child = owned.add_index("child", bases=[mirror])

    def files() -> int:
        return len(owned.site.request("GET", f"/{child}/+simple/my-pkg/", headers=SIMPLE).json["files"])

    upstream.add(OLD)
    assert files() == 1
    upstream.add(NEW)
    assert files() == 1
    assert owned.site.request("POST", f"/{child}/+simple/my-pkg/refresh").status == 302
    assert files() == 2


def test_a_refresh_of_an_unknown_index(standing: Owned) -> None:
    """An index that does not exist answers 404."""
    assert standing.site.request("POST", f"/{standing.owner}/none/+simple/abc/refresh").status == 404
    assert standing.site.request("GET", f"/{standing.index}/+simple/abc/refresh").status == 405
