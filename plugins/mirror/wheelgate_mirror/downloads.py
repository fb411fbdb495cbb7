"""Downloads of an upstream's files into the store. No client receives a whole file before it is verified."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import orjson

from wheelgate import Index, Server
from wheelgate.errors import BadUpstream, NotFound
from wheelgate.packages import IncomingFile, OngoingDownload, ReceivedFile, StoredFile
from wheelgate.packages.wheel_metadata import MAX_METADATA_FILE_BYTES, read_wheel_metadata
from wheelgate_mirror import queries
from wheelgate_mirror.offline import not_cached
from wheelgate_mirror.pages import UpstreamFile
from wheelgate_mirror.queries import MirroredFile
from wheelgate_mirror.upstream import UpstreamClient, UpstreamResponse
from wheelgate_mirror.upstream_urls import UpstreamIndex
from wheelgate_mirror.uses import day

MAX_FILE_BYTES = 64 << 30
"""The largest file, if the upstream does not give a size."""
MAX_PROVENANCE_BYTES = 8 << 20
"""The largest provenance of a file (PEP 740)."""
FILE_TIMEOUT_SECONDS = 3600.0
"""How long the download of a file may take."""
SIBLING_TIMEOUT_SECONDS = 30.0
"""How long the download of metadata or provenance may take."""
COMPLETION_POLL_SECONDS = 0.02
"""Pause between two checks whether a download is complete."""


Receive = Callable[[IncomingFile], ReceivedFile]
"""Writes a file, and returns it after its last byte."""


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """A file to download, and its limits."""

    path: str
    """Its address below the mirror."""
    url: str
    hashes: Mapping[str, str]
    """Hexadecimal, by name; all of them are verified."""
    size: int | None
    """Bytes; None if the upstream does not say."""
    max_bytes: int
    seconds: float
    """How long the download may take."""


class Downloads:
    """Downloads the files on a mirror's pages."""

    def __init__(self, server: Server, client: UpstreamClient) -> None:
        self._server = server
        self._client = client

    def start(self, index: Index, upstream: UpstreamIndex, project: str, file: UpstreamFile) -> OngoingDownload:
        """Start the download of a file, or join one that is already running."""
        max_bytes = MAX_FILE_BYTES if file.size is None else file.size
        request = DownloadRequest(file.path, file.url, file.hashes, file.size, max_bytes, FILE_TIMEOUT_SECONDS)
        return self._start(index, project, file, request, partial(self._receive, upstream, request))

    def core_metadata(self, index: Index, upstream: UpstreamIndex, project: str, file: UpstreamFile) -> StoredFile:
        """Download and store the metadata next to a file; take those in the wheel if the upstream has none there.

        Raises:
            NotFound: the upstream has none, and the file has none that can be read.
        """
        address, question, query = file.url.partition("?")
        url = f"{address}.metadata{question}{query}"
        hashes = {"sha256": file.core_metadata} if file.core_metadata else {}
        request = _metadata_request(file, url, hashes)
        try:
            return wait_for(self._start(index, project, file, request, partial(self._receive, upstream, request)))
        except NotFound:
            if not file.name.endswith(".whl"):
                raise
            stored = self._store_metadata(index, project, file, wait_for(self.start(index, upstream, project, file)))
            if stored is None:
                raise
        return stored

    def metadata_in_wheel(self, index: Index, project: str, file: UpstreamFile, wheel: StoredFile | None) -> StoredFile:
        """Store the metadata in a downloaded wheel, without a request.

        Raises:
            NotCached: the file is not downloaded, or has none that can be read.
        """
        stored = None
        if wheel is not None and file.name.endswith(".whl"):
            stored = self._store_metadata(index, project, file, wheel)
        if stored is None:
            raise not_cached(index, f"the core metadata of '{file.name}'")
        return stored

    def _store_metadata(self, index: Index, project: str, file: UpstreamFile, wheel: StoredFile) -> StoredFile | None:
        """Store the metadata in a wheel as if they came from next to it; None if they cannot be read."""
        with self._server.files.open(wheel) as opened:
            content = read_wheel_metadata(opened)
        if content is None:
            return None
        return wait_for(self._start(index, project, file, _metadata_request(file, "", {}), partial(_write, content)))

    def provenance(self, upstream: UpstreamIndex, file: UpstreamFile) -> bytes:
        """Return the provenance of a file, without storing it."""
        if file.provenance is None:
            raise NotFound(f"'{file.name}' has no provenance")
        with self._client.get(upstream, file.provenance, {}, seconds=SIBLING_TIMEOUT_SECONDS) as response:
            if response.status != 200:
                raise response.refusal(f"the provenance of '{file.name}'")
            body = bytes(response.body(MAX_PROVENANCE_BYTES))
            try:
                orjson.loads(body)
            except orjson.JSONDecodeError as error:
                raise BadUpstream(f"'{response.host}' sends a provenance that is not JSON") from error
            return body

    def _start(
        self, index: Index, project: str, file: UpstreamFile, request: DownloadRequest, receive: Receive
    ) -> OngoingDownload:
        files, database = self._server.files, self._server.database

        def download(incoming: IncomingFile) -> StoredFile:
            if found := queries.find_file(database, index.path, request.path):
                return found[0].stored
            received = receive(incoming)
            mirrored = MirroredFile(request.path, project, file.version, received.stored, file.upload_time, day())
            files.store(received)
            with database.transaction():
                files.ensure_stored(received)
                if self._server.indices.get(index.owner, index.name) is None:
                    raise NotFound(f"index '{index.path}' was deleted during the download")
                queries.record_file(database, index.path, mirrored)
                if _is_news(file, request.path, received.stored):
                    queries.change_stamp(database, index.path, project)
            return received.stored

        return files.fetch(f"{index.path}/{request.path}", request.size, download)

    def _receive(self, upstream: UpstreamIndex, request: DownloadRequest, incoming: IncomingFile) -> ReceivedFile:
        """Download a file, and refuse it unless size and hashes match the upstream's page."""
        others = {name: hashlib.new(name, usedforsecurity=False) for name in request.hashes if name != "sha256"}
        # Undoing a Content-Encoding would change the file.
        headers = {"Accept-Encoding": "identity"}
        with self._client.get(upstream, request.url, headers, seconds=request.seconds) as response:
            if response.status != 200:
                raise response.refusal(f"'{_name(request)}'")
            for chunk in response.chunks(request.max_bytes, decode=False):
                incoming.write(chunk)
                for hasher in others.values():
                    hasher.update(chunk)
            received = incoming.finish()
            hashes = {"sha256": received.stored.sha256, **{name: hasher.hexdigest() for name, hasher in others.items()}}
            _verify(response, request, received.stored.size, hashes)
        return received


