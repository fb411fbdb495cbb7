"""Files of an upstream: downloaded once, verified, stored, and served while the upstream is down."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import trustme
from tests.helpers import distributions
from tests.helpers.distributions import Distribution
from tests.helpers.simple_pages import SIMPLE_JSON
from tests.helpers.sites import Serve
from tests.helpers.upstream import Fault, Upstream
from tests.plugins.mirror.conftest import ROOT, Mirror

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess
from wheelgate.testing.site import Site

WHEEL = distributions.wheel("abc", "1.0")
SDIST = distributions.sdist("abc", "1.0")


def stored_hashes(mirror: Mirror) -> set[str]:
    """Return the hashes of all stored files."""
    folder: Path = mirror.site.config.serverdir / "files"
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", ["json", "html"])
@pytest.mark.parametrize("dist", [WHEEL, SDIST], ids=["wheel", "sdist"])
@pytest.mark.parametrize("sha256", [None, ""], ids=["with a hash", "without a hash"])
def test_a_file_is_downloaded_once(
    mirror: Mirror, upstream: Upstream, form: Any, dist: Distribution, sha256: str | None
) -> None:
    """The first request passes on the upstream's bytes while it downloads; later ones read the stored file."""
    upstream.form = form
    upstream.add(dist, sha256=sha256)

    first, second = mirror.get(dist), mirror.get(dist)
    upstream.stop()
    third = mirror.get(dist)

    assert [answer.status for answer in (first, second, third)] == [200] * 3
    assert {answer.content for answer in (first, second, third)} == {dist.content}
    assert upstream.count(upstream.file_path(dist)) == 1
    assert third.headers["etag"] == f'"{dist.sha256}"'


@pytest.mark.slow
def test_many_requests_at_once_cause_one_download(tmp_path: Path, upstream: Upstream) -> None:
    """All clients of all workers read from one download, and get its beginning before it ends."""
    big = upstream.add(distributions.wheel("big", "1.0", size=3_000_000))
    gate = Event()
    upstream.faults[upstream.file_path(big)] = Fault(gate=gate, gate_at=2_000_000)
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, workers=2) as server, ThreadPoolExecutor(20) as clients:
        import requests

        begun = [Event() for _ in range(20)]

        def fetch(mine: Event) -> bytes:
            with requests.get(url, stream=True, timeout=60) as response:
                content = response.raw.read(1)
                mine.set()
                return bytes(content + response.raw.read())

        config = {"type": "mirror", "mirror_url": upstream.url}
        requests.put(f"{server.url}root/up", json=config, headers={"X-Devpi-Auth": "cm9vdDo="}, timeout=30)
        page = requests.get(f"{server.url}root/up/+simple/big/", headers={"Accept": SIMPLE_JSON}, timeout=30).json()
        url = f"{server.url}root/up/{page['files'][0]['url'].removeprefix('../../')}"
        answers = [clients.submit(fetch, mine) for mine in begun]
        assert all(mine.wait(60) for mine in begun)
        gate.set()

        assert {hashlib.sha256(answer.result()).hexdigest() for answer in answers} == {big.sha256}

    assert upstream.count(upstream.file_path(big)) == 1


Break = Callable[[Upstream], None]


def fault(**what: Any) -> Break:
    """Return a function that makes the download of the wheel fail."""

    def apply(upstream: Upstream) -> None:
        upstream.faults[upstream.file_path(WHEEL)] = Fault(**what)

    return apply


BAD = {
    "another file": (fault(body=b"x" * len(WHEEL.content)), 502, "its sha256 is wrong"),
    "cut off": (fault(cut=500), 502, "closed the connection"),
    "too short": (fault(body=WHEEL.content[:-1]), 502, "instead of"),
    "too long": (fault(body=WHEEL.content + b"x"), 502, "more than"),
    "endless": (fault(endless=True), 502, "more than"),
    "missing": (fault(status=404), 404, "does not have"),
    "refused": (fault(status=403), 502, "refuses"),
    "broken": (fault(status=500), 502, "status 500"),
    "moved to a closed port": (fault(location="http://127.0.0.1:9/"), 502, "cannot be reached"),
    "moved to a file URL": (fault(location="file:///etc/passwd"), 502, "a malformed URL"),
}


