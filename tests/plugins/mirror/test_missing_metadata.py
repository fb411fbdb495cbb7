"""Metadata that the upstream announces and does not have: the mirror makes them from the wheel."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace

import pytest
from tests.helpers import distributions
from tests.helpers.upstream import Fault, Upstream
from tests.plugins.mirror.conftest import Mirror

WHEEL = distributions.wheel("abc", "1.0")
SDIST = distributions.sdist("abc", "1.0")
SHA256 = hashlib.sha256(WHEEL.metadata).hexdigest()


@pytest.fixture
def incomplete(mirror: Mirror, upstream: Upstream) -> Mirror:
    """Return a mirror that remembers pages, of an upstream without metadata."""
    mirror.set(mirror_cache_expiry=1800)
    for dist in (WHEEL, SDIST):
        upstream.faults[f"{upstream.file_path(dist)}.metadata"] = Fault(status=404)
    return mirror


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("announced", [None, "f" * 64], ids=["the right digest", "a wrong digest"])
def test_they_are_made_from_the_wheel(
    incomplete: Mirror, upstream: Upstream, status: int, announced: str | None
) -> None:
    """The metadata are those in the wheel, which is verified; the page then has their digest, and both are stored."""
    upstream.faults[f"{upstream.file_path(WHEEL)}.metadata"] = Fault(status=status)
    upstream.add(WHEEL, metadata_sha256=announced)
    before = incomplete.files("abc")[WHEEL.filename]["core-metadata"]

    made = [incomplete.get(WHEEL, ".metadata") for _ in range(2)]

    assert [answer.content for answer in made] == [WHEEL.metadata] * 2
    assert before == {"sha256": announced or SHA256}
    assert incomplete.files("abc")[WHEEL.filename]["core-metadata"] == {"sha256": SHA256}
    assert incomplete.get(WHEEL).content == WHEEL.content
    assert upstream.count(upstream.file_path(WHEEL)) == 1
    assert upstream.count(f"{upstream.file_path(WHEEL)}.metadata") == 1


def archive(**files: bytes) -> bytes:
    """Return a zip file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as written:
        for name, content in files.items():
            written.writestr(name, content)
    return target.getvalue()


UNREADABLE = {
    "no zip file": b"x" * 1000,
    "empty": b"",
    "no metadata": archive(**{"abc.py": b""}),
    "two": archive(**{"abc-1.0.dist-info/METADATA": b"a", "xyz-1.0.dist-info/METADATA": b"b"}),
    "too large": archive(**{"abc-1.0.dist-info/METADATA": b" " * ((16 << 20) + 1)}),
    "a large directory": archive(**{f"{n:0250}": b"" for n in range(15_000)}, **{"a.dist-info/METADATA": b"a"}),
    "zip64": WHEEL.content[:-22] + b"PK\x06\x07" + bytes(16) + WHEEL.content[-22:],
    "a damaged entry": WHEEL.content.replace(b"PK\x03\x04", b"PK\x03\x05"),
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_wheels_that_cannot_be_read(incomplete: Mirror, upstream: Upstream, content: bytes) -> None:
    """The answer is 404, as that of the upstream, whatever the wheel is; the wheel itself is served."""
    dist = replace(WHEEL, content=content)
    upstream.add(dist)

    assert incomplete.get(dist, ".metadata").status == 404
    assert incomplete.get(dist).content == content


def test_other_files_have_none(incomplete: Mirror, upstream: Upstream) -> None:
    """The server does not look into sdists."""
    upstream.add(SDIST, metadata_sha256="f" * 64)

    assert incomplete.get(SDIST, ".metadata").status == 404
    assert upstream.count(upstream.file_path(SDIST)) == 0
