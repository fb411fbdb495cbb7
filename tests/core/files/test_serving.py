"""The answer to a request for a file."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.file_index import ShelfSite

from wheelgate.errors import BadUpstream, Forbidden, Gone, Refusal, UpstreamTimeout
from wheelgate.packages import File, IncomingFile, Project, Redirect, StoredFile

PLACE = "+f/abc/0123456789def/"
WHEEL = f"{PLACE}abc-1.0-py3-none-any.whl"
CONTENT = b"0123456789"
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'
LARGE = bytes(range(256)) * 10_000  # 2.56 MB: three chunks


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShelfSite]:
    """Return a server with two files; no test may change them."""
    with ShelfSite(tmp_path_factory.mktemp("laid") / "server") as site:
        site.shelf.lay(WHEEL, CONTENT)
        site.shelf.lay(f"{PLACE}large.zip", LARGE)
        yield site


def test_a_file_comes_whole_and_may_be_kept_for_good(laid: ShelfSite) -> None:
    """A file has the headers that a cache and a resuming client need: length, ETag, date, immutable."""
    answer = laid.get(WHEEL)

    assert (answer.status, answer.content) == (200, CONTENT)
    assert answer.headers["content-length"] == "10"
    assert answer.headers["etag"] == ETAG
    assert answer.headers["last-modified"].endswith(" GMT")
    assert answer.headers["cache-control"] == "max-age=365000000, immutable, public"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_large_file_comes_whole_the_first_time_and_the_second(laid: ShelfSite) -> None:
    """A file of several chunks arrives unchanged, both the first time, while it is verified, and later."""
    for _ in range(2):
        assert laid.get(f"{PLACE}large.zip").content == LARGE


@pytest.mark.parametrize("path", [WHEEL, f"{PLACE}large.zip"], ids=["small", "large"])
def test_head_says_what_get_would(laid: ShelfSite, path: str) -> None:
    """HEAD has the headers of GET and no body."""
    whole, head = laid.get(path), laid.get(path, "HEAD")

    def said(headers: object) -> dict[str, str]:
        return {name: value for name, value in dict(headers).items() if name not in ("x-devpi-serial", "x-request-id")}  # type: ignore[call-overload]

    assert (head.status, head.content) == (200, b"")
    assert said(head.headers) == said(whole.headers)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"If_None_Match": ETAG}, 304, id="tag"),
        pytest.param({"If_None_Match": f'"other", W/{ETAG}'}, 304, id="tag-among-others-weak"),
        pytest.param({"If_None_Match": "*"}, 304, id="any-tag"),
        pytest.param({"If_None_Match": '"other"'}, 200, id="other-tag"),
        pytest.param({"If_Modified_Since": "Fri, 31 Dec 2199 23:59:59 GMT"}, 304, id="not-since"),
        pytest.param({"If_Modified_Since": "Fri, 31 Dec 1999 23:59:59 GMT"}, 200, id="since"),
        pytest.param({"If_Modified_Since": "yesterday"}, 200, id="no-date"),
        pytest.param(
            {"If_None_Match": '"other"', "If_Modified_Since": "Fri, 31 Dec 2199 23:59:59 GMT"},
            200,
            id="tag-before-date",
        ),
    ],
)
def test_who_has_the_file_is_told_so(laid: ShelfSite, headers: dict[str, str], status: int) -> None:
    """The ETag decides, and the date only if there is no ETag (RFC 9110, section 13.2.2)."""
    answer = laid.get(WHEEL, **headers)

    assert (answer.status, answer.content) == (status, CONTENT if status == 200 else b"")
    assert answer.headers["etag"] == ETAG


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        pytest.param("bytes=0-3", 206, (0, 4), id="beginning"),
        pytest.param("bytes=4-", 206, (4, 10), id="rest"),
        pytest.param("bytes=-3", 206, (7, 10), id="last"),
        pytest.param("bytes=-99", 206, (0, 10), id="more-than-all"),
        pytest.param("bytes=8-99", 206, (8, 10), id="over-the-end"),
        pytest.param("Bytes=9-9", 206, (9, 10), id="one-byte"),
        pytest.param("bytes=10-", 416, None, id="behind-the-end"),
        pytest.param("bytes=-0", 416, None, id="nothing"),
        pytest.param("bytes=0-1,4-5", 200, None, id="several"),
        pytest.param("bytes=4-3", 200, None, id="backwards"),
        pytest.param("items=0-3", 200, None, id="other-unit"),
        pytest.param("bytes=-", 200, None, id="no-number"),
        pytest.param("bytes=\xb2-", 200, None, id="other-digits"),
    ],
)
def test_a_part_of_a_file(laid: ShelfSite, asked: str, status: int, part: tuple[int, int] | None) -> None:
    """A single range is sent alone; a malformed one gets the complete file, as RFC 9110 demands."""
    answer = laid.get(WHEEL, Range=asked)

    assert answer.status == status
    if part is not None:
        assert answer.content == CONTENT[slice(*part)]
        assert answer.headers["content-range"] == f"bytes {part[0]}-{part[1] - 1}/10"
    elif status == 200:
        assert answer.content == CONTENT
    else:
        assert answer.headers["content-range"] == "bytes */10"
        assert "10 bytes" in answer.message


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        pytest.param(ETAG, 206, id="this-file"),
        pytest.param('"other"', 200, id="other-file"),
        pytest.param(f"W/{ETAG}", 200, id="weak"),
        pytest.param("Fri, 31 Dec 1999 23:59:59 GMT", 200, id="other-date"),
        pytest.param("", 206, id="last-modified"),
    ],
)
def test_a_part_of_the_file_that_is_meant(laid: ShelfSite, condition: str, status: int) -> None:
    """With If-Range, a resuming client gets the complete file if its part is from another version."""
    condition = condition or laid.get(WHEEL).headers["last-modified"]

    assert laid.get(WHEEL, Range="bytes=2-3", If_Range=condition).status == status


def test_a_part_of_a_large_file_over_its_chunks(laid: ShelfSite) -> None:
    """A range that is larger than a chunk arrives unchanged."""
    answer = laid.get(f"{PLACE}large.zip", Range="bytes=100-2000000")

    assert (answer.status, answer.content) == (206, LARGE[100:2_000_001])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("abc-1.0-py3-none-any.whl", "application/octet-stream"),
        ("abc-1.0.tar.gz", "application/x-tar"),
        ("abc-1.0.doc.ZIP", "application/zip"),
        ("abc.html", "application/octet-stream"),
        ("abc.svg", "application/octet-stream"),
        ("abc.xml", "application/octet-stream"),
        ("abc.js", "application/octet-stream"),
        ("abc", "application/octet-stream"),
    ],
)
def test_no_file_is_sent_as_something_that_a_browser_runs(shelved: ShelfSite, name: str, expected: str) -> None:
    """The content type depends on the name, and no browser runs it."""
    shelved.shelf.lay(f"{PLACE}{name}", b"<script>")

    assert shelved.get(f"{PLACE}{name}").headers["content-type"] == expected


@pytest.mark.parametrize(
    ("found", "status"),
    [
        pytest.param(Gone("it was removed"), 410, id="removed"),
        pytest.param(Forbidden("it is too young"), 403, id="held-back"),
        pytest.param(BadUpstream("it says nonsense"), 502, id="bad-upstream"),
        pytest.param(UpstreamTimeout("it says nothing"), 504, id="silent-upstream"),
    ],
)
def test_a_file_that_is_not_served(shelved: ShelfSite, found: Refusal, status: int) -> None:
    """A refusal of the index's plugin becomes a status and a message."""
    shelved.shelf.lying[WHEEL] = found

    answer = shelved.get(WHEEL)

    assert (answer.status, answer.message) == (status, found.message)


