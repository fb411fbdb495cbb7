"""A disk without space for files: uploads are refused with a reason, and everything else still works."""

from __future__ import annotations

import http.client
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.upload_forms import address
from tests.helpers.upstream import Upstream, upstream  # noqa: F401 - a fixture
from tests.helpers.wire import Auth, call, login
from tests.helpers.wire_uploads import page, send

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow


@pytest.fixture
def small_store(tmp_path: Path) -> Iterator[Path]:
    """Return a server's folder whose files are on a disk of 4 MB."""
    folder = tmp_path / "server"
    store = folder / "files"
    store.mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", store], capture_output=True)
    if mount.returncode:
        pytest.skip("mounting a file system is not allowed here")
    yield folder
    subprocess.run(["umount", store], check=True)


@pytest.fixture
def server(small_store: Path) -> Iterator[ServerProcess]:
    """Return a server with the index ``root/dev``."""
    with ServerProcess(small_store, *CHEAP_HASHING) as running:
        assert call(running, "PUT", "/root/dev", {"acl_upload": ["root"]}, login(running)).status == 200
        yield running


def files_in_store(server: ServerProcess) -> list[str]:
    """Return the names of the files in the store that are not empty."""
    return [path.name for path in (server.serverdir / "files").rglob("*") if path.is_file() and path.stat().st_size]


def test_an_upload_that_does_not_fit(server: ServerProcess) -> None:
    """An upload that does not fit gets 507 with a reason and leaves nothing; smaller ones are accepted."""
    auth: Auth = login(server)
    small, large = wheel("abc", "1.0", size=100_000), wheel("abc", "2.0", size=8_000_000)
    assert send(server, auth, "root/dev", small).status == 200

    refused = send(server, auth, "root/dev", large)

    assert refused.status == 507
    assert "no space is left" in refused.message
    assert str(server.serverdir) not in refused.message
    assert page(server, "root/dev", "abc") == {small.filename: small.sha256}
    assert len(files_in_store(server)) == 1
    assert call(server, "GET", f"/root/dev/{address(small)}").content == small.content
    assert send(server, auth, "root/dev", wheel("abc", "3.0", size=100_000)).status == 200


def test_a_mirrored_file_that_does_not_fit(server: ServerProcess, upstream: Upstream) -> None:  # noqa: F811
    """A mirrored file that does not fit gets 507 or an incomplete answer, and leaves nothing."""
    large = upstream.add(wheel("large", size=8_000_000))
    config = {"type": "mirror", "mirror_url": upstream.url}
    assert call(server, "PUT", "/root/up", config, login(server)).status == 200
    assert page(server, "root/up", "large")

    with suppress(http.client.IncompleteRead):  # the answer may have started before the disk was full
        assert call(server, "GET", f"/root/up/{address(large)}").status == 507

    assert files_in_store(server) == []
