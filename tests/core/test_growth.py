"""The work for a request grows with its size, not with the square of it: inputs of 1, 10 and 100 times the size."""

from __future__ import annotations

import base64
import io
import json
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import FrameType
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.helpers.distributions import Distribution, core_metadata, sdist, wheel
from tests.helpers.hostile_archives import GOOD_SDIST, METADATA, tarred
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import encode, file_fields

from wheelgate import User
from wheelgate.packages import read_core_metadata
from wheelgate.testing.site import Response, Site
from wheelgate_mirror.page_parsing import parse_html_page, parse_json_page
from wheelgate_mirror.project_list import parse_html_list, parse_json_list

SMALL = 20
"""Parts of the smallest input."""
SIZES = [SMALL, pytest.param(10 * SMALL, marks=pytest.mark.slow)]
"""Parts of the inputs that are compared with inputs of ten times the parts."""
MAX_GROWTH = 15
"""How many times the steps ten times the parts may take; if work grew with the square, it would be 100."""
ROOT = ("root", "")


class StepCounter:
    """Counts the lines that this thread runs while the counter is on, and those of all threads started under it."""

    def __init__(self) -> None:
        self.steps = 0

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Count a call, a line or a return."""
        self.steps += 1
        return self.trace

    def count(self, action: Callable[[], Any]) -> tuple[int, Any]:
        """Run an action; return its steps and its result."""
        before, others = self.steps, sys.gettrace()
        sys.settrace(self.trace)
        try:
            result = action()
        finally:
            sys.settrace(others)
        return self.steps - before, result


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the size that the table asks for."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def upload(dist: Distribution, *more: tuple[str, Any], index: str = "root/grown") -> Request:
    """Return an upload with further fields in its form."""
    body, headers = encode([*more, *file_fields(dist)])
    return Request("POST", f"/{index}/", body, headers)


def described(lines: str) -> Request:
    """Return the upload of a wheel with further metadata."""
    return upload(wheel("demo", metadata=core_metadata("demo", "1.0", more=lines.splitlines())))


def pax_sdist(entries: int, records: int = 0, shared: int = 0) -> Distribution:
    """Make an sdist of empty files, with records in the extended header of one of them and in the global one."""
    buffer = io.BytesIO()
    pax_headers = {f"k{number}": "v" for number in range(shared)}
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT, pax_headers=pax_headers) as archive:
        for number in range(entries):
            entry = tarfile.TarInfo(f"demo-1.0/{number}")
            entry.pax_headers = {f"x{record}": "v" for record in range(records or 1)}
            archive.addfile(entry)
            records = 0
        info = tarfile.TarInfo("demo-1.0/PKG-INFO")
        info.size = len(METADATA)
        archive.addfile(info, io.BytesIO(METADATA))
    return replace(GOOD_SDIST, content=buffer.getvalue())


def links(count: int) -> Distribution:
    """Make an sdist with links, each to the one before it."""
    return sdist("demo", links={f"demo-1.0/l{number}": f"l{number - 1}" for number in range(1, count + 1)})


def numbered(template: str, count: int, separator: str = "\n") -> str:
    """Repeat a text with its number in place of ``#``."""
    return separator.join(template.replace("#", str(number)) for number in range(count))


def attested(count: int) -> Request:
    """Return an upload whose attestation has many entries."""
    attestation = {
        "version": 1,
        "verification_material": {"transparency_entries": [{"a": number} for number in range(count)]},
        "envelope": {"statement": "e30=", "signature": "MEU="},
    }
    return upload(wheel("demo"), ("attestations", json.dumps([attestation])))


def basic(text: str) -> dict[str, str]:
    """Return the header of Basic authentication."""
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def patch(path: str, body: Any) -> Request:
    """Return a change of an index or a group."""
    return Request("PATCH", path, body)


