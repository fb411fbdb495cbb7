"""What these tests need: servers without sockets, and the plugin on a prepared database of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.helpers import distributions
from tests.helpers.postgres import new_url, postgres, postgres_url  # noqa: F401
from tests.helpers.sites import fresh, numbers, serve, shared, site, template  # noqa: F401

import wheelgate.store
import wheelgate_sql_store
import wheelgate_stage
from wheelgate import Server
from wheelgate.config import resolve
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.packages import PackageTarget, UploadForm
from wheelgate.store.database import Database
from wheelgate.store.prepare import prepare
from wheelgate.testing.packages import Make


@pytest.fixture
def server(new_url: str, tmp_path: Path) -> Iterator[Server]:  # noqa: F811
    """Return the part of a server that plugins see."""
    core = Path(wheelgate.store.__file__).parent / "migrations"
    folders = [
        ("core", core),
        ("sql_store", wheelgate_sql_store.wheelgate_migrations()),
        ("stage", wheelgate_stage.wheelgate_migrations()),
    ]
    prepare(new_url, folders, lambda database: None)
    with closing(Database(new_url)) as database:
        server = Server(resolve(CORE_OPTIONS, {"serverdir": str(tmp_path / "server")}, {}), database)
        server.users = wheelgate_sql_store.wheelgate_user_store(server)
        server.indices = wheelgate_sql_store.wheelgate_index_store(server)
        (kind,) = wheelgate_stage.wheelgate_index_types(server)
        server.files.set_sources([kind.packages], complete=lambda: True)
        yield server
        server.files.close()


@pytest.fixture
def target(server: Server) -> PackageTarget:
    """Return what is tested."""
    return wheelgate_stage.wheelgate_index_types(server)[0].packages


@pytest.fixture
def make() -> Make:
    """Return what makes uploads."""

    def make(name: str, version: str, number: int) -> tuple[UploadForm, bytes]:
        wheel = distributions.wheel(name, version, seed=number)
        fields = {":action": ["file_upload"], "name": [name], "version": [version]}
        return UploadForm(fields, wheel.filename), wheel.content

    return make
