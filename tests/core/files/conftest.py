"""Servers with a shelf of files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.file_index import ShelfSite
from tests.helpers.postgres import PostgresServer
from tests.helpers.s3 import CREDENTIALS, ObjectStore, object_store  # noqa: F401

EVERYWHERE = [
    pytest.param("folder", id="folder"),
    pytest.param("bucket", marks=pytest.mark.slow, id="bucket"),
    pytest.param("postgresql", marks=pytest.mark.slow, id="folder-and-postgresql"),
]


@pytest.fixture
def shelved(tmp_path: Path) -> Iterator[ShelfSite]:
    """Return a new server with an empty shelf."""
    with ShelfSite(tmp_path / "server") as site:
        yield site


@pytest.fixture(params=EVERYWHERE)
def anywhere(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ShelfSite]:
    """Return a server with an empty shelf, whose files are in its folder or in a bucket."""
    options = {}
    if request.param == "bucket":
        store: ObjectStore = request.getfixturevalue("object_store")
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        options = {"files": f"s3://{store.bucket()}/some/prefix", "files_endpoint": store.url}
    elif request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        options = {"database": server.new_database()}
    with ShelfSite(tmp_path / "server", **options) as site:
        yield site