GROUP = "/+x/groups/grown"
NESTED = "Content-Type: multipart/mixed; boundary=b#\n\n--b#"
REQUESTS: dict[str, Callable[[int], Request]] = {
    "unknown headers": lambda n: described(numbered("X-#: a", n)),
    "one header often": lambda n: described(numbered("X: a", n)),
    "requirements": lambda n: described(numbered("Requires-Dist: p#>=#", n)),
    "classifiers": lambda n: described(numbered("Classifier: c#", n)),
    "project URLs": lambda n: described(numbered("Project-URL: l#, https://demo.example/#", n)),
    "folded header": lambda n: described("Author: a\n" + numbered("  b#", n)),
    "keywords": lambda n: described("Keywords: " + numbered("k#", n, ",")),
    "metadata in parts": lambda n: described(numbered(NESTED, n)),
    "encoded words": lambda n: described("Author: " + numbered("=?utf-8?q?=C3=B6?=", n, " ")),
    "description": lambda n: described("\n" + numbered("line #", n)),
    "specifiers": lambda n: described("Requires-Python: " + numbered(">=2.#", n, ",")),
    "version": lambda n: described("Requires-Python: >=1" + numbered(".#", n, "")),
    "entries of a zip": lambda n: upload(wheel("demo", more={f"demo/{number}.py": b"" for number in range(n)})),
    "folders of an entry": lambda n: upload(wheel("demo", more={"d/" * n + "x": b""})),
    "entries of a tar": lambda n: upload(pax_sdist(n)),
    "records of an extended header": lambda n: upload(pax_sdist(1, records=n)),
    "records of a global header": lambda n: upload(pax_sdist(n, shared=n)),
    "links of a tar": lambda n: upload(links(n)),
    "long names in a tar": lambda n: upload(tarred([tarfile.TarInfo("demo-1.0/" + "d/" * n)])),
    "values of a field": lambda n: upload(wheel("demo"), *[("classifiers", f"c{number}") for number in range(n)]),
    "fields of a form": lambda n: upload(wheel("demo"), *[(f"f{number}", "v") for number in range(n)]),
    "parts without use": lambda n: upload(wheel("demo"), *[("gpg_signature", ("a", b"b", "x/y"))] * n),
    "lines of a field": lambda n: upload(wheel("demo"), ("description", numbered("line #", n))),
    "boundaries that are none": lambda n: upload(wheel("demo"), ("description", "\r\n--------" * n)),
    "URL-encoded fields": lambda n: Request(
        "POST",
        "/root/grown/",
        urlencode([(":action", "submit"), ("name", "demo"), ("version", "1.0"), *[("platform", "p")] * n]).encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "parameters of a Content-Type": lambda n: Request(
        "POST", "/root/grown/", b"", {"Content-Type": 'multipart/form-data; a="' + "; " * n + '"'}
    ),
    "name of a project": lambda n: upload(replace(wheel("demo"), name="a-" * n + "b")),
    "name of a file": lambda n: upload(replace(sdist("demo"), filename="demo" + "-1" * n + ".tar.gz")),
    "tags of a wheel": lambda n: upload(wheel("demo", tag=numbered("py#", n, ".") + "-none-any")),
    "version in the form": lambda n: upload(replace(wheel("demo"), version="1" + ".0" * n)),
    "attestations": attested,
    "operations that add": lambda n: patch("/root/grown", [f"mirror_whitelist+=p{number}" for number in range(n)]),
    "operations that add and remove": lambda n: patch(
        "/root/grown", [f"mirror_whitelist{sign}=q{number}" for number in range(n) for sign in "+-"]
    ),
    "operations that set": lambda n: patch("/root/grown", [f"title=t{number}" for number in range(n)]),
    "whitelist": lambda n: patch("/root/grown", {"mirror_whitelist": [f"p{number}" for number in range(n)]}),
    "access list": lambda n: patch("/root/grown", {"acl_upload": [f":g{number}" for number in range(n)]}),
    "bases": lambda n: patch("/root/grown", {"bases": ["root/pypi"] * n}),
    "unknown bases": lambda n: patch("/root/grown", {"bases": [f"root/b{number}" for number in range(n)]}),
    "unknown keys": lambda n: patch("/root/grown", {f"key{number}": "v" for number in range(n)}),
    "custom data": lambda n: patch("/root/grown", {"custom_data": [{"a": number} for number in range(n)]}),
    "depth of JSON": lambda n: patch("/root/grown", b"[" * n),
    "members": lambda n: patch(GROUP, ["members=" + "root," * n]),
    "members added": lambda n: patch(GROUP, ["members+=root"] * n),
    "members removed": lambda n: patch(GROUP, [f"members{sign}={numbered('u#', n, ',')}" for sign in "+-"]),
    "login": lambda n: Request("POST", "/+login", {"user": "root", "password": "x" * n, "more": ["y"] * n}),
    "push": lambda n: Request("PUSH", "/root/grown", {"name": "demo", "version": "1.0", "targetindex": "a/" * n}),
    "scopes of a token": lambda n: Request("POST", "/+x/tokens/", {"scopes": ["read"] * n}),
    "Accept": lambda n: Request("GET", "/root/grown/+simple/", None, {"Accept": numbered("a/b#;q=0.5", n, ",")}),
    "Accept-Encoding": lambda n: Request(
        "GET", "/root/grown/+simple/", None, {"Accept-Encoding": numbered("c#;q=0.1", n, ",")}
    ),
    "If-None-Match": lambda n: Request(
        "GET", "/root/grown/+simple/", None, {"If-None-Match": numbered('W/"#"', n, ",")}
    ),
    "Cookie": lambda n: Request("GET", "/", None, {"Cookie": numbered("c#=v", n, "; ")}),
    "Range": lambda n: Request("GET", "/root/grown/+simple/", None, {"Range": "bytes=" + numbered("#-", n, ",")}),
    "X-Forwarded-For": lambda n: Request("GET", "/", None, {"X-Forwarded-For": numbered("127.0.0.1", n, ",")}),
    "Basic": lambda n: Request("GET", "/", None, basic("root" + ":" * n)),
    "Basic with a token": lambda n: Request("GET", "/", None, basic("x:wgt_" + "a" * 12 + ".b" * n)),
    "query": lambda n: Request("GET", "/root/grown?" + numbered("a#=b", n, "&")),
    "path": lambda n: Request("GET", "/root/grown" + "/a" * n),
}  # fmt: skip
"""By the part of a request: a function that makes a request with that many of them."""

PAGE = "https://upstream.example/simple/demo/"


def links_page(count: int, body: str = "") -> bytes:
    """Return an HTML page with links."""
    return f"<html><body>{numbered('<a href=demo-1.#.tar.gz>demo-1.#.tar.gz</a>', count)}{body}".encode()


PAGES: dict[str, Callable[[int], Any]] = {
    "files in JSON": lambda n: parse_json_page(
        "demo",
        json.dumps(
            {"files": [{"filename": f"demo-1.{i}.tar.gz", "url": f"{i}", "hashes": {}} for i in range(n)]}
        ).encode(),
        PAGE,
    ),
    "links in HTML": lambda n: parse_html_page("demo", links_page(n), PAGE, None),
    "open tags in HTML": lambda n: parse_html_page("demo", links_page(1, "<a " * n), PAGE, None),
    "comments in HTML": lambda n: parse_html_page("demo", links_page(1, "<!--" * n), PAGE, None),
    "declarations in HTML": lambda n: parse_html_page("demo", links_page(1, "<![CDATA[" * n), PAGE, None),
    "attributes in HTML": lambda n: parse_html_page("demo", links_page(1, f"<a {numbered('b#=c', n)}>"), PAGE, None),
    "fields of metadata": lambda n: read_core_metadata(numbered("X-#: a", n).encode()),
    "projects in JSON": lambda n: list(
        parse_json_list(json.dumps({"projects": [{"name": f"p{i}"} for i in range(n)]}).encode())
    ),
    "projects in HTML": lambda n: list(
        parse_html_list(numbered("<a href=p#/>p#</a>", n).encode(), "https://upstream.example/simple/", None)
    ),
}
"""By the part of an upstream's answer: a function that parses an answer with that many of them."""


@pytest.fixture(scope="module")
def counter() -> Iterator[StepCounter]:
    """Return a counter of steps, also in the threads that start from now on."""
    counter, before = StepCounter(), threading.gettrace()
    threading.settrace(counter.trace)
    yield counter
    threading.settrace(before)


@pytest.fixture(scope="module")
def site(counter: StepCounter, serve_shared: Serve) -> Site:
    """Return a server with an index and a group, whose threads the counter counts."""
    site = serve_shared()
    assert site.request("PUT", "/root/grown", {}, auth=ROOT).status == 200
    assert site.request("PUT", GROUP, {}, auth=ROOT).status == 201
    with site.server.database.transaction():  # a request for each would take longer than all the rest
        for number in range(SMALL * 10):
            site.server.users.create(User(f"u{number}", "stamp", datetime.now(UTC)), None)
    return site


def assert_linear(counter: StepCounter, action: Callable[[int], Callable[[], Any]], size: int) -> list[Any]:
    """Run an action for a size and for ten times the size, and compare its steps; return the results."""
    action(size)()  # imports what is only needed now, and fills caches
    (small, first), (large, second) = (counter.count(action(parts)) for parts in (size, 10 * size))

    assert large <= MAX_GROWTH * small
    return [first, second]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", REQUESTS.values(), ids=REQUESTS)
def test_requests_take_steps_in_proportion_to_their_size(
    site: Site, counter: StepCounter, make: Callable[[int], Request], size: int
) -> None:
    """The server takes about ten times the steps for ten times as many parts, or refuses so many."""

    def send(parts: int) -> Callable[[], Response]:
        request = make(parts)
        auth = None if "Authorization" in request.headers else ROOT
        return lambda: site.request(request.method, request.path, request.body, auth=auth, headers=request.headers)

    answers = assert_linear(counter, send, size)

    assert [answer.status for answer in answers if answer.status >= 500] == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("parse", PAGES.values(), ids=PAGES)
def test_pages_of_upstreams_take_steps_in_proportion_to_their_size(
    counter: StepCounter, parse: Callable[[int], Any], size: int
) -> None:
    """The mirror takes about ten times the steps for a page with ten times as many parts."""
    assert_linear(counter, lambda parts: lambda: parse(parts), size)


@pytest.mark.slow
def test_pages_take_steps_in_proportion_to_the_versions(site: Site, counter: StepCounter) -> None:
    """Pages of a project with ten times as many versions, each with a file, take about ten times the steps."""
    site.request("PUT", "/root/versions", {}, auth=ROOT)
    for count in (5, 50, 500):
        for number in range(count):
            sent = upload(wheel(f"p{count}", f"1.{number}"), index="root/versions")
            assert site.request(sent.method, sent.path, sent.body, auth=ROOT, headers=sent.headers).status == 200
    addresses = [
        "/root/versions/+simple/{}/",
        "/root/versions/{}",
        "/root/versions/pypi/{}/json",
        "/root/versions/+why/{}",
    ]
    for address in addresses:

        def get(count: int, address: str = address) -> Response:
            return site.request("GET", address.format(f"p{count}"), headers={"Accept": "application/json"})

        steps = [counter.count(lambda count=count: get(count))[0] for count in (5, 5, 50, 500)]  # type: ignore[misc]

        assert steps[2] <= MAX_GROWTH * steps[1], address
        assert steps[3] <= MAX_GROWTH * steps[2], address
