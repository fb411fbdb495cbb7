"""What all answers have in common: headers, format, and the methods of an address."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
from collections import Counter
from urllib.parse import urlsplit

import pytest
from tests.helpers.sites import Serve

from wheelgate.testing.server_process import ServerProcess
from wheelgate.testing.site import Site

ROOT = ("root", "")

ANSWERS = [
    pytest.param("GET", "/", None, 200, id="listing"),
    pytest.param("GET", "/+api", None, 200, id="api"),
    pytest.param("GET", "/+status", None, 200, id="status"),
    pytest.param("GET", "/+openapi", None, 200, id="openapi"),
    pytest.param("GET", "/root", None, 200, id="user"),
    pytest.param("GET", "/root/pypi", None, 200, id="index"),
    pytest.param("GET", "/nouser", None, 404, id="not found"),
    pytest.param("GET", "/a/b/c/d", None, 404, id="no route"),
    pytest.param("POST", "/root", {}, 405, id="wrong method"),
    pytest.param("BREW", "/root", None, 405, id="unknown method"),
    pytest.param("PUT", "/new", b"no json", 400, id="bad input"),
    pytest.param("DELETE", "/root", None, 401, id="anonymous"),
    pytest.param("PUT", "/root", {}, 409, id="conflict"),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), ANSWERS)
def test_every_answer_has_the_headers_that_clients_look_for(
    shared: Site, method: str, path: str, body: object, status: int
) -> None:
    """Every answer has version, identity and serial, and forbids browsers to guess another type than JSON."""
    answer = shared.request(method, path, body)

    assert answer.status == status
    assert answer.headers["x-devpi-api-version"] == "2"
    assert (
        answer.headers["x-devpi-server-version"] == shared.request("GET", "/+status").result["versioninfo"]["wheelgate"]
    )
    uuid = answer.headers["x-devpi-uuid"]
    assert len(uuid) == 32
    assert int(uuid, 16)
    assert answer.headers["x-devpi-master-uuid"] == answer.headers["x-devpi-primary-uuid"] == uuid
    assert answer.headers["x-devpi-serial"].isdigit()
    assert re.fullmatch("[0-9a-f]{12}", answer.headers["x-request-id"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("method", "path", "body", "status"), ANSWERS)
def test_every_body_is_indented_json(shared: Site, method: str, path: str, body: object, status: int) -> None:
    """Bodies are indented by two spaces and end with a newline; a refusal has a message and nothing else."""
    answer = shared.request(method, path, body)

    assert answer.content.decode() == json.dumps(answer.json, indent=2, ensure_ascii=False) + "\n"
    if status >= 400:
        assert list(answer.json) == ["message"]


@pytest.mark.parametrize("path", ["/", "/+api", "/root", "/root/pypi", "/root/pypi/+api", "/+status", "/nouser"])
def test_head_answers_what_get_does_without_the_body(shared: Site, path: str) -> None:
    """HEAD works wherever GET does, with the same status and length."""
    whole, head = shared.request("GET", path), shared.request("HEAD", path)

    assert head.status == whole.status
    assert head.content == b""
    assert head.headers["content-length"] == whole.headers["content-length"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", {"GET", "HEAD"}),
        ("/+api", {"GET", "HEAD", "POST"}),
        ("/+login", {"POST"}),
        ("/+logout", {"POST"}),
        ("/root", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
        ("/root/pypi", {"GET", "HEAD", "POST", "PUSH", "PUT", "PATCH", "DELETE"}),
        ("/root/pypi/abc", {"GET", "HEAD", "PATCH", "DELETE"}),
        ("/root/pypi/abc/1.0", {"GET", "HEAD", "PATCH", "DELETE"}),
        ("/root/pypi/+f/123/456/abc-1.0.tar.gz", {"GET", "HEAD", "POST", "DELETE"}),
        ("/root/pypi/+simple/abc/refresh", {"POST"}),
    ],
)
@pytest.mark.parametrize("method", ["TRACE", "PURGE", "BREW", "CONNECT"])
def test_other_methods_are_not_allowed(shared: Site, method: str, path: str, allowed: set[str]) -> None:
    """A method that an address does not have, known to HTTP or not, answers 405 with the allowed methods."""
    refused = shared.request(method, path)

    assert (refused.status, refused.message) == (405, f"the method {method} is not allowed here")
    listed = {name.strip() for name in refused.headers["allow"].split(",")}
    assert allowed <= listed <= allowed | {"HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", ["/root", "/root/pypi", "/+api", "/+status", "/root/pypi/+api"])
def test_a_trailing_slash_makes_no_difference(shared: Site, path: str) -> None:
    """``/root/`` answers what ``/root`` does."""
    assert shared.request("GET", f"{path}/").content == shared.request("GET", path).content


@pytest.mark.parametrize("accept", ["application/json", "*/*", "", "text/html", "image/png", "nonsense"])
def test_answers_are_json_whatever_is_accepted(shared: Site, accept: str) -> None:
    """Answers have only one format, so ``Accept`` does not matter."""
    for path, status in (("/root", 200), ("/nouser", 404), ("/a/b/c/d", 404)):
        answer = shared.request("GET", path, headers={"Accept": accept})

        assert (answer.status, answer.headers["content-type"]) == (status, "application/json")


@pytest.mark.parametrize("path", ["/a/b/c/d/e", "/a/b/c/d/e/f", "/+nope", "/root/+nope", "/root/pypi/+nope", "/+api/x"])
def test_an_address_without_anything_is_not_found(shared: Site, path: str) -> None:
    """An address without a route answers 404 with a sentence."""
    missing = shared.request("GET", path)

    assert (missing.status, missing.message) == (404, "there is nothing at this address")


def test_the_serial_counts_changes(site: Site) -> None:
    """A change answers with the new serial, other requests with the present one."""

    def serial(method: str, path: str, body: object = None) -> int:
        return int(site.request(method, path, body, auth=ROOT).headers["x-devpi-serial"])

    first = serial("GET", "/")
    changes = [
        serial("PUT", "/alice", {"password": "correct horse"}),
        serial("PUT", "/alice/dev", {}),
        serial("PATCH", "/alice/dev", ["title=x"]),
        serial("DELETE", "/alice/dev"),
    ]

    assert changes == list(range(first + 1, first + 5))
    assert serial("GET", "/alice") == serial("PUT", "/alice", {}) == serial("GET", "/nouser") == changes[-1]


def test_the_first_answer_has_the_serial_too(serve: Serve) -> None:
    """A server that has just started knows the serial of its database."""
    last = serve().request("PUT", "/alice", {"password": "correct horse"}).headers["x-devpi-serial"]

    assert serve().request("GET", "/+api").headers["x-devpi-serial"] == last != "0"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Content-Length": "-1"}, 400, id="negative length"),
        pytest.param({"Content-Length": "five"}, 400, id="length in words"),
    ],
)
def test_a_header_that_cannot_be_read_is_refused(shared: Site, headers: dict[str, str], status: int) -> None:
    """Errors that Falcon finds are answered in the format of all refusals."""
    refused = shared.request("POST", "/+login", headers=headers)

    assert refused.status == status
    assert list(refused.json) == ["message"]


@pytest.mark.slow
def test_a_real_server_sends_them_too(index_server: ServerProcess) -> None:
    """Every answer of a connection has each header once; a 304 only has its ID, because the client adds the rest."""
    address = urlsplit(index_server.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)

    def common(path: str, **headers: str) -> tuple[int, Counter[str]]:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        names = [name.lower() for name, _ in answer.getheaders()]
        etags.append(answer.getheader("etag", ""))
        return answer.status, Counter(name for name in names if name.startswith("x-"))

    etags: list[str] = []
    index_server.request("PUT", "/header", {"password": "1234"})
    index_server.request("PUT", "/header/dev", {}, auth=index_server.login("header", "1234"))
    expected = Counter(
        [
            f"x-devpi-{name}"
            for name in ("api-version", "server-version", "uuid", "master-uuid", "primary-uuid", "serial")
        ]
        + ["x-content-type-options", "x-request-id"]
    )
    with contextlib.closing(connection):
        assert common("/+api") == (200, expected)
        status, found = common("/root/nothing")
        assert (status, found & expected) == (404, expected)
        assert common("/header/dev/+simple/") == (200, expected)
        assert common("/header/dev/+simple/", **{"If-None-Match": etags[-1]}) == (304, Counter(["x-request-id"]))
        assert common("/+api") == (200, expected)


PATHS = ("/+api", "/+openapi", "/nouser", "/", "/alice", "/alice/dev", "/a/b/c/d/e")


@pytest.mark.parametrize("path", PATHS)
def test_no_worker_is_behind(site: Site, path: str) -> None:
    """After a change that one worker has answered, another one answers no address with an older serial."""
    with Site(site.config.serverdir, database=site.config["database"]) as other:
        other.request("GET", path)
        for number in range(3):
            for method, body in (("PUT", {"password": "correct horse"}), ("PATCH", {"title": f"{number}"})):
                changed = site.request(method, f"/user{number}", body, auth=ROOT)
                serial = int(changed.headers["x-devpi-serial"])
                assert int(other.request("GET", path).headers["x-devpi-serial"]) >= serial
                assert other.request("GET", f"/user{number}").result.get("title") == body.get("title")


@pytest.mark.parametrize("path", PATHS)
def test_the_serial_tells_nothing_about_private_indices(site: Site, path: str) -> None:
    """While an index is private, only root sees that something has changed."""
    alice = site.add_user("alice")
    site.request("PUT", "/alice/dev", {"acl_read": ["alice"]}, auth=alice)
    token = site.request("POST", "/+x/tokens/", {"scopes": ["read"]}, auth=site.login(*ROOT)).result["token"]

    for auth in (None, alice, ("__token__", token)):
        assert "x-devpi-serial" not in site.request("GET", path, auth=auth).headers
    before = int(site.request("GET", "/alice", auth=ROOT).headers["x-devpi-serial"])
    site.request("PATCH", "/alice/dev", ["acl_read-="], auth=alice)
    assert int(site.request("GET", path).headers["x-devpi-serial"]) > before
