"""Stored files in a bucket of an object store that speaks S3: ``prefix/sha256/ab/cdef…``.

The library is obstore: a single wheel without dependencies, synchronous where it is called so, and large files go up in
parts without passing through Python. fsspec would bring s3fs, aiobotocore and botocore, and an event loop of its own.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from wheelgate.errors import BackendUnavailable, StartupError
from wheelgate.files import errors as faults
from wheelgate.files.backends import place
from wheelgate.packages import DraftFile, StoredFile

FOLDER = "sha256/"
PART = 8 << 20
PARTS_AT_ONCE = 2
"""Bytes of a part of a large upload, and how many are in memory at once."""
PATIENCE = timedelta(seconds=30)


class S3Object:
    """An object of the bucket, as it was when it was opened."""

    descriptor = -1

    def __init__(self, bucket: Bucket, name: str, found: Mapping[str, Any]) -> None:
        self._bucket = bucket
        self._name = name
        self.size: int = found["size"]
        self.modified: float = found["last_modified"].timestamp()
        self.identity: Hashable = (found["e_tag"], self.modified, self.size)

    def read(self, start: int, count: int) -> bytes:
        """Return as many bytes from there on.

        Raises:
            BackendUnavailable: the object store does not answer, or has removed it.
        """
        if not count:
            return b""
        with self._bucket.told():
            found = self._bucket.library.get_range(self._bucket.store, self._name, start=start, length=count)
            return bytes(found)

    def at_hand(self, start: int, count: int) -> bool:
        """Say no: a network takes its time."""
        return False

    def read_now(self, start: int, count: int) -> bytes | None:
        """Return nothing: a network takes its time."""
        return None

    def close(self) -> None:
        """Do nothing: no connection belongs to it."""


class Bucket:
    """The bucket, and the library that reaches it; made in the process that uses it, for it starts threads."""

    def __init__(self, url: str, endpoint: str | None, environment: Mapping[str, str]) -> None:
        """Take ``s3://bucket/prefix``, and the address of a store that is not Amazon's.

        Raises:
            StartupError: obstore is not installed, or does not take these settings.
        """
        try:
            import obstore  # here, because most servers run without it
            from obstore import store
        except ImportError:
            raise StartupError(
                "--files: an object store needs the library obstore, which is not installed; run: "
                "pip install 'wheelgate[s3]'"
            ) from None
        self.library: Any = obstore
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        endpoint = endpoint or environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
        settings: dict[str, Any] = {"endpoint": endpoint} if endpoint else {}
        try:
            self.store: Any = store.S3Store(
                bucket,
                prefix=prefix.strip("/") or None,
                client_options={"allow_http": bool(endpoint and endpoint.startswith("http://")), "timeout": PATIENCE},
                retry_config={"max_retries": 3, "retry_timeout": PATIENCE},
                **settings,
            )
        except (obstore.exceptions.BaseError, ValueError, TypeError):  # its text may quote a credential
            raise StartupError(
                "--files: the settings of the object store cannot be used; look at the AWS_* environment variables"
            ) from None

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn what the library raises into a refusal that shows no name of the store."""
        try:
            yield
        except (self.library.exceptions.BaseError, OSError) as error:
            raise BackendUnavailable(
                f"the object store of the server's files does not do what it should ({type(error).__name__}); try"
                " again in a moment",
                retry_after=5,
            ) from error


class S3Store:
    """The bucket as a store of files."""

    instant = False

    def __init__(self, url: str, endpoint: str | None) -> None:
        self._bucket = Bucket(url, endpoint, os.environ)

    def put(self, draft: DraftFile) -> None:
        """Upload the draft, unless it is there; an object appears whole or not at all."""
        if self.size(draft.stored.sha256) != draft.stored.size:
            with self._bucket.told():
                self._bucket.library.put(
                    self._bucket.store,
                    FOLDER + place(draft.stored.sha256),
                    Path(draft.path) if draft.path else draft.content,
                    chunk_size=PART,
                    max_concurrency=PARTS_AT_ONCE,
                )

    def secure(self, draft: DraftFile) -> None:
        """Do nothing: an object store answers when it has an object."""

    def size(self, sha256: str) -> int | None:
        """Return how many bytes a file has; None if it is not there."""
        found = self._head(sha256)
        return None if found is None else found["size"]

    def remove(self, place: str) -> None:
        """Remove what lies at a place, if anything does."""
        with self._bucket.told():
            self._bucket.library.delete(self._bucket.store, FOLDER + place)

    def open(self, stored: StoredFile) -> S3Object:
        """Open a file.

        Raises:
            Damaged: it is gone, or has another size.
        """
        found = self._head(stored.sha256)
        if found is None:
            raise faults.damaged(stored, "missing")
        if found["size"] != stored.size:
            raise faults.damaged(stored, f"{found['size']} bytes long instead of {stored.size}")
        return S3Object(self._bucket, FOLDER + place(stored.sha256), found)

    def set_aside(self, sha256: str) -> None:
        """Move a damaged file to where it does no harm."""
        with self._bucket.told():
            self._bucket.library.rename(self._bucket.store, FOLDER + place(sha256), f"damaged/{sha256}")

    def all(self) -> Iterator[tuple[str, float]]:
        """Find every file: its place, and when it came."""
        with self._bucket.told():
            for found in self._bucket.library.list(self._bucket.store, prefix=FOLDER):
                for each in found:
                    yield each["path"].removeprefix(FOLDER), each["last_modified"].timestamp()

    def _head(self, sha256: str) -> Mapping[str, Any] | None:
        with self._bucket.told():
            try:
                found: Mapping[str, Any] = self._bucket.library.head(self._bucket.store, FOLDER + place(sha256))
            except FileNotFoundError:
                return None
            return found
