"""``devpi upload`` of existing files."""

from __future__ import annotations

import base64
import io
import os
import pty
import subprocess
import sys
import zipfile
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from tests.client.conftest import Devpi, FakeServer, ReceivedRequest, Response
from tests.helpers import distributions

MORE = ["Keywords: one,two", "Project-URL: Docs, http://docs.example/", "License-File: LICENSE"]
METADATA = distributions.core_metadata("my-pkg", "1.0", requires_dist=["a", "b>1"], more=MORE, description="hello")
WHEEL = distributions.wheel("my-pkg", "1.0", metadata=METADATA)
SDIST = distributions.sdist("my-pkg", "1.0")
EMPTY = Response(b"", headers={"Content-Type": "text/html"})


@pytest.fixture
def dist(devpi: Devpi) -> Path:
    """Return a folder with two releases, a wheel and an sdist each, and documentation."""
    folder = devpi.home / "dist"
    (folder / "deeper").mkdir(parents=True)
    for file in (WHEEL, SDIST, distributions.wheel("my-pkg", "1.10")):
        (folder / file.filename).write_bytes(file.content)
    later = distributions.sdist("my-pkg", "1.10")
    (folder / "deeper" / later.filename).write_bytes(later.content)
    (folder / "my_pkg-1.0.doc.zip").write_bytes(archive("index.html"))
    (folder / "readme.txt").write_text("not a release")
    return folder


def archive(*names: str) -> bytes:
    """Make a zip file with empty members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name in names:
            opened.writestr(name, "")
    return buffer.getvalue()


def form(request: ReceivedRequest) -> dict[str, list[bytes]]:
    """Return the fields of an upload, with the name of the file as another field."""
    head = f"Content-Type: {request.headers['Content-Type']}\n\n".encode()
    fields: dict[str, list[bytes]] = {}
    _, *parts = BytesParser().parsebytes(head + request.body).walk()
    for part in parts:
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        assert isinstance(content, bytes)
        fields.setdefault(str(name), []).append(content)
        if filename := part.get_filename():
            fields["filename"] = [filename.encode()]
    return fields


def uploads(server: FakeServer) -> list[dict[str, list[bytes]]]:
    """Return the received upload forms."""
    return [form(request) for request in server.requests if request.method == "POST"]


def test_a_wheel_is_uploaded_with_its_metadata(devpi: Devpi, index: FakeServer, dist: Path) -> None:
    """The form contains the metadata, the digest and the exact bytes; the request contains the login."""
    index.responses["/alice/dev/"] = EMPTY

    outcome = devpi("upload", str(dist / WHEEL.filename)).ok()

    assert outcome.out == f"file_upload of {WHEEL.filename} to {index.url}/alice/dev/\n"
    (request,) = [request for request in index.requests if request.method == "POST"]
    assert base64.b64decode(request.headers["X-Devpi-Auth"]) == b"alice:a-token"
    assert int(request.headers["Content-Length"]) == len(request.body)
    assert form(request) == {
        ":action": [b"file_upload"],
        "protocol_version": [b"1"],
        "metadata_version": [b"2.1"],
        "name": [b"my-pkg"],
        "version": [b"1.0"],
        "requires_dist": [b"a", b"b>1"],
        "keywords": [b"one,two"],
        "project_urls": [b"Docs, http://docs.example/"],
        "license_file": [b"LICENSE"],
        "description": [b"hello"],
        "filetype": [b"bdist_wheel"],
        "pyversion": [b"py3"],
        "sha256_digest": [WHEEL.sha256.encode()],
        "content": [WHEEL.content],
        "filename": [WHEEL.filename.encode()],
    }


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        pytest.param("my_pkg-1.0.tar.gz", SDIST.content, id="tar"),
        pytest.param("my_pkg-1.0.zip", None, id="zip"),
    ],
)
def test_an_sdist_is_uploaded_with_its_metadata(
    devpi: Devpi, index: FakeServer, filename: str, content: bytes | None
) -> None:
    """The type of the archive does not matter."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("my_pkg-1.0/PKG-INFO", SDIST.metadata)
    (devpi.home / filename).write_bytes(content or buffer.getvalue())
    index.responses["/alice/dev/"] = EMPTY

    devpi("upload", filename).ok()

    (sent,) = uploads(index)
    expected = [[b"my-pkg"], [b"sdist"], [b"source"]]
    assert [sent[name] for name in ("name", "filetype", "pyversion")] == expected


