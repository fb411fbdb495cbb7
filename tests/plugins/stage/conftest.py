"""Fixtures of these tests: servers without sockets, and the plugin on a prepared database of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.helpers import distributions
from tests.helpers.postgres import new_url, postgres, postgres_url  # noqa: F401
from tests.helpers.prepared_databases import PrepareDatabase, prepared  # noqa: F401
from tests.helpers.sites import fresh, numbers, serve, serve_shared, shared, site, template  # noqa: F401
from tests.helpers.target_indices import empty, frozen, index  # noqa: F401

import wheelgate.store
import wheelgate_sql_store
import wheelgate_stage
from wheelgate import Server
from wheelgate.config import resolve
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.packages import PackageTarget, UploadForm
from wheelgate.plugin_host.discovery import InstalledPlugin, Plugins
from wheelgate.services.opened_server import OpenedServer
from wheelgate.store.database import Database
from wheelgate.testing.package_targets import MakeUpload
from wheelgate_stage.packages import StagePackages


@pytest.fixture
def server(new_url: str, prepared: PrepareDatabase, tmp_path: Path) -> Iterator[Server]:  # noqa: F811
    """Return the part of a server that plugins get."""
    core = Path(wheelgate.store.__file__).parent / "migrations"
    folders = [
        ("core", core),
        ("sql_store", wheelgate_sql_store.wheelgate_migrations()),
        ("stage", wheelgate_stage.wheelgate_migrations()),
    ]
    with closing(Database(prepared(new_url, folders))) as database:
        config = resolve(
            [*CORE_OPTIONS, *wheelgate_stage.wheelgate_options()], {"serverdir": str(tmp_path / "server")}, {}
        )
        modules = {"sql_store": wheelgate_sql_store, "stage": wheelgate_stage}
        plugins = [InstalledPlugin(name, "tests", "1", blocked=False, plugin=each) for name, each in modules.items()]
        server = OpenedServer(config, Plugins(plugins), database).server
        with closing(server.files):
            yield server


@pytest.fixture
def target(server: Server) -> PackageTarget:
    """Return the packages of hosted indices, which these tests test."""
    return StagePackages(server)


@pytest.fixture
def make_upload() -> MakeUpload:
    """Return a function that makes uploads."""

    def make(name: str, version: str, number: int) -> tuple[UploadForm, bytes]:
        wheel = distributions.wheel(name, version, seed=number)
        fields = {":action": ["file_upload"], "name": [name], "version": [version]}
        return UploadForm(fields, wheel.filename), wheel.content

    return make