@pytest.mark.parametrize(("break_it", "status", "sentence"), BAD.values(), ids=BAD)
def test_a_file_that_does_not_match_its_page_is_not_stored(
    mirror: Mirror,
    upstream: Upstream,
    break_it: Break,
    status: int,
    sentence: str,
) -> None:
    """A damaged, incomplete or missing file is an error and is not stored; the next download can succeed."""
    upstream.add(WHEEL)
    before = stored_hashes(mirror)
    break_it(upstream)

    answer = mirror.get(WHEEL)

    assert answer.status == status
    assert sentence in answer.message
    assert stored_hashes(mirror) == before
    upstream.faults.clear()
    mirror.refresh("abc")
    assert mirror.get(WHEEL).content == WHEEL.content


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_other_hashes_are_verified_too(mirror: Mirror, upstream: Upstream, right: bool) -> None:
    """A file whose page gives another hash than sha256 is verified with that hash."""
    digest = hashlib.md5(WHEEL.content if right else b"").hexdigest()
    link = f'<a href="/files/{WHEEL.filename}#md5={digest}">{WHEEL.filename}</a>'
    upstream.add(WHEEL)
    upstream.faults["/simple/abc/"] = Fault(body=link.encode(), headers={"Content-Type": "text/html"})

    assert mirror.files("abc")[WHEEL.filename]["hashes"] == {"md5": digest}
    if right:
        assert mirror.get(WHEEL).content == WHEEL.content
    else:
        answer = mirror.get(WHEEL)
        assert answer.status == 502
        assert "its md5 is wrong" in answer.message


def test_a_file_can_be_requested_before_its_page(mirror: Mirror, upstream: Upstream) -> None:
    """An installer with a lock file requests no page; the mirror finds the file by its name."""
    awkward = upstream.add(distributions.sdist("abc-2", "1.0", filename="abc-2-1.0.tar.gz"))
    path = f"/+f/{awkward.sha256[:3]}/{awkward.sha256[3:16]}/{awkward.filename}"

    assert mirror.site.request("GET", mirror.path + path).content == awkward.content
    other = path.replace(awkward.sha256[3:16], "0" * 13)
    assert mirror.site.request("GET", mirror.path + other).status == 404


@pytest.mark.parametrize(
    "path", ["+f/abc/0123456789abc/x", "+f/abc/0123456789abc/x.whl", "+e/https_x/-1.0.tar.gz", "+e/x/_-1.0.zip"]
)
def test_an_address_without_a_project_reaches_no_upstream(mirror: Mirror, upstream: Upstream, path: str) -> None:
    """A file name without a project is 404, without a request to the upstream."""
    assert mirror.site.request("GET", f"{mirror.path}/{path}").status == 404
    assert upstream.count() == 0


def test_files_may_stay_on_the_upstream(mirror: Mirror, upstream: Upstream) -> None:
    """With ``mirror_use_external_urls``, clients are redirected to the upstream for files that are not stored."""
    upstream.add(WHEEL)
    upstream.add(SDIST)
    mirror.get(SDIST)
    mirror.set(mirror_use_external_urls=True)

    away, here = mirror.get(WHEEL), mirror.get(SDIST)

    assert (away.status, away.headers["location"]) == (302, f"{upstream.root}files/{WHEEL.filename}")
    assert here.content == SDIST.content
    assert upstream.count(upstream.file_path(WHEEL)) == 0


def test_metadata_is_downloaded_without_its_file(mirror: Mirror, upstream: Upstream) -> None:
    """The metadata next to a file is downloaded at the first request for it, and stored."""
    upstream.add(WHEEL)
    upstream.add(SDIST)

    first = mirror.get(WHEEL, ".metadata")
    upstream.stop()
    second = mirror.get(WHEEL, ".metadata")

    assert first.content == second.content == WHEEL.metadata
    assert upstream.count(upstream.file_path(WHEEL)) == 0
    assert mirror.get(SDIST, ".metadata").status == 404