def test_documentation_is_uploaded_as_such(devpi: Devpi, index: FakeServer, dist: Path) -> None:
    """The name of the file contains project and version."""
    index.responses["/alice/dev/"] = EMPTY

    devpi("upload", str(dist / "my_pkg-1.0.doc.zip")).ok()

    (sent,) = uploads(index)
    assert [sent[name] for name in (":action", "name", "version")] == [[b"doc_upload"], [b"my_pkg"], [b"1.0"]]


@pytest.mark.parametrize(
    ("filename", "name", "version"),
    [
        ("my_pkg-1.0.docs.zip", b"my_pkg", [b"1.0"]),
        ("my-pkg.doc.zip", b"my-pkg", None),
        ("my-pkg.docs.zip", b"my-pkg", None),
        ("My.Pkg-2-1.0rc1.doc.zip", b"My.Pkg-2", [b"1.0rc1"]),
    ],
)
def test_names_of_documentation(
    devpi: Devpi, index: FakeServer, filename: str, name: bytes, version: list[bytes] | None
) -> None:
    """The suffix may also be ``.docs.zip``; without a version, the server takes the newest."""
    (devpi.home / filename).write_bytes(archive("index.html"))
    index.responses["/alice/dev/"] = EMPTY

    devpi("upload", filename).ok()

    (sent,) = uploads(index)
    assert (sent[":action"], sent["name"], sent.get("version")) == ([b"doc_upload"], [name], version)


ALL = [
    "file_upload of my_pkg-1.10.tar.gz",
    "file_upload of my_pkg-1.0-py3-none-any.whl",
    "file_upload of my_pkg-1.0.tar.gz",
    "file_upload of my_pkg-1.10-py3-none-any.whl",
    "doc_upload of my_pkg-1.0.doc.zip",
]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param([], ALL, id="all"),
        pytest.param(["--no-docs"], ALL[:4], id="no documentation"),
        pytest.param(["--only-latest"], [ALL[0], ALL[3]], id="newest"),
        pytest.param(["--only-docs"], ALL[4:], id="only documentation"),
    ],
)
def test_a_folder_is_searched_recursively(
    devpi: Devpi, index: FakeServer, dist: Path, options: list[str], expected: list[str]
) -> None:
    """Archives are sent in the order of their paths, documentation last; other files are left out."""
    index.responses["/alice/dev/"] = EMPTY

    outcome = devpi("upload", "--from-dir", *options, "dist").ok()

    assert outcome.out.splitlines() == [f"{line} to {index.url}/alice/dev/" for line in expected]
    assert len(uploads(index)) == len(expected)


def test_other_archives_in_a_folder_are_left_out(devpi: Devpi, index: FakeServer, dist: Path) -> None:
    """A zip file with other content costs a line, not the upload."""
    (dist / "photos.zip").write_bytes(archive("a.jpg"))
    index.responses["/alice/dev/"] = EMPTY

    outcome = devpi("upload", "--from-dir", "dist")

    assert outcome.code == 0
    assert outcome.err.startswith("left out: dist/photos.zip contains no package metadata")
    assert len(outcome.out.splitlines()) == len(ALL)


@pytest.mark.parametrize("name", ["cut-1.0.tar.gz", "cut-1.0-py3-none-any.whl", "cut-1.0.zip", "cut-1.0.doc.zip"])
def test_a_damaged_release_in_a_folder_stops_the_upload(devpi: Devpi, index: FakeServer, dist: Path, name: str) -> None:
    """Nothing is sent, as the user would not notice that one release is missing."""
    content = SDIST.content if name.endswith(".gz") else WHEEL.content
    (dist / "deeper" / name).write_bytes(content[:100])

    outcome = devpi("upload", "--from-dir", "dist").fails()

    assert outcome.err.startswith(f"dist/deeper/{name} is damaged: ")
    assert not uploads(index)


def test_only_docs_of_files_without_documentation(devpi: Devpi, index: FakeServer, dist: Path) -> None:
    """``--only-docs`` never sends a release."""
    outcome = devpi("upload", "--only-docs", str(dist / WHEEL.filename)).fails()

    assert outcome.err.startswith("no documentation (NAME-VERSION.doc.zip) found in ")
    assert not uploads(index)


