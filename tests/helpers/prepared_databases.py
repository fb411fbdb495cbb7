"""Databases in their state after the first start, without root; a SQLite file is migrated once and then copied."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from wheelgate.store.prepare import Migrations, prepare

PrepareDatabase = Callable[[str, Migrations], str]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PrepareDatabase:
    """Return a function that prepares the database at a URL and returns the URL."""
    folder = tmp_path_factory.mktemp("prepared")

    def prepare_or_copy(url: str, migrations: Migrations) -> str:
        if not url.startswith("sqlite:///"):
            prepare(url, migrations, lambda database: None)
            return url
        template = folder / f"{'-'.join(owner for owner, _ in migrations)}.db"
        if not template.exists():
            prepare(f"sqlite:///{template}", migrations, lambda database: None)
        shutil.copy(template, Path(url.removeprefix("sqlite:///")))
        return url

    return prepare_or_copy
