"""Uploads to indices that check less, archives of the largest size, and values that only installers understand."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.helpers.distributions import Distribution, wheel
from tests.helpers.hostile_archives import TOO_LARGE, many_in_sdist, many_in_wheel
from tests.helpers.sites import Serve
from tests.helpers.target_indices import TargetIndex, new_index
from tests.helpers.upload_forms import address

from wheelgate.packages import ReceivedFile, StoredFile, UploadForm
from wheelgate.testing.site import Site
from wheelgate_stage.inspection import inspect_upload
from wheelgate_stage.limits import DEFAULT_MAX_ARCHIVE_ENTRIES, ArchiveLimits
from wheelgate_stage.upload_checks import UploadChecks

REQUIRES_PYTHON = [
    ">=3.*",
    ">=3.6,<4.0.*",
    ">=3.6.*, <4",
    ">=2.7, !=3.0.*, !=3.1.*, <4",
    "!=3.0*",
    "!=~3.0",
    ">=3.6,",
    ">= 3.6, < 4",
    ">=3.6<4",
    ">=3.6 <4",
    "'>=3.6'",
    ">= '3.6'",
    "~=3",
    "~= 3.8",
    "^3.8",
    "3.8",
    "==3.x",
    "===3.8",
    "=>3.8",
    ">=3.8.0b1.0",
]


@pytest.mark.parametrize("value", REQUIRES_PYTHON)
def test_readable_requires_python(index: TargetIndex, value: str) -> None:
    """A Requires-Python that PEP 440 forbids, but from which an installer reads versions, is accepted and shown."""
    done = index.upload(wheel("demo", requires_python=value))

    assert (done.status, done.content) == (200, b"")
    assert [file["requires-python"] for file in index.page()["files"]] == [value]


NAMES_ONLY = [
    "demo-1.0-py3-none-any.whl",
    "demo-1.0.tar.gz",
    "demo-1.0.zip",
    "Demo-1.0.0.tgz",
    "demo-1.0.tar.bz2",
    "demo-1.0.linux-x86_64.tar.gz",
    "demo-1.0.win32-py2.7.exe",
    "demo-1.0-py3.11.egg",
    "demo-1.0-1.noarch.rpm",
]
OTHER_NAMES = [
    ("demo-2.0.tgz", "does not contain version '1.0'"),
    ("demo-1.0.1-py3.11.egg", "gives the version '1.0.1-py3.11', not '1.0'"),
    ("other-1.0.tgz", "does not match project name 'demo'"),
    ("demo-2.0-py3-none-any.whl", "does not contain version '1.0'"),
    ("demo-1.0.whl", "NAME-VERSION-PYTHON-ABI-PLATFORM.whl"),
    ("demo-1.0.txt", "is not a valid archive name"),
    ("../demo-1.0.tgz", "is not a valid archive name"),
]


@pytest.fixture
def trusting(shared: Site, fresh: str) -> TargetIndex:
    """Return a new index that checks only names."""
    return new_index(shared, f"{fresh}-names", {"upload_checks": "names"})


@pytest.mark.parametrize("filename", NAMES_ONLY)
def test_an_index_may_check_only_names(trusting: TargetIndex, filename: str) -> None:
    """With ``upload_checks=names`` files are not opened: any archive is accepted, and no metadata is served for it."""
    dist = replace(wheel("demo"), filename=filename, content=b"no archive at all")

    done = trusting.upload(dist, requires_python=">=3.8", sha256_digest=hashlib.sha256(dist.content).hexdigest())
    shown = trusting.page()["files"][0]

    assert (done.status, shown["filename"], shown["requires-python"]) == (200, filename, ">=3.8")
    assert "core-metadata" not in shown
    assert trusting.get(f"{address(dist)}.metadata").status == 404


@pytest.mark.parametrize(("filename", "sentence"), OTHER_NAMES)
def test_names_are_always_checked(trusting: TargetIndex, filename: str, sentence: str) -> None:
    """With ``upload_checks=names`` the name of a file must still agree with the form."""
    refused = trusting.upload(replace(wheel("demo"), filename=filename))

    assert refused.status == 400
    assert sentence in refused.message
    assert trusting.names() == []


def test_names_mode_checks_digests_but_no_documentation(trusting: TargetIndex) -> None:
    """With ``upload_checks=names`` digests must match, and documentation need not be a zip."""
    damaged = trusting.upload(wheel("demo"), md5_digest="0" * 32)
    docs = trusting.docs(replace(wheel("demo"), content=b"no zip"))

    assert (damaged.status, docs.status) == (400, 200)


def test_the_checks_of_an_index_can_be_changed(trusting: TargetIndex) -> None:
    """``upload_checks`` is ``strict`` or ``names``, and absent from an index that was never asked for it."""
    site, path, auth = trusting.site, f"/{trusting.path}", trusting.auth

    before = site.request("GET", path).result["upload_checks"]
    wrong = site.request("PATCH", path, {"upload_checks": "none"}, auth=auth)
    changed = site.request("PATCH", path, ["upload_checks=strict"], auth=auth)
    refused = trusting.upload(replace(wheel("demo"), content=b"no zip"), sha256_digest="")

    assert before == "names"
    assert (wrong.status, changed.result["upload_checks"], refused.status) == (400, "strict", 400)
    assert "'strict' or 'names'" in wrong.message


@pytest.fixture(scope="module")
def limited(serve_shared: Serve) -> TargetIndex:
    """Return an index of a server that opens only small archives."""
    return new_index(serve_shared(max_archive_entries="100"), "limited", {})


@pytest.mark.parametrize(("make", "sentence"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_archives_beyond_the_setting(limited: TargetIndex, make: Callable[[], Distribution], sentence: str) -> None:
    """``--max-archive-entries`` limits the archives that the server opens, and the refusal names it."""
    refused = limited.upload(make())

    assert refused.status == 400
    assert sentence in refused.message
    assert refused.message.endswith("; ask the administrator for a higher --max-archive-entries")
    assert limited.names() == []


LARGEST_KNOWN = 58_583
"""Entries of the largest known release."""
MEMORY_BYTES_PER_ENTRY = 700
"""Memory for each entry of a wheel: the names are compared with each other. 120,000 entries take some 65 MB."""


@pytest.mark.slow
@pytest.mark.parametrize("make", [many_in_wheel, many_in_sdist])
def test_large_releases(index: TargetIndex, make: Callable[[int], Distribution]) -> None:
    """The server accepts an archive that is twice as large as any known one."""
    assert index.upload(make(2 * LARGEST_KNOWN)).status == 200


@pytest.mark.slow
@pytest.mark.parametrize("make", [many_in_wheel, many_in_sdist])
def test_large_releases_take_little_memory(make: Callable[[int], Distribution]) -> None:
    """The server keeps little in memory for each entry of an archive."""
    dist = make(LARGEST_KNOWN // 2)
    received = ReceivedFile("", StoredFile(dist.sha256, len(dist.content)), {"sha256": dist.sha256}, dist.content)
    form = UploadForm({":action": ["file_upload"], "name": ["demo"], "version": ["1.0"]}, dist.filename)

    tracemalloc.start()
    try:
        inspect_upload(form, received, None, UploadChecks(ArchiveLimits(DEFAULT_MAX_ARCHIVE_ENTRIES)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < MEMORY_BYTES_PER_ENTRY * (LARGEST_KNOWN // 2)
