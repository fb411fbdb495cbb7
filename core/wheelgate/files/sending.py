"""Stored and growing files on their way out, chunk by chunk, and never one for whole that is not what it was."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Hashable

from wheelgate.errors import Refusal
from wheelgate.files import errors as faults
from wheelgate.files.backends import Opened, Store
from wheelgate.files.local import LocalFile
from wheelgate.files.sendfile import PIECE, STAND_IN, FileSender
from wheelgate.packages import Growing, StoredFile
from wheelgate.threads.pool import Pool

CHUNK = PIECE
"""Bytes: a quarter of it costs four times the system calls, and more does not save any."""
REMEMBERED = 10_000
"""Files of which a worker remembers that they are good."""
LOOK = 0.02
"""Seconds between two looks at a file that grows."""

Gone = Callable[[], bool]
"""Says whether the client has gone."""

log = logging.getLogger("wheelgate.files")


class Reader:
    """Opens stored files; the first time that this process sees one, its content is checked against its hash."""

    def __init__(self, store: Store, pool: Pool) -> None:
        self._store = store
        self._pool = pool
        self._proven: dict[str, Hashable] = {}

    async def open(self, stored: StoredFile) -> Content:
        """Open a file.

        Raises:
            Damaged: it is missing, or has another size.
        """
        if self._store.instant and stored.sha256 in self._proven:
            opened = self._store.open(stored)
        else:
            opened = await self._pool.run(self._store.open, stored)
        return Content(self, stored, opened, self._pool, proven=self._proven.get(stored.sha256) == opened.identity)

    def proves(self, stored: StoredFile, identity: Hashable) -> None:
        """Remember that a file is good."""
        if len(self._proven) >= REMEMBERED:
            self._proven.clear()
        self._proven[stored.sha256] = identity


class Content:
    """The content of a stored file that is open."""

    def __init__(self, reader: Reader, stored: StoredFile, opened: Opened, pool: Pool, *, proven: bool) -> None:
        self._reader = reader
        self._stored = stored
        self._opened = opened
        self._pool = pool
        self._proven = proven

    @property
    def modified(self) -> float:
        """When it was stored: seconds since 1970."""
        return self._opened.modified

    def close(self) -> None:
        """Let go of the file."""
        self._opened.close()

    async def part(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` up to ``stop``, at once: a small file, or little of a large one.

        Raises:
            Damaged: the file is not what it was.
        """
        if not self._proven:
            return await self._pool.run(self._prove_and_read, start, stop)
        return await self._read(start, stop)

    async def chunks(
        self, start: int, stop: int, gone: Gone, sender: Callable[[], FileSender | None] | None
    ) -> AsyncIterator[bytes]:
        """Give the bytes from ``start`` up to ``stop``; the last ones are missing if the file is not what it was.

        With a sender, what is at hand goes by way of that, and a stand-in is given for it.
        """
        first = start  # goes with the head of the answer, and so not directly
        try:
            if not self._proven and (start, stop) != (0, self._stored.size):
                await self._pool.run(self._prove)
            hasher = None if self._proven else hashlib.sha256()
            direct = sender() if sender is not None and hasher is None and self._opened.descriptor >= 0 else None
            while start < stop and not gone():
                end = min(start + CHUNK, stop)
                if direct is not None and start > first and end - start == PIECE and self._opened.at_hand(start, PIECE):
                    direct.announce(self._opened.descriptor, start)
                    chunk = STAND_IN
                elif hasher is None:
                    chunk = await self._read(start, end)
                else:
                    chunk = await self._pool.run(self._read_hashing, start, end, hasher)
                    if end == stop:
                        self._judge(hasher.hexdigest())
                yield chunk
                start = end
                await asyncio.sleep(0)  # others must have their turn too, however quickly this client reads
        except Refusal as error:
            # The answer has begun: all that is left is not to end it as whole.
            log.error("the download of a stored file was cut off: %s", error)
        finally:
            self.close()

    async def _read(self, start: int, stop: int) -> bytes:
        found = self._opened.read_now(start, stop - start)
        return found if found is not None else await self._pool.run(self._opened.read, start, stop - start)

    def _read_hashing(self, start: int, stop: int, hasher: hashlib._Hash) -> bytes:
        chunk = self._opened.read(start, stop - start)
        hasher.update(chunk)
        return chunk

    def _prove_and_read(self, start: int, stop: int) -> bytes:
        if (start, stop) != (0, self._stored.size):
            self._prove()
            return self._opened.read(start, stop - start)
        data = self._opened.read(start, stop)
        self._judge(hashlib.sha256(data).hexdigest())
        return data

    def _prove(self) -> None:
        """Read the whole file and compare its hash."""
        hasher = hashlib.sha256()
        for start in range(0, self._stored.size, CHUNK):
            self._read_hashing(start, min(start + CHUNK, self._stored.size), hasher)
        self._judge(hasher.hexdigest())

    def _judge(self, sha256: str) -> None:
        if sha256 != self._stored.sha256:
            raise faults.damaged(self._stored, "not what it was: its hash is another one")
        self._proven = True
        self._reader.proves(self._stored, self._opened.identity)


async def growing_chunks(growing: Growing, pool: Pool, gone: Gone) -> AsyncIterator[bytes]:
    """Give the bytes of a file as they arrive; what ends early ends without the last ones.

    Raises:
        ConnectionAbortedError: it ended early, and nobody knew its size: a plain end would look like that of a whole.
    """
    file = LocalFile(str(growing.path))
    start, whole = 0, False
    try:
        while not whole and not gone():
            there, whole = growing.available()
            if there == start and not whole:
                await asyncio.sleep(LOOK)
            while start < there and not gone():
                stop = min(start + CHUNK, there)
                chunk = file.read_now(start, stop - start)
                yield chunk if chunk is not None else await pool.run(file.read, start, stop - start)
                start = stop
    except Refusal as error:
        log.warning("a download was cut off, because its source ended early: %s", error)
        if growing.size is None:
            raise ConnectionAbortedError("the source of a download ended early") from None
    finally:
        file.close()