@pytest.mark.parametrize(
    ("outcome", "lines"),
    [
        ("uploaded", [f"uploaded: {WHEEL.filename}, {SDIST.filename}", "to install: devpi install{index} my-pkg==1.0"]),
        ("replaced", [f"replaced: {WHEEL.filename}, {SDIST.filename}", "to install: devpi install{index} my-pkg==1.0"]),
        ("kept", []),
        (None, []),
    ],
)
@pytest.mark.parametrize("named", [False, True], ids=["index in use", "named index"])
def test_the_end_says_what_became_of_the_files(
    devpi: Devpi, index: FakeServer, dist: Path, outcome: str | None, lines: list[str], named: bool
) -> None:
    """It names uploaded and replaced files, and the command that installs the release, if the server reports it."""
    headers = {"Content-Type": "text/plain"} | ({"X-Wheelgate-Upload": outcome} if outcome else {})
    index.responses["/alice/dev/"] = Response(b"", headers=headers)
    option = ["--index", "alice/dev"] if named else []

    done = devpi("upload", *option, str(dist / WHEEL.filename), str(dist / SDIST.filename)).ok()

    expected = [line.format(index=" --index alice/dev" if named else "") for line in lines]
    assert done.out.splitlines()[2:] == expected


def test_a_dry_run_sends_nothing(devpi: Devpi, index: FakeServer, dist: Path) -> None:
    """The output lists the files that would be uploaded."""
    outcome = devpi("upload", "--dry-run", "--from-dir", "dist").ok()

    assert outcome.out.splitlines() == [f"skipped: {line} to {index.url}/alice/dev/" for line in ALL]
    assert not uploads(index)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(
            Response({"message": ""}, 409, phrase="it exists already"),
            ["409 FAIL {what}", "it exists already"],
            id="reason phrase",
        ),
        pytest.param(
            Response({"message": "no such place"}, 404), ["404 FAIL {what}", "Not Found", "no such place"], id="message"
        ),
        pytest.param(
            Response({"message": "it exists already"}, 409, phrase="it exists already"),
            ["409 FAIL {what}", "it exists already"],
            id="the same in both",
        ),
        pytest.param(
            Response({"message": "not logged in"}, 401, phrase="Unauthorized: not logged in"),
            ["401 FAIL {what}", "Unauthorized: not logged in", "(type 'devpi login alice')"],
            id="the body again in the status line",
        ),
        pytest.param(
            Response(b"<html>", 403, {"Content-Type": "text/html"}, "not yours"),
            ["403 FAIL {what}", "not yours"],
            id="HTML",
        ),
        pytest.param(
            Response({"message": "expired"}, 401),
            ["401 FAIL {what}", "Unauthorized", "expired", "(type 'devpi login alice')"],
            id="login",
        ),
    ],
)
def test_a_refusal_shows_all_reasons(
    devpi: Devpi, index: FakeServer, dist: Path, answer: Response, said: list[str]
) -> None:
    """Status line and body are shown if they differ, and no more files are sent."""
    index.responses["/alice/dev/"] = answer

    outcome = devpi("upload", str(dist / WHEEL.filename), str(dist / SDIST.filename)).fails()

    url = f"{index.url}/alice/dev/"
    what = f"file_upload of {WHEEL.filename} to {url}"
    assert outcome.err.splitlines() == [line.format(what=what) for line in [*said, f"POST to {url} FAILED"]]
    assert outcome.out == ""
    assert len(uploads(index)) == 1


def test_a_remark_of_the_server_is_shown(devpi: Devpi, index: FakeServer, dist: Path) -> None:
    """A reason phrase other than ``OK`` is shown, even for a success."""
    index.responses["/alice/dev/"] = Response(b"", phrase="Upload of identical file to non volatile index.")

    outcome = devpi("upload", str(dist / WHEEL.filename)).ok()

    assert outcome.out.splitlines()[1:] == ["Upload of identical file to non volatile index."]


FILES = {
    "text.txt": b"hello",
    "cut-1.0.tar.gz": SDIST.content[:100],
    "cut-1.0-py3-none-any.whl": WHEEL.content[:100],
    "bare-1.0.tar.gz": distributions.sdist("bare", metadata=b"Summary: no name\n").content,
    "bomb-1.0-py3-none-any.whl": distributions.wheel("bomb", bomb=17 << 20).content,
    "my.whl": WHEEL.content,
    "page-1.0.doc.zip": b"<html>",
    ".doc.zip": archive("index.html"),
    "empty-1.0.zip": archive(),
}


