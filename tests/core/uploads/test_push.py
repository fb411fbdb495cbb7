"""``PUSH`` copies releases to other indices, of this server and of others."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.core.uploads.conftest import Owned
from tests.helpers.distributions import sdist, wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, encode, submit, upload
from tests.helpers.upstream import Upstream, upstream  # noqa: F401

from wheelgate import Deny, Resource, hookimpl
from wheelgate.testing.site import Response

WHEEL, SDIST = wheel("My.Pkg", "1.0"), sdist("My.Pkg", "1.0")
RELEASE = {"name": "my-pkg", "version": "1.0"}


def docs(owned: Owned) -> Response:
    """Upload the documentation of the release."""
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.html", "hello")
    body, headers = encode(
        [
            (":action", "doc_upload"),
            ("name", "My.Pkg"),
            ("version", "1.0"),
            ("content", ("docs.zip", packed.getvalue(), "application/zip")),
        ]
    )
    return owned.site.request("POST", f"/{owned.index}/", body, auth=owned.auth, headers=headers)


@pytest.fixture
def filled(owned: Owned) -> Owned:
    """Return an index with a release."""
    return fill(owned)


@pytest.fixture(scope="module")
def standing(lasting: Owned) -> Owned:
    """Return an index with a release that no test changes, and an empty one."""
    lasting.add_index("prod")
    return fill(lasting)


def fill(owned: Owned) -> Owned:
    """Add a release of two files, a test result and documentation, and a version without files."""
    done = [upload(owned.site, owned.index, dist, owned.auth) for dist in (WHEEL, SDIST)]
    done.append(owned.site.request("POST", f"/{owned.index}/{address(WHEEL)}", {"passed": True}))
    done.append(docs(owned))
    done.append(submit(owned.site, owned.index, owned.auth, **{":action": "submit"}, name="My.Pkg", version="1.1"))
    assert [each.status for each in done] == [200] * 5, done
    return owned


CURL_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("indent", [None, 2], ids=["in one line", "indented"])
def test_a_push_that_curl_calls_a_form(filled: Owned, indent: int | None) -> None:
    """``curl -d`` calls every body a URL-encoded form; JSON is a push all the same, with the same rights and errors."""
    owned, target = filled, filled.add_index("prod")
    place = f"/{owned.index}/"
    body = f" {json.dumps({**RELEASE, 'targetindex': target}, indent=indent)}\n".encode()

    pushed = owned.site.request("POST", place, body, auth=owned.auth, headers=CURL_HEADERS)
    anonymous = owned.site.request("POST", place, body, headers=CURL_HEADERS)
    cut = owned.site.request("POST", place, body[:-3], auth=owned.auth, headers=CURL_HEADERS)
    long = owned.site.request("POST", place, body + b" " * 1_000_000, auth=owned.auth, headers=CURL_HEADERS)

    assert (pushed.status, pushed.json["type"]) == (200, "actionlog")
    assert (anonymous.status, cut.status, long.status) == (401, 400, 413)
    assert "could not decode json" in cut.message


def outside(url: str, **options: Any) -> dict[str, Any]:
    """Return the body of a push to another server."""
    return {**RELEASE, "posturl": url, "username": "bob", "password": "pässword", **options}


def push(owned: Owned, body: Any, auth: tuple[str, str] | None, method: str = "PUSH") -> Response:
    """Push from the index."""
    return owned.site.request(method, f"/{owned.index}", body, auth=auth)


def files_of(owned: Owned, index: str) -> dict[str, list[str]]:
    """Return the kinds of the links of each version that an index has."""
    shown = owned.site.request("GET", f"/{index}/my-pkg?ignore_bases=", headers={"Accept": "application/json"})
    if shown.status == 404:
        return {}
    return {version: sorted(link["rel"] for link in data.get("+links", ())) for version, data in shown.result.items()}


@pytest.mark.parametrize("method", ["PUSH", "POST"])
@pytest.mark.parametrize(
    ("options", "verbs", "rels"),
    [
        (
            {},
            ["register", "store_releasefile", "store_releasefile", "store_toxresult", "store_doczip"],
            ["doczip", "releasefile", "releasefile", "toxresult"],
        ),
        (
            {"no_docs": True},
            ["register", "store_releasefile", "store_releasefile", "store_toxresult"],
            ["releasefile", "releasefile", "toxresult"],
        ),
        ({"only_docs": True}, ["register", "store_doczip"], ["doczip"]),
    ],
    ids=["all", "no docs", "only docs"],
)
def test_a_release_is_copied_to_another_index(
    filled: Owned, method: str, options: dict[str, bool], verbs: list[str], rels: list[str]
) -> None:
    """The target has files, test results and documentation; their bytes are stored only once."""
    target = filled.add_index("prod")

    pushed = push(filled, {**RELEASE, "targetindex": target, **options}, filled.auth, method)

    assert pushed.status == 200
    assert pushed.json["type"] == "actionlog"
    assert sorted(action[1] for action in pushed.result) == sorted(verbs)
    assert {action[0] for action in pushed.result} == {200}
    assert pushed.result[0] == [200, "register", "My.Pkg", "1.0", "->", target]
    assert files_of(filled, target)["1.0"] == rels
    if "only_docs" not in options:
        assert filled.site.request("GET", f"/{target}/{address(WHEEL)}").content == WHEEL.content


@pytest.mark.parametrize("version", ["1", "1.0.0", "v1.0"])
def test_any_spelling_of_a_version_names_the_release(filled: Owned, version: str) -> None:
    """Versions are compared, not texts (PEP 440): in a push, in the data of a release, in a yank and in a deletion."""
    target = filled.add_index("prod")
    path = f"/{target}/my-pkg/{version}"

    assert push(filled, {"name": "my-pkg", "version": version, "targetindex": target}, filled.auth).status == 200
    assert filled.site.request("GET", path, headers={"Accept": "application/json"}).result["version"] == "1.0"
    assert filled.site.request("PATCH", path, {"yanked": True}, auth=filled.auth).status == 200
    assert filled.site.request("DELETE", path, auth=filled.auth).status == 200


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({**RELEASE, "targetindex": "{prod}", "foo": 1}, 400, "unknown additional options: foo"),
        ({**RELEASE, "targetindex": "{prod}", "posturl": "x"}, 400, "unknown additional options: targetindex"),
        ({**RELEASE, "targetindex": "prod"}, 400, "targetindex not in format user/index"),
        ({**RELEASE, "targetindex": "a/b/c"}, 400, "targetindex not in format user/index"),
        ({**RELEASE, "targetindex": ""}, 400, "targetindex not in format user/index"),
        ({**RELEASE, "targetindex": 5}, 400, "'targetindex' must be given as text"),
        ({**RELEASE}, 400, "'targetindex' must be given as text"),
        ({"version": "1.0", "targetindex": "{prod}"}, 400, "'name' must be given as text"),
        ({"name": "my-pkg", "targetindex": "{prod}"}, 400, "'version' must be given as text"),
        ({**RELEASE, "version": None, "targetindex": "{prod}"}, 400, "'version' must be given as text"),
        ({"name": " ", "version": "1.0", "targetindex": "{prod}"}, 400, "must not be empty"),
        ({**RELEASE, "targetindex": "{prod}", "no_docs": "yes"}, 400, "'no_docs' must be true or false"),
        (
            {**RELEASE, "targetindex": "{prod}", "no_docs": True, "only_docs": True},
            400,
            "can't use 'no_docs' and 'only_docs' together",
        ),
        ([], 400, "must be a JSON object"),
        (b"", 400, "could not decode json"),
        (b"{", 400, "could not decode json"),
        ({**RELEASE, "version": "7.0", "targetindex": "{prod}"}, 400, "there are no files for my-pkg 7.0 on stage"),
        ({**RELEASE, "name": "nope", "targetindex": "{prod}"}, 400, "there are no files for nope 1.0 on stage"),
        ({**RELEASE, "version": "1.1", "targetindex": "{prod}"}, 404, "no release/files found for My.Pkg 1.1"),
        ({**RELEASE, "targetindex": "nobody/dev"}, 404, "The stage nobody/dev could not be found."),
        ({**RELEASE, "targetindex": "root/pypi"}, 404, "cannot submit to mirror index"),
        ({**RELEASE, "posturl": "https://packages.example/", "username": "a"}, 400, "'password' must be given as text"),
        ({**RELEASE, "posturl": 5, "username": "a", "password": "b"}, 400, "'posturl' must be given as text"),
        ({**RELEASE, "posturl": "file:///etc", "username": "a", "password": "b"}, 400, "http:// or https://"),
    ],
    ids=str,
)
def test_refused_pushes(standing: Owned, body: Any, status: int, said: str) -> None:
    """Every refusal has its message, and leaves the target unchanged."""
    target = f"{standing.owner}/prod"
    if isinstance(body, dict):
        body = {key: target if value == "{prod}" else value for key, value in body.items()}

    refused = push(standing, body, standing.auth)

    assert refused.status == status
    assert said in refused.message
    assert files_of(standing, target) == {}


def test_a_push_that_fails_leaves_nothing(filled: Owned) -> None:
    """If the target has a file of that name with other content, nothing of the release is recorded."""
    target = filled.add_index("prod", volatile=False)
    assert upload(filled.site, target, sdist("My.Pkg", "1.0", seed=1), filled.auth).status == 200
    before = filled.site.request("GET", f"/{target}/my-pkg/1.0", headers={"Accept": "application/json"}).result

    refused = push(filled, {**RELEASE, "targetindex": target}, filled.auth)

    assert refused.status == 409
    assert "already exists in non-volatile index" in refused.message
    after = filled.site.request("GET", f"/{target}/my-pkg/1.0", headers={"Accept": "application/json"}).result
    assert after == before


def test_a_release_with_a_lost_file_is_not_pushed(filled: Owned) -> None:
    """A release whose file is missing from the storage is refused."""
    target = filled.add_index("prod")
    kept = filled.site.config.serverdir / "files" / "sha256"
    (lost,) = (path for path in kept.rglob("*") if path.is_file() and WHEEL.sha256.endswith(path.name))
    content = lost.read_bytes()
    lost.unlink()

    refused = push(filled, {**RELEASE, "targetindex": target}, filled.auth)
    lost.write_bytes(content)

    assert refused.status == 409
    assert files_of(filled, target) == {}


def test_a_release_of_an_upstream_is_pushed(owned: Owned, upstream: Upstream) -> None:  # noqa: F811
    """A mirror fetches missing files first, and the copy stays when the upstream is gone."""
    upstream.add(WHEEL)
    mirror = f"root/{owned.owner}"
    config = {"type": "mirror", "mirror_url": upstream.url}
    assert owned.site.request("PUT", f"/{mirror}", config, auth=("root", "")).status == 200

    pushed = owned.site.request("PUSH", f"/{mirror}", {**RELEASE, "targetindex": owned.index}, auth=owned.auth)
    upstream.stop()

    assert (pushed.status, [action[1] for action in pushed.result]) == (200, ["register", "store_releasefile"])
    assert owned.site.request("GET", f"/{owned.index}/{address(WHEEL)}").content == WHEEL.content


class Secretive:
    """A policy: no caller may read indices called secret."""

    @hookimpl
    def wheelgate_check_permission(self, permission: str, resource: Resource) -> Deny | None:
        """Deny."""
        return Deny("it is secret") if (permission, resource.name) == ("index_read", "secret") else None


@pytest.mark.parametrize("body", [{**RELEASE, "targetindex": "alice/dev"}, outside("http://127.0.0.1:9/")], ids=str)
def test_an_unreadable_index_cannot_be_pushed_from(serve: Serve, body: Any) -> None:
    """A push needs the permission to read the source."""
    site = serve(extra={"secretive": Secretive()})
    alice = site.add_user("alice")
    for index in ("secret", "dev"):
        site.request("PUT", f"/alice/{index}", {}, auth=alice)
    upload(site, "alice/secret", WHEEL, alice)

    refused = site.request("PUSH", "/alice/secret", body, auth=alice)

    assert refused.status == 403
    assert "it is secret" in refused.message


def test_files_of_bases_are_not_pushed(filled: Owned) -> None:
    """A push copies only files of the index itself."""
    child = filled.add_index("child", bases=[filled.index])
    target = filled.add_index("prod")

    refused = filled.site.request("PUSH", f"/{child}", {**RELEASE, "targetindex": target}, auth=filled.auth)

    assert (refused.status, refused.message) == (400, f"there are no files for my-pkg 1.0 on stage {child}")


def test_who_may_push(filled: Owned, other: tuple[str, str]) -> None:
    """A push needs only the right to upload to the target: anonymous callers get 401, others without it get 403."""
    target = filled.add_index("prod", acl_upload=[other[0]])
    body = {**RELEASE, "targetindex": target}

    answers = {who: push(filled, body, auth) for who, auth in (("anonymous", None), ("owner", filled.auth))}
    assert {who: answer.status for who, answer in answers.items()} == {"anonymous": 401, "owner": 403}
    assert "www-authenticate" in answers["anonymous"].headers
    assert files_of(filled, target) == {}
    assert push(filled, body, other).status == 200


@dataclass
class Elsewhere:
    """Another server: what it receives, and what it answers."""

    status: int = 200
    phrase: str | None = None
    body: bytes = b""
    media: str = "text/plain"
    only: str = ""
    """The action that gets this answer; all others get 200."""
    forms: list[dict[str, Any]] = field(default_factory=list)
    auth: set[str] = field(default_factory=set)
    paths: list[str] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    """Receives forms."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read the form and answer."""
        elsewhere: Elsewhere = self.server.elsewhere  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts: Any = BytesParser(policy=HTTP).parsebytes(head + body).get_payload()
        form = {name_of(part): value_of(part) for part in parts}
        elsewhere.forms.append(form)
        elsewhere.auth.add(base64.b64decode(self.headers["Authorization"].split()[1]).decode())
        elsewhere.paths.append(self.path)
        bad = not elsewhere.only or form[":action"] == elsewhere.only
        status, answer = (elsewhere.status, elsewhere.body) if bad else (200, b"")
        self.send_response(status, elsewhere.phrase if bad else None)
        self.send_header("Content-Type", elsewhere.media)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def name_of(part: Message) -> str:
    """Return the name of a part."""
    return str(part.get_param("name", header="Content-Disposition"))


