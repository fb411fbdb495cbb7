"""Stored files in a bucket of an object store that speaks S3: ``prefix/sha256/ab/cdef…``.

The library is obstore: a single wheel without dependencies. Its calls are synchronous, and it uploads large files in
parts that do not pass through Python. fsspec would need s3fs, aiobotocore, botocore and an event loop of its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from wheelgate.errors import BackendUnavailable, StartupError
from wheelgate.files.backends import path_in_store
from wheelgate.files.errors import damaged_file
from wheelgate.packages import ReceivedFile, StoredFile

KEY_PREFIX = "sha256/"
"""The beginning of the key of every stored file; set-aside ones have another."""
UPLOAD_PART_BYTES = 8 << 20
"""Bytes of one part of a large upload."""
UPLOAD_PARTS_IN_FLIGHT = 2
"""Parts of one upload that are in memory at the same time."""
REQUEST_TIMEOUT = timedelta(seconds=30)
"""The limit of one request, and of all attempts at it together."""
FAILURE_REASONS = (
    # The address of the service from which machines at Amazon get credentials: it is asked if no variable has any.
    ("/latest/api/token|/latest/meta-data", "the server has no credentials for it"),
    ("NoSuchBucket", "there is no such bucket"),
    ("AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|403 Forbidden|401 Unauth", "it refuses the credentials"),
    ("error sending request|timed out", "it does not answer"),
)
"""What an error of obstore means, by a pattern of its text, which itself has addresses; most have the same type."""


class S3Object:
    """An object of the bucket, in its state when it was opened."""

    descriptor = -1

    def __init__(self, bucket: Bucket, name: str, found: Mapping[str, Any]) -> None:
        self._bucket = bucket
        self._name = name
        self.size: int = found["size"]
        self.modified: float = found["last_modified"].timestamp()
        self.identity: Hashable = (found["e_tag"], self.modified, self.size)

    def read(self, start: int, count: int) -> bytes:
        """Return ``count`` bytes from ``start``.

        Raises:
            BackendUnavailable: the object store does not answer, or has removed the object.
        """
        if not count:
            return b""
        with self._bucket.translated():
            found = self._bucket.library.get_range(self._bucket.store, self._name, start=start, length=count)
            return bytes(found)

    def in_page_cache(self, start: int, count: int) -> bool:
        """Return False: the bytes have to come over a network."""
        return False

    def read_cached(self, start: int, count: int) -> bytes | None:
        """Return None: the bytes have to come over a network."""
        return None

    def close(self) -> None:
        """Do nothing: an open object holds no connection."""


class Bucket:
    """The bucket, and the library to reach it. It starts threads, so each process needs its own after a fork."""

    def __init__(self, url: str, endpoint: str | None, environment: Mapping[str, str]) -> None:
        """Open ``s3://bucket/prefix``; ``endpoint`` is the address of a store that is not Amazon's.

        Raises:
            StartupError: obstore is not installed, or does not accept these settings.
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
        plain = bool(endpoint and endpoint.startswith("http://"))
        try:
            self.store: Any = store.S3Store(
                bucket,
                prefix=prefix.strip("/") or None,
                client_options={"allow_http": plain, "timeout": REQUEST_TIMEOUT},
                retry_config={"max_retries": 3, "retry_timeout": REQUEST_TIMEOUT},
                **settings,
            )
        except (obstore.exceptions.BaseError, ValueError, TypeError):  # its text may quote a credential
            raise StartupError(
                "--files: the settings of the object store cannot be used; check the AWS_* environment variables"
            ) from None

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn an error of the library inside the ``with`` block into a refusal without any name of the store."""
        try:
            yield
        except (self.library.exceptions.BaseError, OSError) as error:
            raise BackendUnavailable(
                f"the object store for package files does not work ({failure_reason(error)}); try again in a moment",
                retry_after=5,
            ) from error


def failure_reason(error: Exception) -> str:
    """Say in a few words, without any name of the store, why a request to it failed."""
    text = str(error)
    return next((reason for pattern, reason in FAILURE_REASONS if re.search(pattern, text)), type(error).__name__)


class S3Backend:
    """The bucket as a file backend."""

    instant = False

    def __init__(self, url: str, endpoint: str | None) -> None:
        self._bucket = Bucket(url, endpoint, os.environ)

    def put(self, received: ReceivedFile) -> None:
        """Upload a file unless the bucket has it. An object is either complete or absent."""
        if self.size(received.stored.sha256) != received.stored.size:
            with self._bucket.translated():
                self._bucket.library.put(
                    self._bucket.store,
                    KEY_PREFIX + path_in_store(received.stored.sha256),
                    Path(received.path) if received.path else received.content,
                    chunk_size=UPLOAD_PART_BYTES,
                    max_concurrency=UPLOAD_PARTS_IN_FLIGHT,
                )

    def sync(self, received: ReceivedFile) -> None:
        """Do nothing: an object store does not answer before the object is durable."""

    def size(self, sha256: str) -> int | None:
        """Return the size of a file in bytes; None if there is none of that hash."""
        found = self._head(sha256)
        return None if found is None else found["size"]

    def remove(self, path: str) -> None:
        """Remove the object at a path of the store, if there is one."""
        with self._bucket.translated():
            self._bucket.library.delete(self._bucket.store, KEY_PREFIX + path)

    def open(self, stored: StoredFile) -> S3Object:
        """Open a file.

        Raises:
            Damaged: it is missing, or has another size.
        """
        found = self._head(stored.sha256)
        if found is None:
            raise damaged_file(stored, "missing")
        if found["size"] != stored.size:
            raise damaged_file(stored, f"{found['size']} bytes long instead of {stored.size}")
        return S3Object(self._bucket, KEY_PREFIX + path_in_store(stored.sha256), found)

    def set_aside(self, sha256: str) -> None:
        """Move a damaged file to ``damaged/``."""
        with self._bucket.translated():
            self._bucket.library.rename(self._bucket.store, KEY_PREFIX + path_in_store(sha256), f"damaged/{sha256}")

    def list_files(self) -> Iterator[tuple[str, float]]:
        """Return the path of every object in the store, and when it was stored, in seconds since 1970."""
        with self._bucket.translated():
            for found in self._bucket.library.list(self._bucket.store, prefix=KEY_PREFIX):
                for each in found:
                    yield each["path"].removeprefix(KEY_PREFIX), each["last_modified"].timestamp()

    def _head(self, sha256: str) -> Mapping[str, Any] | None:
        with self._bucket.translated():
            try:
                found: Mapping[str, Any] = self._bucket.library.head(
                    self._bucket.store, KEY_PREFIX + path_in_store(sha256)
                )
            except FileNotFoundError:
                return None
            return found
