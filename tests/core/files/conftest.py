"""Servers with a shelf of files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
from tests.helpers.file_index import ShelfSite
from tests.helpers.postgres import PostgresServer
from tests.helpers.s3 import CREDENTIALS, ObjectStore, object_store  # noqa: F401
from tests.helpers.upstream import upstream  # noqa: F401

EVERYWHERE = [
    pytest.param("folder", id="folder"),
    pytest.param("bucket", marks=pytest.mark.slow, id="bucket"),
    pytest.param("postgresql", marks=pytest.mark.slow, id="folder-and-postgresql"),
]


@pytest.fixture(scope="session")
def shelf_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a server with an empty shelf that was started once."""
    folder = tmp_path_factory.mktemp("shelf") / "server"
    with ShelfSite(folder):
        return folder


@pytest.fixture
def folder(shelf_template: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder."""
    return Path(copytree(shelf_template, tmp_path / "server"))


@pytest.fixture
def shelved(folder: Path) -> Iterator[ShelfSite]:
    """Return a new server with an empty shelf."""
    with ShelfSite(folder, prepared=True) as site:
        yield site


@pytest.fixture(params=EVERYWHERE)
def anywhere(request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ShelfSite]:
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
    with ShelfSite(folder, prepared="database" not in options, **options) as site:
        yield site
