"""Settings for the file storage: malformed values are refused before the server listens."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.helpers.file_index import ShelfSite
from tests.helpers.s3 import CREDENTIALS

from wheelgate.errors import StartupError


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
