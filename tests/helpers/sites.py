"""In-process servers for the tests of core and plugins: prepared once, copied for each test, on both databases."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.postgres import PostgresServer

from wheelgate.testing.site import Site
from wheelgate_auth_basic.passwords import Argon2Hasher

BOTH_DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a server that was started once; copying it takes a tenth of the time of a first start."""
    folder = tmp_path_factory.mktemp("template") / "server"
    with Site(folder):
        return folder


ROOT_BEHIND_PROXY = ("root", "a password of root")
"""Root of a server behind a proxy, where the empty password is refused."""
PROXY_OPTIONS = frozenset({"outside_url", "trusted_proxy", "remote_user_from"})


class Serve:
    """Starts and stops servers by name, in folders below one folder."""

    def __init__(self, template: Path, folder: Path) -> None:
        self._template = template
        self._folder = folder
        self._running: dict[str, Site] = {}

    def __call__(self, name: str = "server", **options: Any) -> Site:
        """Start a server with options; stop a running server of that name first, and use its folder again.

        If the options name a proxy, root of a new server is ``ROOT_BEHIND_PROXY``.
        """
        self.stop(name)
        folder = self._folder / name
        is_new = not folder.exists()
        if is_new:
            shutil.copytree(self._template, folder)
            if PROXY_OPTIONS & options.keys():
                store_hash(folder, "root", Argon2Hasher(8, 1, 1).hash(ROOT_BEHIND_PROXY[1]))
        if PROXY_OPTIONS & options.keys():
            options = {"root_passwd": ROOT_BEHIND_PROXY[1], **options}
        plugins: dict[str, object] = options.get("extra", {})
        has_tables = any(hasattr(plugin, "wheelgate_migrations") for plugin in plugins.values())
        # A server that is started again makes its database as in real life.
        prepared = is_new and not has_tables and "database" not in options
        self._running[name] = Site(folder, prepared=prepared, **options)
        return self._running[name]

    def stop(self, name: str = "server") -> None:
        """Stop a server if it is running."""
        if name in self._running:
            self._running.pop(name).application.close()

    def stop_all(self) -> None:
        """Stop all running servers."""
        for name in list(self._running):
            self.stop(name)


def store_hash(folder: Path, user: str, password_hash: str | None) -> None:
    """Store a value as the password hash of a user, which no request could do."""
    with closing(sqlite3.connect(folder / "wheelgate.db")) as database:
        database.execute("UPDATE sql_store_user SET password_hash = ? WHERE name = ?", (password_hash, user))
        database.commit()


@pytest.fixture
def serve(template: Path, tmp_path: Path) -> Iterator[Serve]:
    """Return a function that starts servers; they stop with the test."""
    serve = Serve(template, tmp_path)
    yield serve
    serve.stop_all()


@pytest.fixture(scope="module")
def serve_shared(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Return what starts servers for all tests of a file, which must not mind what the others leave there."""
    serve = Serve(template, tmp_path_factory.mktemp("shared"))
    yield serve
    serve.stop_all()


@pytest.fixture(params=BOTH_DATABASES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Return a new server for this test only."""
    yield from started(request, tmp_path / "site")


@pytest.fixture(params=BOTH_DATABASES, scope="module")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return one server for all tests of a file, which must not depend on what other tests leave there."""
    yield from started(request, tmp_path_factory.mktemp("shared") / "site")


@pytest.fixture
def fresh(numbers: Iterator[int]) -> str:
    """Return a name that no other test uses, for a user or an index of a shared server."""
    return f"fresh{next(numbers)}"


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Return a counter for the whole session."""
    return count()


def started(request: pytest.FixtureRequest, folder: Path) -> Iterator[Site]:
    """Start a server on a copy of the template folder and, on PostgreSQL, of a template database."""
    shutil.copytree(request.getfixturevalue("template"), folder)
    if request.param == "sqlite":
        with Site(folder, prepared=True) as site:
            yield site
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    if not server.execute("SELECT 1 FROM pg_database WHERE datname = 'template_site'"):
        server.execute("CREATE DATABASE template_site")
        with Site(folder, database=server.url("template_site")):
            pass
    name = f"site{next(server.numbers)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE template_site")
    with Site(folder, prepared=True, database=server.url(name)) as site:
        yield site
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")
