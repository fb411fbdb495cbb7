"""Two concurrent changes of a hosted index. On PostgreSQL they overlap; on SQLite the second waits for the first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from tests.helpers.distributions import wheel

from wheelgate import Index, Server
from wheelgate.errors import NotFound, Refusal
from wheelgate.packages import CheckedUpload, PackageTarget, ReceivedFile, UploadForm

DEV = Index("alice", "dev", "stage", {"volatile": True})


@pytest.fixture
def received(server: Server) -> Iterator[ReceivedFile]:
    """Create an index, and return a received and stored wheel to record on it."""
    with server.database.transaction():
        server.indices.create(DEV)
    incoming = server.files.receive()
    incoming.write(wheel("demo").content)
    file = incoming.finish()
    server.files.store(file)
    yield file
    server.files.clean_up(file)


@pytest.fixture
def checked(target: PackageTarget, received: ReceivedFile) -> CheckedUpload:
    """Return the wheel as a checked upload."""
    fields = {":action": ["file_upload"], "name": ["demo"], "version": ["1.0"]}
    return target.check_upload(DEV, UploadForm(fields, wheel("demo").filename), received)


class ConcurrentChange:
    """A change in a thread and transaction of its own."""

    def __init__(self, server: Server, act: Callable[[], object]) -> None:
        self._server = server
        self._act = act
        self._thread = threading.Thread(target=self._run)
        self.refusals: list[type[Refusal]] = []

    def begin(self) -> None:
        """Start, and give the change some time to reach the lock that it has to wait for."""
        self._thread.start()
        self._thread.join(0.3)

    def end(self) -> None:
        """Wait until the change is done."""
        self._thread.join(20)

    def _run(self) -> None:
        try:
            with self._server.database.transaction():
                self._act()
        except Refusal as refused:
            self.refusals.append(type(refused))


@pytest.mark.parametrize("known", [False, True], ids=["new project", "known project"])
def test_an_upload_while_the_index_is_deleted_leaves_nothing(
    server: Server, target: PackageTarget, checked: CheckedUpload, known: bool
) -> None:
    """An upload to an index that is being deleted gets ``NotFound``, and the index is deleted."""
    if known:
        with server.database.transaction():
            target.record_upload(DEV, checked, "alice")

    upload = ConcurrentChange(server, lambda: target.record_upload(DEV, checked, "alice"))
    with server.database.transaction():
        target.forget(DEV)
        server.indices.delete(DEV)
        upload.begin()
    upload.end()

    assert upload.refusals == [NotFound]
    assert target.project(DEV, "demo") is None
    assert list(target.stored_files()) == []


@pytest.mark.parametrize("known", [False, True], ids=["new project", "known project"])
def test_deleting_an_index_during_an_upload_removes_the_upload(
    server: Server, target: PackageTarget, checked: CheckedUpload, known: bool
) -> None:
    """A deletion that waits for an upload to be recorded removes that upload with the index."""
    if known:
        with server.database.transaction():
            target.record_upload(DEV, checked, "alice")

    def delete() -> None:
        target.forget(DEV)
        server.indices.delete(DEV)

    deletion = ConcurrentChange(server, delete)
    with server.database.transaction():
        target.record_upload(DEV, checked, "alice")
        deletion.begin()
    deletion.end()

    assert deletion.refusals == []
    assert target.project(DEV, "demo") is None
    assert list(target.stored_files()) == []
    assert not target.claims(DEV, "demo")