@pytest.mark.parametrize(
    "path",
    [
        "/root/shelf/+f/abc/0123456789def/unknown.whl",
        "/root/shelf/+e/folder/unknown.whl",
        "/root/none/+f/abc/0123456789def/abc.whl",
        "/root/shelf/+f/abc/0123456789def/a%00b.whl",
        "/root/shelf/+f/abc/0123456789def/..%2f..%2fwheelgate.db",
    ],
    ids=["file", "external", "index", "control-character", "upwards"],
)
def test_what_is_not_there(laid: ShelfSite, path: str) -> None:
    """Unknown files and indices, and impossible names, are 404."""
    assert laid.request("GET", path).status == 404


def test_a_file_that_the_client_fetches_itself(shelved: ShelfSite) -> None:
    """If the plugin returns a redirect, the client is sent to the upstream."""
    shelved.shelf.lying[WHEEL] = Redirect("https://files.example/abc.whl")

    answer = shelved.get(WHEEL)

    assert (answer.status, answer.headers["location"]) == (302, "https://files.example/abc.whl")


@pytest.mark.parametrize("suffix", ["", ".metadata", ".provenance"], ids=["file", "metadata", "provenance"])
def test_who_may_not_read_the_index_gets_no_file(shelved: ShelfSite, suffix: str) -> None:
    """Files, their metadata and their provenance need the permission to read the index."""
    shelved.shelf.lay(WHEEL, CONTENT)
    shelved.shelf.siblings[WHEEL] = b"Name: abc"
    assert shelved.get(WHEEL + suffix).status == 200
    shelved.shelf.closed_to = frozenset({None})

    assert shelved.get(WHEEL + suffix).status == 401


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [(".metadata", "text/plain; charset=utf-8"), (".provenance", "application/vnd.pypi.integrity.v1+json")],
)
def test_a_sibling(shelved: ShelfSite, suffix: str, expected: str) -> None:
    """Metadata and provenance have addresses beside their file, and ETags of their own."""
    shelved.shelf.siblings[WHEEL] = b"Name: abc"

    answer = shelved.get(WHEEL + suffix)
    again = shelved.get(WHEEL + suffix, If_None_Match=answer.headers["etag"])

    assert (answer.status, answer.content, answer.headers["content-type"]) == (200, b"Name: abc", expected)
    assert (again.status, again.content) == (304, b"")
    assert shelved.get(f"{PLACE}other.whl{suffix}").status == 404