def value_of(part: Message) -> Any:
    """Return the text of a part, or the name and the bytes of a file."""
    payload: Any = part.get_payload(decode=True)
    name = part.get_filename()
    return payload.decode() if name is None else (name, payload)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Start another server on loopback."""
    found = Elsewhere()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.elsewhere = found  # type: ignore[attr-defined]
    found.url = f"http://127.0.0.1:{server.server_port}/legacy/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def test_another_server_gets_the_release(standing: Owned, elsewhere: Elsewhere) -> None:
    """Each file is posted as upload tools do it, with digests, metadata, and the login of the request."""
    pushed = push(standing, outside(elsewhere.url, register_project=True), standing.auth)

    assert pushed.status == 200
    assert [action[:2] for action in pushed.result] == [
        [200, "register"],
        [200, "upload"],
        [200, "upload"],
        [200, "docfile"],
    ]
    assert elsewhere.auth == {"bob:pässword"}
    assert [form[":action"] for form in elsewhere.forms] == ["submit", "file_upload", "file_upload", "doc_upload"]
    sent = {form["content"][0]: form for form in elsewhere.forms if form[":action"] == "file_upload"}
    for dist, kind, pyversion in ((WHEEL, "bdist_wheel", "py3"), (SDIST, "sdist", "source")):
        form = sent[dist.filename]
        assert form["content"] == (dist.filename, dist.content)
        assert (form["filetype"], form["pyversion"]) == (kind, pyversion)
        assert form["sha256_digest"] == dist.sha256
        assert (form["name"], form["version"]) == ("My.Pkg", "1.0")
        assert form["metadata_version"]
        assert form["summary"] == "made for a test"


@pytest.mark.parametrize(
    ("answer", "status", "actions"),
    [
        ({"status": 410, "only": "submit"}, 200, [[410, "register"], [200, "upload"]]),
        ({"status": 201}, 200, [[201, "register"], [201, "upload"]]),
        ({"status": 500, "only": "submit"}, 502, [[500, "register"], [200, "upload"]]),
        (
            {"status": 403, "only": "file_upload", "phrase": "denied here"},
            502,
            [[200, "register"], [403, "upload", "denied here"]],
        ),
        (
            {"status": 400, "only": "file_upload", "body": b"File exists\n"},
            502,
            [[200, "register"], [400, "upload", "File exists"]],
        ),
        (
            {"status": 400, "only": "file_upload", "body": b"<html>", "media": "text/html"},
            502,
            [[200, "register"], [400, "upload", "Bad Request"]],
        ),
        (
            {"status": 400, "only": "file_upload", "body": b"a\x1b[31m\r\nb\xff"},
            502,
            [[200, "register"], [400, "upload", "a [31m  b\ufffd"]],
        ),
        (
            {"status": 400, "only": "file_upload", "body": b"x" * 5000},
            502,
            [[200, "register"], [400, "upload", "x" * 1000]],
        ),
        ({"status": 307, "only": "file_upload"}, 502, [[200, "register"], [307, "upload"]]),
    ],
    ids=["no registration", "created", "registration fails", "reason", "text", "html", "junk", "long", "redirect"],
)
def test_answers_of_another_server(
    standing: Owned, elsewhere: Elsewhere, answer: dict[str, Any], status: int, actions: list[list[Any]]
) -> None:
    """Reasons are passed on; a failure answers 502, but not a 410 for a registration; redirects are not followed."""
    for key, value in answer.items():
        setattr(elsewhere, key, value)

    pushed = push(standing, outside(elsewhere.url, register_project=True, no_docs=True), standing.auth)

    assert pushed.status == status
    assert pushed.json["type"] == "actionlog"
    for action, expected in zip(pushed.result, [*actions, actions[-1]], strict=True):
        assert action[:2] == expected[:2]
        assert expected[2:] in ([], action[-1:])
    assert set(elsewhere.paths) == {"/legacy/"}


def test_another_server_that_cannot_be_reached(standing: Owned, elsewhere: Elsewhere) -> None:
    """The push ends at the first failure to connect, with a message."""
    pushed = push(standing, outside("http://127.0.0.1:9/"), standing.auth)

    assert pushed.status == 502
    assert len(pushed.result) == 1
    assert pushed.result[0][:2] == [502, "upload"]
    assert "127.0.0.1" in pushed.result[0][3]


def test_only_users_push_to_other_servers(standing: Owned, elsewhere: Elsewhere) -> None:
    """Anonymous callers cannot make the server send anything."""
    refused = push(standing, outside(elsewhere.url), None)

    assert refused.status == 401
    assert elsewhere.forms == []


def test_a_forbidden_network_gets_nothing(serve: Serve, elsewhere: Elsewhere) -> None:
    """A push does not connect to a network that ``--allow-upstream`` does not allow."""
    site = serve(allow_upstream=["public"])
    alice = site.add_user("alice")
    site.request("PUT", "/alice/dev", {}, auth=alice)
    upload(site, "alice/dev", WHEEL, alice)

    for url in (elsewhere.url, elsewhere.url.replace("127.0.0.1", "localhost")):
        refused = site.request("PUSH", "/alice/dev", outside(url), auth=alice)

        assert refused.status == 403
        assert "--allow-upstream" in refused.message
    assert elsewhere.forms == []


def test_a_version_of_thousands_of_digits_does_not_exist(owned: Owned) -> None:
    """A version with a number that Python does not read is unknown, like any other."""
    pushed = owned.site.request(
        "PUSH", f"/{owned.index}", {**RELEASE, "version": "9" * 5000, "targetindex": owned.index}, auth=owned.auth
    )

    assert (pushed.status, pushed.message[:29]) == (400, "there are no files for my-pkg")