@pytest.mark.parametrize(
    ("what", "status"),
    [(Fault(body=b"Name: evil"), 502), (Fault(status=500), 502)],
    ids=["other bytes", "broken"],
)
def test_metadata_is_verified(mirror: Mirror, upstream: Upstream, what: Fault, status: int) -> None:
    """Metadata whose hash is not the one on the page is neither passed on nor stored."""
    upstream.add(WHEEL)
    upstream.faults[f"{upstream.file_path(WHEEL)}.metadata"] = what

    assert mirror.get(WHEEL, ".metadata").status == status

    upstream.faults.clear()
    assert mirror.get(WHEEL, ".metadata").content == WHEEL.metadata


def test_metadata_can_be_left_out(mirror: Mirror, upstream: Upstream) -> None:
    """With ``mirror_provides_core_metadata=no``, pages name no metadata, and its address is 404."""
    upstream.add(WHEEL)
    mirror.set(mirror_provides_core_metadata=False)

    assert "core-metadata" not in mirror.files("abc")[WHEEL.filename]
    assert mirror.get(WHEEL, ".metadata").status == 404


@pytest.mark.parametrize(
    ("what", "status"),
    [(Fault(body=b'{"version": 1}'), 200), (Fault(body=b"<html>"), 502), (Fault(status=500), 502)],
    ids=["JSON", "not JSON", "broken"],
)
def test_provenance_is_passed_on(mirror: Mirror, upstream: Upstream, what: Fault, status: int) -> None:
    """The mirror serves the upstream's provenance of a file."""
    upstream.add(WHEEL, provenance=f"{upstream.root}provenance")
    upstream.add(SDIST)
    upstream.faults["/provenance"] = what

    answer = mirror.get(WHEEL, ".provenance")

    assert answer.status == status
    assert status != 200 or answer.json == {"version": 1}
    assert mirror.get(SDIST, ".provenance").status == 404


