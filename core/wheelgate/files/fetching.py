"""Downloads that all processes of this machine share: one writes, the others read what is there.

A download has a file whose lock its writer holds. The first line of it says where the bytes grow, a second one how it
ended; a lock that is free without a second line tells that the writer died. Whoever has the file open reads on in
peace when its name is gone.
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
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from wheelgate import errors
from wheelgate.errors import BackendUnavailable, Refusal
from wheelgate.files import errors as faults
from wheelgate.files.incoming import Drafts, WrittenDraft
from wheelgate.files.local import make_private
from wheelgate.logs import where
from wheelgate.packages import Draft, DraftFile, Growing, StoredFile

LONGEST_STATE = 65_536
"""Bytes of both lines together."""
LONGEST_SENTENCE = 2_000
"""Characters of a refusal that is passed on."""
BOTH = 2
LOOK_AGAIN = 0.01
PATIENCE = 10.0
"""Seconds between two looks, and altogether, for a first line that another process is about to write."""
LAST = 5.0
"""Seconds for which the end of the server waits for downloads that nobody may want any longer."""
PASSED_ON: dict[str, type[Refusal]] = {
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

log = logging.getLogger("wheelgate.files")

Download = Callable[[Draft], StoredFile]


class Fetching:
    """The downloads under way on this machine."""

    def __init__(self, folder: Path, drafts: Drafts, release: Callable[[DraftFile], None]) -> None:
        self._folder = folder
        self._drafts = drafts
        self._release = release
        self._threads: list[threading.Thread] = []

    def fetch(self, key: str, size: int | None, download: Download) -> Growing:
        """Join the download of that key, or begin it."""
        path = self._folder / hashlib.sha256(key.encode()).hexdigest()
        deadline = time.monotonic() + PATIENCE
        with faults.told():
            make_private(self._folder)
            while time.monotonic() < deadline:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                if not _locked(descriptor, fcntl.LOCK_EX):
                    if joined := self._join(descriptor):
                        return joined
                    time.sleep(LOOK_AGAIN)
                elif _named(descriptor, path) and not _lines(descriptor):
                    return self._lead(path, size, download, descriptor)
                else:
                    self._forget(path, descriptor)
        raise BackendUnavailable("a download does not get under way; try again in a moment", retry_after=5)

    def sweep(self) -> None:
        """Remove what crashes have left. No process may be at work in the folder."""
        with faults.told(), suppress(FileNotFoundError):
            for path in self._folder.iterdir():
                path.unlink()

    def close(self) -> None:
        """Wait a little for what is under way; the next start sweeps what it leaves."""
        deadline = time.monotonic() + LAST
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _join(self, descriptor: int) -> SharedDownload | None:
        """Read along with another one; None if that has not quite begun, or is just over."""
        lines = _lines(descriptor)
        with suppress(FileNotFoundError):
            if lines:
                data = os.open(self._folder / lines[0]["data"], os.O_RDONLY | os.O_CLOEXEC)
                return SharedDownload(descriptor, data, lines[0]["size"])
        os.close(descriptor)
        return None

    def _lead(self, path: Path, size: int | None, download: Download, descriptor: int) -> SharedDownload:
        """Begin the download in a thread that takes over the descriptor, and with it the lock."""
        draft = RememberedDraft(self._drafts.begin(()))
        try:
            # A second name for the bytes: the draft's own changes when it is finished.
            data = path.with_name(f"{path.name}.{uuid4().hex}")
            os.link(draft.path, data)
            _append(descriptor, {"data": data.name, "size": size})
            state, bytes_so_far = (os.open(each, os.O_RDONLY | os.O_CLOEXEC) for each in (path, data))
            growing = SharedDownload(state, bytes_so_far, size)
            thread = threading.Thread(
                target=self._run, args=(download, draft, descriptor, (path, data)), name="download", daemon=True
            )
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
            thread.start()
        except BaseException:
            draft.drop(self._release)
            self._forget(path, descriptor)
            raise
        return growing

    def _run(self, download: Download, draft: RememberedDraft, descriptor: int, names: tuple[Path, ...]) -> None:
        """Download, and say how it ended."""
        outcome: dict[str, Any]
        try:
            try:
                stored = download(draft)
                outcome = {"sha256": stored.sha256, "size": stored.size}
            except Refusal as refusal:
                kind = next((each.__name__ for each in type(refusal).mro() if each.__name__ in PASSED_ON), "")
                message = refusal.message[:LONGEST_SENTENCE]
                outcome = {"refusal": kind, "message": message, "retry_after": refusal.retry_after}
            except Exception as error:  # noqa: BLE001 - a plugin's fault must not keep clients waiting
                log.error("a download failed: %s", where(error))
                outcome = {"refusal": "", "message": "the server failed on this download; its log says where"}
            draft.drop(self._release)
            _append(descriptor, outcome)
        finally:
            for name in names:
                with suppress(OSError):
                    name.unlink()
            os.close(descriptor)

    def _forget(self, path: Path, descriptor: int) -> None:
        """Clear away a download whose lock was given to us: it is over, or its writer has died."""
        if _named(descriptor, path):
            for line in _lines(descriptor)[:1]:
                (self._folder / line["data"]).unlink(missing_ok=True)
            path.unlink()
        os.close(descriptor)


class RememberedDraft:
    """A draft of which the download keeps track, so that it goes however the plugin leaves it."""

    def __init__(self, draft: WrittenDraft) -> None:
        self._draft = draft
        self._finished: DraftFile | None = None

    @property
    def path(self) -> Path:
        """Where it grows."""
        return self._draft.path

    def write(self, chunk: bytes) -> None:
        """Append to it."""
        self._draft.write(chunk)

    def finish(self) -> DraftFile:
        """Return what was received."""
        self._finished = self._draft.finish()
        return self._finished

    def discard(self) -> None:
        """Give it up."""
        self._draft.discard()

    def drop(self, release: Callable[[DraftFile], None]) -> None:
        """Release it, or give it up if it was never finished."""
        if self._finished is not None:
            release(self._finished)
        else:
            self._draft.discard()


class SharedDownload:
    """A download as one of those sees it who wait for it; it owns its two descriptors."""

    def __init__(self, state: int, data: int, size: int | None) -> None:
        self._state = state
        self._data = data
        self._stored: StoredFile | None = None
        self._refusal: Refusal | None = None
        self._size = size

    def __del__(self) -> None:
        os.close(self._state)
        os.close(self._data)

    @property
    def path(self) -> Path:
        """Where the bytes grow: a name for the descriptor, since the file may have lost its own."""
        return Path(f"/dev/fd/{self._data}")

    @property
    def size(self) -> int | None:
        """Bytes that it will have; None if nobody knows."""
        return self._size

    def available(self) -> tuple[int, bool]:
        """Return how many bytes may be read now, and whether that is all."""
        if self._stored is None and self._refusal is None:
            self._look()
        if self._refusal is not None:
            raise self._refusal
        if self._stored is not None:
            return self._stored.size, True
        return max(0, os.fstat(self._data).st_size - 1), False

    def stored(self) -> StoredFile:
        """Return what it has become."""
        self.available()
        if self._stored is None:
            raise BackendUnavailable("the file has not arrived yet; try again in a moment", retry_after=5)
        return self._stored

    def _look(self) -> None:
        """Find out whether it has ended. A lock that is free, with nothing said, is that of a dead process."""
        lines = _lines(self._state)
        if len(lines) < BOTH and _locked(self._state, fcntl.LOCK_SH):
            fcntl.flock(self._state, fcntl.LOCK_UN)
            lines = _lines(self._state)
            if len(lines) < BOTH:
                self._refusal = BackendUnavailable("the download was interrupted; try again", retry_after=1)
                return
        if len(lines) < BOTH:
            return
        ended = lines[1]
        if "refusal" in ended:
            kind = PASSED_ON.get(ended["refusal"], BackendUnavailable)
            self._refusal = kind(ended["message"], retry_after=ended.get("retry_after"))
        else:
            self._stored = StoredFile(ended["sha256"], ended["size"])


def _locked(descriptor: int, how: int) -> bool:
    """Take the lock if it is free."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _named(descriptor: int, path: Path) -> bool:
    """Say whether an open file still has its name."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), found)


def _lines(descriptor: int) -> list[dict[str, Any]]:
    """Read the lines that are written whole."""
    return [json.loads(line) for line in os.pread(descriptor, LONGEST_STATE, 0).split(b"\n")[:-1]]


def _append(descriptor: int, line: dict[str, Any]) -> None:
    os.write(descriptor, json.dumps(line).encode() + b"\n")
