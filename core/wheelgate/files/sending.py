"""Stored files and ongoing downloads on their way to a client. A damaged file never looks like a complete one."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Hashable

from wheelgate.caches import LruCache
from wheelgate.errors import Refusal
from wheelgate.files.backends import FileBackend, OpenFile
from wheelgate.files.errors import damaged_file
from wheelgate.files.local import LocalFile
from wheelgate.files.sendfile import SENDFILE_MARKER, SENDFILE_PIECE_BYTES, SendfileTransfer
from wheelgate.packages import OngoingDownload, StoredFile
from wheelgate.threads.pool import ThreadPool

SEND_CHUNK_BYTES = SENDFILE_PIECE_BYTES
"""Bytes of a chunk. A quarter of it costs four times the system calls, and more saves none."""
VERIFIED_CACHE_ENTRIES = 10_000
"""Verified files that a worker remembers, to not verify them again."""
DOWNLOAD_POLL_SECONDS = 0.02
"""Seconds between two looks at a download that has no new bytes."""

ClientGone = Callable[[], bool]
"""Returns whether the client has closed its connection."""

log = logging.getLogger("wheelgate.files")


class FileReader:
    """Opens stored files. When a process sends a file for the first time, it compares the content with the hash."""

    def __init__(self, backend: FileBackend, pool: ThreadPool) -> None:
        self._backend = backend
        self._pool = pool
        self._verified: LruCache[str, Hashable] = LruCache(VERIFIED_CACHE_ENTRIES)
        """The identity of each verified file, by its hash."""

    async def open(self, stored: StoredFile) -> FileContent:
        """Open a file.

        Raises:
            Damaged: it is missing, or has another size.
        """
        identity = self._verified.get(stored.sha256)
        if self._backend.instant and identity is not None:
            file = self._backend.open(stored)
        else:
            file = await self._pool.run(self._backend.open, stored)
        return FileContent(self, stored, file, self._pool, verified=identity == file.identity)

    def mark_verified(self, stored: StoredFile, identity: Hashable) -> None:
        """Remember that the content of a file has the right hash."""
        self._verified.put(stored.sha256, identity)


class FileContent:
    """The content of an open stored file."""

    def __init__(
        self, reader: FileReader, stored: StoredFile, file: OpenFile, pool: ThreadPool, *, verified: bool
    ) -> None:
        self._reader = reader
        self._stored = stored
        self._file = file
        self._pool = pool
        self._verified = verified

    @property
    def modified(self) -> float:
        """When it was stored, in seconds since 1970."""
        return self._file.modified

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    async def part(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` up to ``stop`` at once; for small files, and small parts of large ones.

        Raises:
            Damaged: the content has another hash.
        """
        if not self._verified:
            return await self._pool.run(self._verify_and_read, start, stop)
        return await self._read(start, stop)

    async def chunks(
        self, start: int, stop: int, client_gone: ClientGone, transfer: Callable[[], SendfileTransfer | None] | None
    ) -> AsyncIterator[bytes]:
        """Return the bytes from ``start`` up to ``stop`` in chunks. A damaged file ends before its last chunk.

        Args:
            start: the first byte.
            stop: the byte after the last one.
            client_gone: ends it early.
            transfer: makes the transfer that sends pieces from the page cache; the marker takes their place here.
        """
        first = start  # this chunk leaves together with the head of the answer, so not by sendfile
        try:
            if not self._verified and (start, stop) != (0, self._stored.size):
                await self._pool.run(self._verify)
            hasher = None if self._verified else hashlib.sha256()
            direct = transfer() if transfer is not None and hasher is None and self._file.descriptor >= 0 else None
            while start < stop and not client_gone():
                end = min(start + SEND_CHUNK_BYTES, stop)
                if direct is not None and start > first and self._is_cached_piece(start, end):
                    direct.set_next_piece(self._file.descriptor, start)
                    chunk = SENDFILE_MARKER
                elif hasher is None:
                    chunk = await self._read(start, end)
                else:
                    chunk = await self._pool.run(self._read_hashing, start, end, hasher)
                    if end == stop:
                        self._compare(hasher.hexdigest())
                yield chunk
                start = end
                await asyncio.sleep(0)  # lets other requests run, however fast this client reads
        except Refusal as error:
            # The answer has begun, so it can only be cut off.
            log.error("the download of a stored file was cut off: %s", error)
        finally:
            self.close()

    def _is_cached_piece(self, start: int, end: int) -> bool:
        return end - start == SENDFILE_PIECE_BYTES and self._file.in_page_cache(start, SENDFILE_PIECE_BYTES)

    async def _read(self, start: int, stop: int) -> bytes:
        found = self._file.read_cached(start, stop - start)
        return found if found is not None else await self._pool.run(self._file.read, start, stop - start)

    def _read_hashing(self, start: int, stop: int, hasher: hashlib._Hash) -> bytes:
        chunk = self._file.read(start, stop - start)
        hasher.update(chunk)
        return chunk

    def _verify_and_read(self, start: int, stop: int) -> bytes:
        if (start, stop) != (0, self._stored.size):
            self._verify()
            return self._file.read(start, stop - start)
        data = self._file.read(start, stop)
        self._compare(hashlib.sha256(data).hexdigest())
        return data

    def _verify(self) -> None:
        """Read the complete file and compare its hash."""
        hasher = hashlib.sha256()
        for start in range(0, self._stored.size, SEND_CHUNK_BYTES):
            self._read_hashing(start, min(start + SEND_CHUNK_BYTES, self._stored.size), hasher)
        self._compare(hasher.hexdigest())

    def _compare(self, sha256: str) -> None:
        if sha256 != self._stored.sha256:
            raise damaged_file(self._stored, "changed: its content has another hash")
        self._verified = True
        self._reader.mark_verified(self._stored, self._file.identity)


async def download_chunks(download: OngoingDownload, pool: ThreadPool, client_gone: ClientGone) -> AsyncIterator[bytes]:
    """Return the bytes of a file as they arrive. If the download fails, the last byte is never sent.

    Raises:
        ConnectionAbortedError: the download of a file of unknown size failed. A normal end would look complete.
    """
    file = LocalFile(str(download.path))
    start, complete = 0, False
    try:
        while not complete and not client_gone():
            available, complete = download.available()
            if available == start and not complete:
                await asyncio.sleep(DOWNLOAD_POLL_SECONDS)
            while start < available and not client_gone():
                stop = min(start + SEND_CHUNK_BYTES, available)
                chunk = file.read_cached(start, stop - start)
                yield chunk if chunk is not None else await pool.run(file.read, start, stop - start)
                start = stop
    except Refusal as error:
        log.warning("a download was cut off because its source ended early: %s", error)
        if download.size is None:
            raise ConnectionAbortedError("the source of a download ended early") from None
    finally:
        file.close()
