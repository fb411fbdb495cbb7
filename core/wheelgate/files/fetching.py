"""Downloads that all processes of this machine share: one process writes, the others read the bytes that have arrived.

A download has a state file, which its writer locks. The first line of the state file names the file with the bytes, and
a second line says how the download ended. If the lock is free and there is no second line, the writer has died. A
process with the files open can read on after their names are gone.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from contextvars import copy_context
from pathlib import Path
from typing import Any
from uuid import uuid4

from wheelgate import errors
from wheelgate.disk import make_private_folder
from wheelgate.errors import BackendUnavailable, Refusal
from wheelgate.files.errors import translated
from wheelgate.files.incoming import IncomingFolder, LocalIncomingFile
from wheelgate.logs import error_location
from wheelgate.packages import IncomingFile, OngoingDownload, ReceivedFile, StoredFile

MAX_STATE_BYTES = 65_536
"""Bytes of a state file that are read."""
MAX_MESSAGE_CHARS = 2_000
"""Characters of the message of a refusal that other processes get."""
LINES_WHEN_ENDED = 2
"""Lines of the state file of a download that has ended."""
JOIN_POLL_SECONDS = 0.01
"""Seconds between two looks at a state file that another process is about to write."""
JOIN_TIMEOUT_SECONDS = 10.0
"""Seconds after which a client that waits for such a state file gets 503."""
CLOSE_TIMEOUT_SECONDS = 5.0
"""Seconds that a stopping server waits for downloads; perhaps no client needs them any more."""
SHARED_REFUSALS: dict[str, type[Refusal]] = {
    kind.__name__: kind
    for kind in (
        errors.BackendUnavailable,
        errors.BadUpstream,
        errors.Forbidden,
        errors.Gone,
        errors.NotFound,
        errors.StorageFull,
        errors.UpstreamTimeout,
    )
}
"""Refusals that other processes get with their own class, by the name in a state file."""

log = logging.getLogger("wheelgate.files")

Download = Callable[[IncomingFile], StoredFile]


class SharedDownloads:
    """The ongoing downloads of this machine."""

    def __init__(self, folder: Path, incoming: IncomingFolder, clean_up: Callable[[ReceivedFile], None]) -> None:
        self._folder = folder
        self._incoming = incoming
        self._clean_up = clean_up
        self._threads: list[threading.Thread] = []

    def fetch(self, key: str, size: int | None, download: Download) -> OngoingDownload:
        """Join the download with that key, or begin it."""
        path = self._folder / hashlib.sha256(key.encode()).hexdigest()
        deadline = time.monotonic() + JOIN_TIMEOUT_SECONDS
        with translated():
            make_private_folder(self._folder)
            while time.monotonic() < deadline:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                if not _try_lock(descriptor, fcntl.LOCK_EX):
                    if joined := self._join(descriptor):
                        return joined
                    time.sleep(JOIN_POLL_SECONDS)
                elif _still_named(descriptor, path) and not _lines(descriptor):
                    return self._begin(path, size, download, descriptor)
                else:
                    self._remove(path, descriptor)
        raise BackendUnavailable("the download has not started; try again in a moment", retry_after=5)

    def sweep(self) -> None:
        """Remove the leftovers of crashes. No other process may use the folder."""
        with translated(), suppress(FileNotFoundError):
            for path in self._folder.iterdir():
                path.unlink()

    def close(self) -> None:
        """Wait a short time for ongoing downloads; the next start removes their leftovers."""
        deadline = time.monotonic() + CLOSE_TIMEOUT_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _join(self, descriptor: int) -> SharedDownload | None:
        """Read along with another process; None if its download has not quite begun, or has just ended."""
        lines = _lines(descriptor)
        with suppress(FileNotFoundError):
            if lines:
                data = os.open(self._folder / lines[0]["data"], os.O_RDONLY | os.O_CLOEXEC)
                return SharedDownload(descriptor, data, lines[0]["size"])
        os.close(descriptor)
        return None

    def _begin(self, path: Path, size: int | None, download: Download, descriptor: int) -> SharedDownload:
        """Begin the download in a thread, which owns the locked descriptor from now on."""
        with ExitStack() as undo:
            undo.callback(self._remove, path, descriptor)
            incoming = TrackedIncomingFile(self._incoming.receive(()))
            undo.callback(incoming.clean_up, self._clean_up)
            # A second name for the bytes: the name of the incoming file changes when it is finished.
            data = path.with_name(f"{path.name}.{uuid4().hex}")
            os.link(incoming.path, data)
            undo.callback(data.unlink, missing_ok=True)
            _append(descriptor, {"data": data.name, "size": size})
            state_file, data_file = (os.open(each, os.O_RDONLY | os.O_CLOEXEC) for each in (path, data))
            shared = SharedDownload(state_file, data_file, size)
            thread = threading.Thread(
                target=copy_context().run,
                args=(self._run, download, incoming, descriptor, (path, data)),
                name="download",
                daemon=True,
            )
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
            thread.start()
            undo.pop_all()
        return shared

    def _run(self, download: Download, incoming: TrackedIncomingFile, descriptor: int, names: tuple[Path, ...]) -> None:
        """Download, and write how it ended."""
        outcome: dict[str, Any]
        try:
            try:
                stored = download(incoming)
                outcome = {"sha256": stored.sha256, "size": stored.size}
            except Refusal as refusal:
                kind = next((each.__name__ for each in type(refusal).mro() if each.__name__ in SHARED_REFUSALS), "")
                message = refusal.message[:MAX_MESSAGE_CHARS]
                outcome = {"refusal": kind, "message": message, "retry_after": refusal.retry_after}
            except Exception as error:  # noqa: BLE001 - clients must not wait for a plugin that has failed
                log.error("a download failed: %s", error_location(error))
                outcome = {"refusal": "", "message": "the server failed on this download; its log says where"}
            incoming.clean_up(self._clean_up)
            with suppress(OSError):  # the disk is full: the clients then take the download for interrupted
                _append(descriptor, outcome)
        finally:
            for name in names:
                with suppress(OSError):
                    name.unlink()
            os.close(descriptor)

    def _remove(self, path: Path, descriptor: int) -> None:
        """Remove the files of a download whose lock this process got: it has ended, or its writer has died."""
        if _still_named(descriptor, path):
            for line in _lines(descriptor)[:1]:
                (self._folder / line["data"]).unlink(missing_ok=True)
            path.unlink()
        os.close(descriptor)


class TrackedIncomingFile:
    """An incoming file that can be cleaned up in any state in which a plugin leaves it."""

    def __init__(self, incoming: LocalIncomingFile) -> None:
        self._incoming = incoming
        self._received: ReceivedFile | None = None

    @property
    def path(self) -> Path:
        """Its path until it is finished."""
        return self._incoming.path

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        self._incoming.write(chunk)

    def finish(self) -> ReceivedFile:
        """Return the received file."""
        self._received = self._incoming.finish()
        return self._received

    def discard(self) -> None:
        """Remove an incomplete file."""
        self._incoming.discard()

    def clean_up(self, clean_up: Callable[[ReceivedFile], None]) -> None:
        """Clean up the received file, or discard it if it was never finished."""
        if self._received is not None:
            clean_up(self._received)
        else:
            self._incoming.discard()


class SharedDownload:
    """A download for a client that waits for it. It owns its two descriptors."""

    def __init__(self, state_file: int, data_file: int, size: int | None) -> None:
        self._state_file = state_file
        self._data_file = data_file
        self._stored: StoredFile | None = None
        self._refusal: Refusal | None = None
        self._size = size

    def __del__(self) -> None:
        os.close(self._state_file)
        os.close(self._data_file)

    @property
    def path(self) -> Path:
        """A name for the descriptor of the growing file, which may have lost its own name."""
        return Path(f"/dev/fd/{self._data_file}")

    @property
    def size(self) -> int | None:
        """Bytes of the complete file; None if the upstream does not say."""
        return self._size

    def available(self) -> tuple[int, bool]:
        """Return how many bytes can be read now, and whether the file is complete."""
        if self._stored is None and self._refusal is None:
            self._check_state()
        if self._refusal is not None:
            raise self._refusal
        if self._stored is not None:
            return self._stored.size, True
        return max(0, os.fstat(self._data_file).st_size - 1), False

    def stored(self) -> StoredFile:
        """Return the stored file, once the download is complete."""
        self.available()
        if self._stored is None:
            raise BackendUnavailable("the file has not arrived yet; try again in a moment", retry_after=5)
        return self._stored

    def _check_state(self) -> None:
        """Find out whether the download has ended. A free lock without a second line means that the writer has died."""
        lines = _lines(self._state_file)
        if len(lines) < LINES_WHEN_ENDED and _try_lock(self._state_file, fcntl.LOCK_SH):
            fcntl.flock(self._state_file, fcntl.LOCK_UN)
            lines = _lines(self._state_file)
            if len(lines) < LINES_WHEN_ENDED:
                self._refusal = BackendUnavailable("the download was interrupted; try again", retry_after=1)
                return
        if len(lines) < LINES_WHEN_ENDED:
            return
        outcome = lines[1]
        if "refusal" in outcome:
            kind = SHARED_REFUSALS.get(outcome["refusal"], BackendUnavailable)
            self._refusal = kind(outcome["message"], retry_after=outcome.get("retry_after"))
        else:
            self._stored = StoredFile(outcome["sha256"], outcome["size"])


def _try_lock(descriptor: int, how: int) -> bool:
    """Take the lock if it is free; return whether it was free."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _still_named(descriptor: int, path: Path) -> bool:
    """Return whether an open file is still the one at ``path``."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), found)


def _lines(descriptor: int) -> list[dict[str, Any]]:
    """Return the complete lines of a state file."""
    return [json.loads(line) for line in os.pread(descriptor, MAX_STATE_BYTES, 0).split(b"\n")[:-1]]


def _append(descriptor: int, line: dict[str, Any]) -> None:
    os.write(descriptor, json.dumps(line).encode() + b"\n")