def test_who_asks_for_json_is_told_about_the_file(shelved: ShelfSite) -> None:
    """``Accept: application/json`` returns project, version and hashes instead of the bytes."""
    path = f"{PLACE}my_abc-1.0-py3-none-any.whl"
    file = File("my_abc-1.0-py3-none-any.whl", "1.0", path, {"sha256": "00ff"}, upload_time="2026-01-31T12:00:00Z")
    shelved.shelf.known["my-abc"] = Project("my-abc", (file,), ("1.0",))

    answer = shelved.get(path, Accept="application/json")

    assert answer.status == 200
    assert answer.json["type"] == "releasefilemeta"
    assert answer.result == {
        "hash_spec": "sha256=00ff",
        "hashes": {"sha256": "00ff"},
        "project": "my-abc",
        "version": "1.0",
        "last_modified": "2026-01-31T12:00:00Z",
    }
    assert shelved.get(f"{PLACE}abc-2.0.whl", Accept="application/json").status == 404


def spoil(site: ShelfSite, stored: StoredFile, how: str) -> None:
    """Damage a stored file the way a disk does."""
    path = site.config.serverdir / "files" / "sha256" / stored.sha256[:2] / stored.sha256[2:]
    content = path.read_bytes()
    path.unlink()
    if how == "cut":
        path.write_bytes(content[:-1])
    elif how == "changed":
        path.write_bytes(content[:-1] + b"?")


@pytest.mark.parametrize("served", [False, True], ids=["never-served", "served-before"])
@pytest.mark.parametrize("how", ["cut", "changed", "gone"])
@pytest.mark.parametrize("asked", [{}, {"Range": "bytes=0-3"}], ids=["whole", "part"])
def test_a_damaged_file_is_not_served(
    shelved: ShelfSite, caplog: pytest.LogCaptureFixture, how: str, asked: dict[str, str], *, served: bool
) -> None:
    """A damaged file is a 500 with a message, and the log names the file."""
    stored = shelved.shelf.lay(WHEEL, CONTENT)
    assert not served or shelved.get(WHEEL).status == 200
    spoil(shelved, stored, how)

    answer = shelved.get(WHEEL, **asked)

    assert answer.status == 500
    assert "damaged" in answer.message
    assert str(shelved.config.serverdir) not in answer.message
    assert stored.sha256 in caplog.text


def test_a_damaged_large_file_is_cut_off(shelved: ShelfSite, caplog: pytest.LogCaptureFixture) -> None:
    """If the damage is noticed after the answer has begun, the answer never looks complete."""
    stored = shelved.shelf.lay(WHEEL, LARGE)
    spoil(shelved, stored, "changed")

    answer = shelved.get(WHEEL)

    assert int(answer.headers["content-length"]) == len(LARGE)
    assert len(answer.content) < len(LARGE)
    assert stored.sha256 in caplog.text


def test_the_same_content_once_more_heals_a_damaged_file(shelved: ShelfSite) -> None:
    """Uploading a file again replaces a damaged copy."""
    spoil(shelved, shelved.shelf.lay(WHEEL, CONTENT), "changed")
    assert shelved.get(WHEEL).status == 500

    shelved.shelf.lay(f"{PLACE}other.whl", CONTENT)

    assert shelved.get(WHEEL).content == CONTENT


