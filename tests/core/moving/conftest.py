"""What the tests of import and export need: the command, and servers made by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import CHEAPLY, Outcome, Run
from tests.helpers.exports import Export

from wheelgate.testing.site import Site

Import = Callable[..., Outcome]
Imported = Callable[..., Site]


def first_fast(names: Iterable[str]) -> list[Any]:
    """Return the cases of a table; all but the first are slow, since each runs a whole command."""
    return [name if not at else pytest.param(name, marks=pytest.mark.slow) for at, name in enumerate(names)]


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """Return an export with root only; the test fills and writes it."""
    return Export(tmp_path / "export")


@pytest.fixture
def import_export(run: Run, tmp_path: Path) -> Import:
    """Return a function that imports the export of the test into the folder ``imported``, with further options."""

    def command(*options: str) -> Outcome:
        folder = str(tmp_path / "imported")
        return run("import", str(tmp_path / "export"), "--serverdir", folder, *CHEAPLY, *options)

    return command


@pytest.fixture
def imported(export: Export, import_export: Import, tmp_path: Path, request: pytest.FixtureRequest) -> Imported:
    """Return a function that writes the export, imports it with options, and starts the server."""

    def start(*options: str, **settings: Any) -> Site:
        export.write()
        done = import_export(*options)
        assert (done.code, done.err) == (0, ""), done
        site = Site(tmp_path / "imported", **settings)
        request.addfinalizer(site.application.close)
        return site

    return start