def test_credentials_are_for_one_host(shared: Site, fresh: str, upstream: Upstream) -> None:
    """Name and password in ``mirror_url`` are sent to that host only, and shown in no answer."""
    with Upstream() as elsewhere:
        elsewhere.add(SDIST)
        upstream.credentials = ("ci", "sword/fish@ü")
        upstream.add(WHEEL)
        upstream.list_names("xyz")
        url = upstream.url.replace("//", "//ci:sword%2Ffish%40%C3%BC@")
        mirror = Mirror(shared, f"/root/{fresh}", mirror_url=url)
        file = {"filename": "xyz-1.0.tar.gz", "url": f"{elsewhere.root}files/{SDIST.filename}", "hashes": {}}
        body = json.dumps({"name": "xyz", "files": [file]}).encode()
        upstream.faults["/simple/xyz/"] = Fault(body=body, headers={"Content-Type": SIMPLE_JSON})

        pages = [mirror.page("abc"), mirror.page("xyz"), mirror.page(), mirror.get(WHEEL)]
        download = mirror.site.request("GET", mirror.path + mirror.files("xyz")["xyz-1.0.tar.gz"]["url"][5:])

        assert [answer.status for answer in pages] == [200] * 4
        assert download.content == SDIST.content
        login = base64.b64encode("ci:sword/fish@ü".encode()).decode()
        assert {asked.headers.get("authorization") for asked in upstream.asked()} == {f"Basic {login}"}
        assert [asked.headers.get("authorization") for asked in elsewhere.asked()] == [None]
        assert not any(b"fish" in answer.content for answer in pages)

        upstream.faults[upstream.file_path(WHEEL)] = Fault(location=f"{elsewhere.root}files/{SDIST.filename}")
        shared.request("DELETE", mirror.address(WHEEL), auth=ROOT)
        mirror.get(WHEEL)
        assert elsewhere.asked()[-1].headers.get("authorization") is None


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """Start an upstream with https, whose certificate servers that start later trust."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with Upstream(tls=context) as upstream:
        yield upstream


@pytest.mark.parametrize("variable", ["", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_system_s_authorities_are_trusted(
    serve: Serve, secure: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """An upstream with a certificate of the company's authority needs no variable; a variable replaces the system's."""
    authority, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))

    def trust(context: ssl.SSLContext, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH) -> None:
        context.load_verify_locations(authority)

    # The test cannot add to the authorities of the machine, so it stands in for the machine.
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", trust)
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(other))
    secure.add(WHEEL)
    mirror = Mirror(serve(), "/root/up", mirror_url=secure.url)

    assert mirror.page("abc").status == (502 if variable else 200)


@pytest.mark.parametrize("files", ["../../files/", "{http}files/", "{https}files/"], ids=["relative", "http", "https"])
def test_a_login_is_kept_from_http_to_https(serve: Serve, upstream: Upstream, secure: Upstream, files: str) -> None:
    """If the upstream redirects http to https, all requests there have the login: it is the same host."""
    secure.credentials = ("ci", "swordfish")
    secure.files_url = files.format(http=upstream.root, https=secure.root)
    secure.add(WHEEL, provenance=f"{upstream.root}provenance")
    secure.faults["/provenance"] = Fault(body=b"{}")
    paths = [
        "/simple/",
        "/simple/abc/",
        "/provenance",
        upstream.file_path(WHEEL),
        f"{upstream.file_path(WHEEL)}.metadata",
    ]
    upstream.faults |= {path: Fault(status=301, location=secure.root + path[1:]) for path in paths}
    mirror = Mirror(serve(), "/root/up", mirror_url=upstream.url.replace("//", "//ci:swordfish@"))

    assert mirror.names() == ["abc"]
    assert mirror.get(WHEEL, ".metadata").content == WHEEL.metadata
    assert mirror.get(WHEEL, ".provenance").json == {}
    assert mirror.get(WHEEL).content == WHEEL.content


def test_a_login_is_lost_from_https_to_http(serve: Serve, upstream: Upstream, secure: Upstream) -> None:
    """A redirect or link from https to http gets no login, since everyone on the way could read it."""
    secure.credentials = ("ci", "swordfish")
    secure.files_url = f"{upstream.root}files/"
    for offering in (upstream, secure):
        offering.add(WHEEL)
    secure.faults["/simple/xyz/"] = Fault(location=f"{upstream.root}simple/abc/")
    mirror = Mirror(serve(), "/root/up", mirror_url=secure.url.replace("//", "//ci:swordfish@"))

    assert mirror.get(WHEEL).content == WHEEL.content
    mirror.page("xyz")

    assert [asked.headers.get("authorization") for asked in upstream.asked()] == [None, None]


def test_the_answer_names_a_wrong_password(shared: Site, fresh: str, upstream: Upstream) -> None:
    """If the upstream refuses the credentials, the answer is 502 and says that it requires another login."""
    upstream.credentials = ("ci", "swordfish")
    upstream.add(WHEEL)
    mirror = Mirror(shared, f"/root/{fresh}", mirror_url=upstream.url)

    answer = mirror.page("abc")

    assert answer.status == 502
    assert "another login" in answer.message


@pytest.mark.parametrize("what", ["file", "version", "project"])
def test_deleted_files_are_downloaded_again(mirror: Mirror, upstream: Upstream, fresh: str, what: str) -> None:
    """Deleting from a mirror removes the downloaded files; the next request downloads them again."""
    dist = upstream.add(distributions.wheel("abc", "1.0", seed=int(fresh.removeprefix("fresh"))))
    address = mirror.address(dist)
    mirror.get(dist)
    mirror.get(dist, ".metadata")
    path = {"file": address, "version": f"{mirror.path}/abc/1.0", "project": f"{mirror.path}/abc"}[what]
    assert dist.sha256 in stored_hashes(mirror)

    deleted = mirror.site.request("DELETE", path, auth=ROOT)

    assert deleted.status == 200, deleted.content
    assert mirror.site.request("DELETE", path, auth=ROOT).status == 404
    mirror.site.application.sweep()
    assert dist.sha256 not in stored_hashes(mirror)
    assert mirror.get(dist).content == dist.content
    assert upstream.count(upstream.file_path(dist)) == 2


def test_a_damaged_file_is_downloaded_again(mirror: Mirror, upstream: Upstream, fresh: str) -> None:
    """A file that ``devpi-server fsck --repair`` finds damaged is downloaded once more at the next request."""
    dist = upstream.add(distributions.wheel("abc", "1.0", seed=int(fresh.removeprefix("fresh"))))
    mirror.get(dist)
    (stored,) = (
        path
        for path in (mirror.site.config.serverdir / "files").rglob("*")
        if path.is_file() and path.read_bytes() == dist.content
    )
    stored.write_bytes(b"damaged")

    check = mirror.site.application.files.check(hashes=True, repair=True, grace=0)
    found = [finding.subject for finding in check.findings()]

    assert mirror.address(dist).strip("/") in found
    assert mirror.get(dist).content == dist.content
    assert upstream.count(upstream.file_path(dist)) == 2


def test_a_file_that_arrives_too_late_is_not_stored(mirror: Mirror, upstream: Upstream, fresh: str) -> None:
    """A download that ends after the deletion of its index leaves no file."""
    dist = upstream.add(distributions.wheel("abc", "1.0", seed=int(fresh.removeprefix("fresh"))))
    address, gate = mirror.address(dist), Event()
    upstream.faults[upstream.file_path(dist)] = Fault(gate=gate, gate_at=100)

    assert mirror.site.request("HEAD", address).status == 200
    assert mirror.site.request("DELETE", mirror.path, auth=ROOT).status == 201
    gate.set()
    for thread in threading.enumerate():
        if thread.name == "download":
            thread.join(60)

    mirror.site.application.sweep()
    assert dist.sha256 not in stored_hashes(mirror)


def test_a_release_can_be_pushed(mirror: Mirror, fresh: str, upstream: Upstream) -> None:
    """A push from a mirror downloads missing files; the target then serves them without the upstream."""
    upstream.add(WHEEL)
    upstream.add(SDIST)
    mirror.get(SDIST)
    site, own = mirror.site, f"root/{fresh}-own"
    site.request("PUT", f"/{own}", {"acl_upload": ["root"]}, auth=ROOT)

    pushed = site.request("POST", mirror.path, {"name": "abc", "version": "1.0", "targetindex": own}, auth=ROOT)

    assert pushed.status == 200, pushed.content
    upstream.stop()
    page = site.request("GET", f"/{own}/+simple/abc/", headers={"Accept": SIMPLE_JSON}).json
    assert {entry["filename"] for entry in page["files"]} == {WHEEL.filename, SDIST.filename}
    assert site.request("GET", f"/{own}/{page['files'][1]['url'][6:]}").status == 200
    absent = site.request("POST", mirror.path, {"name": "abc", "version": "2.0", "targetindex": own}, auth=ROOT)
    assert absent.status == 400


def test_quarantine_holds_files_back(mirror: Mirror, upstream: Upstream) -> None:
    """If the upstream quarantines a project, its page has no files, and downloaded files are held back."""
    upstream.add(WHEEL)
    upstream.add(SDIST)
    addresses = [mirror.address(WHEEL), mirror.address(SDIST)]
    mirror.get(WHEEL)
    upstream.status["abc"] = ("quarantined", "malware")

    page = mirror.page("abc").json

    assert (page["files"], page["project-status"]["status"]) == ([], "quarantined")
    answers = [mirror.site.request("GET", address) for address in addresses]
    assert [answer.status for answer in answers] == [403, 403]
    assert "quarantine" in answers[0].message


def test_a_name_with_many_hyphens_asks_the_upstream_for_few_projects(mirror: Mirror, upstream: Upstream) -> None:
    """To describe a file, the mirror asks its upstream for 20 of the names that its project may have, not for all."""
    name = "-".join("a" * 100)

    refused = mirror.site.request(
        "GET", f"{mirror.path}/+f/abc/0123456789abc/{name}.zip", headers={"Accept": "application/json"}
    )

    assert (refused.status, upstream.count()) == (404, 20)


@pytest.mark.parametrize("name", ["-".join("a" * 60), "x-2-y-3-z"], ids=["many hyphens", "digits"])
def test_files_of_names_with_hyphens_are_described(mirror: Mirror, upstream: Upstream, name: str) -> None:
    """A file is found although its project's name has many hyphens, because a digit follows only the last one."""
    dist = upstream.add(distributions.sdist(name, "1.0"))

    found = mirror.site.request("GET", mirror.address(dist), headers={"Accept": "application/json"})

    assert (found.status, found.result["project"]) == (200, name)