def _metadata_request(file: UpstreamFile, url: str, hashes: Mapping[str, str]) -> DownloadRequest:
    """Return the request for the metadata next to a file."""
    path = f"{file.path}.metadata"
    return DownloadRequest(path, url, hashes, None, MAX_METADATA_FILE_BYTES, SIBLING_TIMEOUT_SECONDS)


def _write(content: bytes, incoming: IncomingFile) -> ReceivedFile:
    """Write the whole content of a file."""
    incoming.write(content)
    return incoming.finish()


def _is_news(file: UpstreamFile, path: str, stored: StoredFile) -> bool:
    """Return whether the page can say more about a file now: its size, or the digest of its metadata."""
    if path == file.path:
        return file.size is None
    return stored.sha256 != file.core_metadata


def _verify(response: UpstreamResponse, request: DownloadRequest, size: int, hashes: Mapping[str, str]) -> None:
    """Raise ``BadUpstream`` if a received file is not the one on the upstream's page."""
    if request.size not in (None, size):
        raise BadUpstream(
            f"'{response.host}' sends {size} bytes of '{_name(request)}' instead of {request.size}; try again later"
        )
    wrong = [name for name, value in request.hashes.items() if hashes[name] != value]
    if wrong:
        raise BadUpstream(
            f"'{response.host}' sends another '{_name(request)}' than it announces: its {', '.join(wrong)} is wrong"
        )


def _name(request: DownloadRequest) -> str:
    return request.path.rpartition("/")[2]


def wait_for(download: OngoingDownload) -> StoredFile:
    """Wait until a download is complete; it has its own time limit."""
    while not download.available()[1]:
        time.sleep(COMPLETION_POLL_SECONDS)
    return download.stored()
