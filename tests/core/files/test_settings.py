"""Settings for the file storage: malformed values are refused before the server listens."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.helpers.file_index import ShelfSite
from tests.helpers.s3 import CREDENTIALS, ObjectStore, object_store  # noqa: F401 - a fixture

from wheelgate.errors import BackendUnavailable, StartupError


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param({"files": "/srv/files"}, "expected an address such as s3://bucket/prefix", id="folder"),
        pytest.param({"files": "s3://"}, "expected an address such as s3://bucket/prefix", id="no-bucket"),
        pytest.param({"files": "s3://UPPER/x"}, "expected an address such as s3://bucket/prefix", id="upper-case"),
        pytest.param({"files": "s3://name:secret@bucket"}, "expected an address such as s3://", id="credentials"),
        pytest.param({"files_endpoint": "objects.example"}, "expected an address such as https://", id="no-scheme"),
    ],
)
def test_a_malformed_setting(tmp_path: Path, options: dict[str, str], sentence: str) -> None:
    """The message names the option and the expected form."""
    with pytest.raises(StartupError, match=sentence):
        ShelfSite(tmp_path / "server", **options)


def test_the_library_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without obstore the server does not start; the message says how to install it."""
    monkeypatch.setitem(sys.modules, "obstore", None)

    with pytest.raises(StartupError, match=r"pip install 'wheelgate\[s3\]'"):
        ShelfSite(tmp_path / "server", files="s3://bucket")


def test_a_store_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal of an upload contains neither the address nor a credential."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with ShelfSite(tmp_path / "server", files="s3://bucket", files_endpoint="http://127.0.0.1:9") as site:
        with pytest.raises(Exception, match="the object store for package files") as refused:
            site.shelf.lay("+f/abc/0123456789def/abc-1.0.tar.gz", b"abc")

        assert type(refused.value).__name__ == "BackendUnavailable"
        assert "127.0.0.1" not in str(refused.value)
        assert "swordfish" not in str(refused.value)


class Forbids(BaseHTTPRequestHandler):
    """Refuses the credentials of each request, as S3 does."""

    def do_GET(self) -> None:
        """Answer."""
        content = b"<Error><Code>InvalidAccessKeyId</Code><AWSAccessKeyId>somebody</AWSAccessKeyId></Error>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if self.command == "GET" else b"")

    do_HEAD = do_GET  # noqa: N815 - the name that the base class calls

    def log_message(self, *given: object) -> None:
        """Log nothing."""


@contextmanager
def forbidding_store() -> Iterator[str]:
    """Start an object store that accepts no credentials, and return its address."""
    with HTTPServer(("127.0.0.1", 0), Forbids) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("credentials", "reason"),
    [
        pytest.param(CREDENTIALS, "it refuses the credentials", id="refused"),
        pytest.param(
            {"AWS_REGION": "us-east-1", "AWS_METADATA_ENDPOINT": "http://127.0.0.1:9"},
            "the server has no credentials for it",
            id="none",
        ),
    ],
)
def test_the_start_says_what_is_wrong_with_the_credentials(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    credentials: dict[str, str],
    reason: str,
) -> None:
    """The warning of the start has the reason, but no credential."""
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    for name, value in credentials.items():
        monkeypatch.setenv(name, value)
    with forbidding_store() as url:
        assert f"does not work ({reason})" in swept(tmp_path, url)


@pytest.mark.slow
def test_the_start_says_that_there_is_no_such_bucket(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    object_store: ObjectStore,  # noqa: F811
) -> None:
    """A bucket that was not created is found out by the start, not by the first upload."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)

    assert "does not work (there is no such bucket)" in swept(tmp_path, object_store.url)


def swept(tmp_path: Path, url: str) -> str:
    """Return the refusal with which a start would clean up a bucket."""
    with ShelfSite(tmp_path / "server", files="s3://bucket", files_endpoint=url) as site:
        with pytest.raises(BackendUnavailable) as refused:
            site.server.files.sweep()
        assert "somebody" not in str(refused.value)
        return str(refused.value)