@pytest.mark.parametrize(
    ("paths", "complaint"),
    [
        pytest.param(
            ["nofile.whl"],
            "path does not exist: nofile.whl; to build the project in this folder and upload it, type 'devpi upload'",
            id="no file",
        ),
        pytest.param(["folder"], "folder: is a directory but --from-dir not specified", id="folder"),
        pytest.param(["text.txt"], "text.txt is not a release file: give a wheel ", id="text"),
        pytest.param(["cut-1.0.tar.gz"], "cut-1.0.tar.gz is damaged: ", id="cut sdist"),
        pytest.param(["cut-1.0-py3-none-any.whl"], "cut-1.0-py3-none-any.whl is damaged: ", id="cut wheel"),
        pytest.param(["bare-1.0.tar.gz"], "bare-1.0.tar.gz does not contain name and version", id="no name"),
        pytest.param(["bomb-1.0-py3-none-any.whl"], "bomb-1.0-py3-none-any.whl contains more than 16777216", id="bomb"),
        pytest.param(["my.whl"], "my.whl: Invalid wheel filename", id="name of a wheel"),
        pytest.param(["page-1.0.doc.zip"], "page-1.0.doc.zip is damaged: it is not a zip file", id="no zip"),
        pytest.param([".doc.zip"], ".doc.zip is not documentation: ", id="no name"),
        pytest.param(["empty-1.0.zip"], "empty-1.0.zip contains no package metadata", id="no metadata"),
    ],
)
def test_invalid_files_are_reported_before_the_upload(
    devpi: Devpi, index: FakeServer, dist: Path, paths: list[str], complaint: str
) -> None:
    """One invalid file prevents the upload of the others too."""
    (devpi.home / "folder").mkdir()
    for name, content in FILES.items():
        (devpi.home / name).write_bytes(content)

    outcome = devpi("upload", str(dist / WHEEL.filename), *paths).fails()

    assert outcome.err.startswith(complaint)
    assert outcome.err.count("\n") == 1
    assert not uploads(index)


def test_a_folder_without_releases_is_reported(devpi: Devpi, index: FakeServer) -> None:
    """The message keeps users from taking silence for an upload."""
    (devpi.home / "folder").mkdir()

    assert devpi("upload", "--from-dir", "folder").fails().err == (
        "no release files found in folder; to build the project in this folder and upload it, type 'devpi upload'"
        " without a path\n"
    )


@pytest.mark.parametrize(
    ("api", "complaint"),
    [
        pytest.param({"pypisubmit": None}, "does not support upload.\nMost likely, it is a mirror.\n", id="mirror"),
        pytest.param(
            {"authstatus": ["noauth", "", []]},
            "the login of 'alice' is no longer valid: type 'devpi login alice'; nothing was",
            id="login",
        ),
        pytest.param({"index": None}, "is a server, not an index: name one as USER/NAME", id="server"),
    ],
)
def test_an_index_that_takes_no_uploads_is_reported_before_the_upload(
    devpi: Devpi, index: FakeServer, dist: Path, api: dict[str, Any], complaint: str
) -> None:
    """Users need not wait for the upload of a large file to learn that the index refuses it."""
    index.serve_index(**api)

    outcome = devpi("upload", str(dist / WHEEL.filename)).fails()

    assert complaint in outcome.err
    assert not uploads(index)


@pytest.mark.parametrize("way", ["option", "environment", "URL"])
def test_another_index_can_be_named(devpi: Devpi, index: FakeServer, dist: Path, way: str) -> None:
    """The files go to the named index, not to the one in use."""
    other = f"{index.url}/bob/prod"
    api = {"login": f"{index.url}/+login", "index": other, "pypisubmit": f"{other}/", "authstatus": ["ok", "alice", []]}
    index.respond("/bob/prod/+api", "apiconfig", api)
    index.responses["/bob/prod/"] = EMPTY
    path = str(dist / WHEEL.filename)

    if way == "environment":
        outcome = devpi("upload", path, DEVPI_INDEX="bob/prod")
    else:
        outcome = devpi("upload", "--index", "bob/prod" if way == "option" else other, path).ok()

    assert outcome.code == 0
    assert [request.path for request in index.requests if request.method == "POST"] == ["/bob/prod/"]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "bar"), [("xterm", True), ("dumb", False)])
def test_a_progress_bar_is_shown(devpi: Devpi, index: FakeServer, kind: str, bar: bool) -> None:
    """It is shown on a terminal that can move its cursor, and removed after the upload."""
    file = distributions.wheel("big", size=5 << 20)
    (devpi.home / file.filename).write_bytes(file.content)
    index.responses["/alice/dev/"] = EMPTY
    ours, theirs = pty.openpty()

    program = Path(sys.executable).with_name("devpi")
    environ = {"HOME": str(devpi.home), "TERM": kind, "COLUMNS": "80"}
    done = subprocess.run([program, "upload", file.filename], cwd=devpi.home, env=environ, stdout=theirs, stderr=theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb") as terminal:
        shown = terminal.read1().decode()

    assert done.returncode == 0
    last = f"file_upload of {file.filename} to {index.url}/alice/dev/\r\n"
    assert shown.endswith(f"\r\x1b[K{last}") if bar else shown == last
    assert (f"100% [{'#' * 30}] 5.2/5.2 MB {file.filename}" in shown) == bar