class Download:
    """A download that continues when the test lets it."""

    def __init__(self, site: ShelfSite, first: bytes, then: bytes | Refusal, size: int | None = None) -> None:
        self.begun = 0
        self.go_on = threading.Event()
        self._site = site
        self._first = first
        self._then = then
        site.shelf.lying[WHEEL] = lambda: site.shelf.server.files.fetch("key", size, self.run)

    def run(self, draft: IncomingFile) -> StoredFile:
        """Write, wait for the test, and finish."""
        shelf = self._site.shelf
        if isinstance(shelf.lying[WHEEL], StoredFile):
            stored: StoredFile = shelf.lying[WHEEL]
            return stored
        self.begun += 1
        draft.write(self._first)
        self.go_on.wait()
        if isinstance(self._then, Refusal):
            raise self._then
        draft.write(self._then)
        whole = draft.finish()
        shelf.server.files.store(whole)
        with shelf.server.database.transaction():
            shelf.server.files.ensure_stored(whole)
            shelf.lying[WHEEL] = whole.stored
        return whole.stored


@pytest.mark.parametrize("size", [len(LARGE), None], ids=["known-size", "unknown-size"])
def test_a_file_that_is_being_fetched_goes_to_all_who_ask(shelved: ShelfSite, size: int | None) -> None:
    """All requests during a download share it, and the one over HTTP gets the complete file."""
    download = Download(shelved, LARGE[:1000], LARGE[1000:], size)
    waiting = [shelved.shelf.lying[WHEEL]() for _ in range(4)]
    download.go_on.set()

    answer = shelved.get(WHEEL)
    while not all(growing.available()[1] for growing in waiting):
        pass

    assert (answer.status, answer.content == LARGE) == (200, True)
    assert {growing.stored() for growing in waiting} == {shelved.shelf.lying[WHEEL]}
    assert download.begun == 1


def test_the_last_byte_is_held_back(shelved: ShelfSite) -> None:
    """No client gets the last byte of a download before its hash is verified."""
    download = Download(shelved, LARGE, b"")
    growing = shelved.shelf.lying[WHEEL]()
    while growing.available()[0] < len(LARGE) - 1:
        pass
    held = growing.available()
    download.go_on.set()
    while not growing.available()[1]:
        pass

    assert held == (len(LARGE) - 1, False)
    assert growing.available() == (len(LARGE), True)


def test_a_download_that_fails_at_once_is_refused(shelved: ShelfSite) -> None:
    """If the upstream fails before the first byte, the client gets the status and the message."""
    Download(shelved, b"", BadUpstream("the upstream says 404")).go_on.set()

    answer = shelved.get(WHEEL)

    assert (answer.status, answer.message) == (502, "the upstream says 404")


class Breaking:
    """A download whose source ends early, after the first look."""

    def __init__(self, path: Path, size: int | None, available: int) -> None:
        path.write_bytes(LARGE[: available + 1])
        self.path = path
        self.size = size
        self._available = available
        self._looks = 0

    def available(self) -> tuple[int, bool]:
        """Return some bytes twice, and fail after that."""
        self._looks += 1
        if self._looks > 2:
            raise BadUpstream("it broke off")
        return self._available, False


@pytest.mark.parametrize("size", [len(LARGE), None], ids=["known-size", "unknown-size"])
def test_a_download_that_fails_early_is_refused(shelved: ShelfSite, tmp_path: Path, size: int | None) -> None:
    """If the upstream fails after a few bytes, as with a small file, the client gets the status and the message."""
    shelved.shelf.lying[WHEEL] = Breaking(tmp_path / "growing", size, available=4999)

    answer = shelved.get(WHEEL)

    assert (answer.status, answer.message) == (502, "it broke off")


def test_a_download_that_fails_later_is_cut_off(shelved: ShelfSite, tmp_path: Path) -> None:
    """A failure after the first bytes ends the answer before its announced length."""
    shelved.shelf.lying[WHEEL] = Breaking(tmp_path / "growing", len(LARGE), available=500_000)

    answer = shelved.get(WHEEL)

    assert (answer.status, answer.headers["content-length"]) == (200, str(len(LARGE)))
    assert answer.content == LARGE[:500_000]


def test_a_download_of_unknown_length_that_fails_does_not_look_whole(shelved: ShelfSite, tmp_path: Path) -> None:
    """Without a length, only a broken connection tells the client that bytes are missing."""
    shelved.shelf.lying[WHEEL] = Breaking(tmp_path / "growing", None, available=500_000)

    with pytest.raises(ConnectionAbortedError):
        shelved.get(WHEEL)
