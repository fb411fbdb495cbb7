"""Two who change one hosted index at once: on PostgreSQL they truly do, on SQLite the second waits for the first."""

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
def draft(server: Server) -> Iterator[ReceivedFile]:
    """Return a wheel that has been received and is kept, and an index to record it on."""
    with server.database.transaction():
        server.indices.create(DEV)
    draft = server.files.receive()
    draft.write(wheel("demo").content)
    file = draft.finish()
    server.files.store(file)
    yield file
    server.files.clean_up(file)


@pytest.fixture
def inspected(target: PackageTarget, draft: ReceivedFile) -> CheckedUpload:
    """Return the wheel as it was inspected."""
    fields = {":action": ["file_upload"], "name": ["demo"], "version": ["1.0"]}
    return target.check_upload(DEV, UploadForm(fields, wheel("demo").filename), draft)


class Other:
    """Somebody else, who acts in a transaction of their own."""

    def __init__(self, server: Server, act: Callable[[], object]) -> None:
        self._server = server
        self._act = act
        self._thread = threading.Thread(target=self._run)
        self.told: list[type[Refusal]] = []

    def begin(self) -> None:
        """Begin, and have some time to come to where one has to wait."""
        self._thread.start()
        self._thread.join(0.3)

    def end(self) -> None:
        """Wait until it is done."""
        self._thread.join(20)

    def _run(self) -> None:
        try:
            with self._server.database.transaction():
                self._act()
        except Refusal as refused:
            self.told.append(type(refused))


@pytest.mark.parametrize("known", [False, True], ids=["new project", "known project"])
def test_an_upload_while_the_index_is_deleted_leaves_nothing(
    server: Server, target: PackageTarget, inspected: CheckedUpload, known: bool
) -> None:
    """Whoever uploads to an index that somebody deletes at the same moment is told, and the index is gone."""
    if known:
        with server.database.transaction():
            target.record_upload(DEV, inspected, "alice")

    uploader = Other(server, lambda: target.record_upload(DEV, inspected, "alice"))
    with server.database.transaction():
        target.forget(DEV)
        server.indices.delete(DEV)
        uploader.begin()
    uploader.end()

    assert uploader.told == [NotFound]
    assert target.project(DEV, "demo") is None
    assert list(target.stored_files()) == []


@pytest.mark.parametrize("known", [False, True], ids=["new project", "known project"])
def test_an_index_that_is_deleted_during_an_upload_takes_that_along(
    server: Server, target: PackageTarget, inspected: CheckedUpload, known: bool
) -> None:
    """What is recorded while somebody waits to delete the index goes with it."""
    if known:
        with server.database.transaction():
            target.record_upload(DEV, inspected, "alice")

    def delete() -> None:
        target.forget(DEV)
        server.indices.delete(DEV)

    owner = Other(server, delete)
    with server.database.transaction():
        target.record_upload(DEV, inspected, "alice")
        owner.begin()
    owner.end()

    assert owner.told == []
    assert target.project(DEV, "demo") is None
    assert list(target.stored_files()) == []
    assert not target.claims(DEV, "demo")
