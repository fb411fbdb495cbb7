"""Writes the releases of a package into a home, ready to upload."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.helpers import distributions

PACKAGE_NAME = "tinypkg"
TOX_INI = b"[testenv]\ncommands = python -c 'import tinypkg'\n"


def lay_out(home: Path) -> None:
    """Write releases into ``dist``, another wheel of the first one into ``other``, and sources into ``project``."""
    for folder in ("dist", "other", "project/docs"):
        (home / folder).mkdir(parents=True)
    for file in _releases():
        (home / "dist" / file.filename).write_bytes(file.content)
    with zipfile.ZipFile(home / "dist" / f"{PACKAGE_NAME}-1.0.doc.zip", "w") as documentation:
        documentation.writestr("index.html", "<p>tiny")
    another = distributions.wheel(PACKAGE_NAME, "1.0", seed=1)
    (home / "other" / another.filename).write_bytes(another.content)
    _unpack(_sdist("2.0"), home / "project")
    (home / "project" / "docs" / "conf.py").touch()


def _releases() -> Iterator[distributions.Distribution]:
    for version in ("1.0", "1.1", "1.2", "1.3", "1.4"):
        yield distributions.wheel(PACKAGE_NAME, version)
        yield _sdist(version)


def _sdist(version: str) -> distributions.Distribution:
    """Return an sdist with tests."""
    return distributions.sdist(PACKAGE_NAME, version, more={f"{PACKAGE_NAME}-{version}/tox.ini": TOX_INI})


def _unpack(sdist: distributions.Distribution, folder: Path) -> None:
    """Unpack an sdist without its top folder."""
    with tarfile.open(fileobj=io.BytesIO(sdist.content)) as archive:
        for member in archive:
            member.name = member.name.partition("/")[2]
            archive.extract(member, folder, filter="data")
