"""From SQLite to PostgreSQL and back: by an export and an import, with the tokens if an administrator copies them."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.core.moving.test_export import index_of, recorded, rich_server, tree
from tests.helpers.commands import CHEAPLY, Run
from tests.helpers.postgres import postgres_url  # noqa: F401 - a fixture
from tests.helpers.sites import Serve

from wheelgate.store.database import Database
from wheelgate.testing.site import Site

pytestmark = pytest.mark.slow

USERS = {"alice": "correct horse", "bob": "correct horse"}


def copied(rows: Sequence[Sequence[Any]]) -> list[list[str | None]]:
    """Return rows as they are after a CSV file, as the page about PostgreSQL has it."""
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return [[cell or None for cell in row] for row in csv.reader(io.StringIO(file.getvalue()))]


def copy_tokens(source: str, target: str) -> None:
    """Copy the table of tokens from one database to another."""
    one, other = Database(source), Database(target)
    rows = copied(one.read("SELECT * FROM tokens_token"))
    with other.transaction():
        for row in rows:
            marks = ", ".join("?" for _ in row)
            other.write(f"INSERT INTO tokens_token VALUES ({marks})", row)
    one.close()
    other.close()


def test_there_and_back(
    serve: Serve,
    run: Run,
    postgres_url: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    """The server answers the same with PostgreSQL, and with SQLite again; tokens work after they were copied."""
    site = rich_server(serve)
    alice = site.login("alice", "correct horse")
    made = site.request("POST", "/+x/tokens", {"comment": "ci", "scopes": ["read"]}, auth=alice)
    assert made.status == 200, made.content
    token = made.result["token"]
    before = recorded(site, USERS)
    serve.stop()
    sqlite = f"sqlite:///{tmp_path / 'server' / 'wheelgate.db'}"

    def move(source: Sequence[str], export: str, target: Sequence[str], folder: Path) -> None:
        assert run("export", str(tmp_path / export), *source, *CHEAPLY).code == 0
        done = run("import", str(tmp_path / export), *target, *CHEAPLY)
        assert (done.code, done.err) == (0, ""), done
        shutil.copy(tmp_path / "server" / ".secret", folder / ".secret")

    there = ("--serverdir", str(tmp_path / "there"), "--database", postgres_url)
    move(("--serverdir", str(tmp_path / "server")), "first", there, tmp_path / "there")
    copy_tokens(sqlite, postgres_url)
    with Site(tmp_path / "there", database=postgres_url) as moved:
        assert recorded(moved, USERS) == before
        assert moved.request("GET", "/+api", auth=alice).result["authstatus"] == ["ok", "alice", []]
        assert moved.request("GET", "/alice/hidden", auth=("__token__", token)).status == 200

    move(there, "second", ("--serverdir", str(tmp_path / "back")), tmp_path / "back")
    copy_tokens(postgres_url, f"sqlite:///{tmp_path / 'back' / 'wheelgate.db'}")
    with Site(tmp_path / "back") as back:
        assert recorded(back, USERS) == before
        assert back.request("GET", "/alice/hidden", auth=("__token__", token)).status == 200
    assert tree(tmp_path / "first") == tree(tmp_path / "second")
    assert index_of(tmp_path / "first", "wheelgate.json")["uuid"]
