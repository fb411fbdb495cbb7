"""Files on their way from an upstream into the store: checked before anybody has them whole."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from wheelgate import Index, Server
from wheelgate.errors import BadUpstream, NotFound
from wheelgate.packages import IncomingFile, OngoingDownload, ReceivedFile, StoredFile
from wheelgate_mirror import queries
from wheelgate_mirror.pages import Offer
from wheelgate_mirror.queries import CachedFile
from wheelgate_mirror.upstream import Upstreams
from wheelgate_mirror.upstream_urls import Place

LARGEST_FILE = 64 << 30
"""Bytes, where the upstream does not say how many there are."""
LARGEST_METADATA = 16 << 20
LARGEST_PROVENANCE = 8 << 20
FILE_TIME = 3600.0
SIBLING_TIME = 30.0
"""Seconds that the whole answer may take."""
LOOK_AGAIN = 0.02
"""Seconds between two looks at a download that somebody waits for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch."""

    path: str
    url: str
    hashes: Mapping[str, str]
    size: int | None
    """Bytes; None if nobody knows."""
    largest: int
    seconds: float


class Downloads:
    """Fetches what a mirror's pages offer."""

    def __init__(self, server: Server, upstreams: Upstreams) -> None:
        self._server = server
        self._upstreams = upstreams

    def file(self, index: Index, place: Place, project: str, offer: Offer) -> OngoingDownload:
        """Begin to fetch a file, or join the download of it."""
        largest = LARGEST_FILE if offer.size is None else offer.size
        wanted = Wanted(offer.path, offer.url, offer.hashes, offer.size, largest, FILE_TIME)
        return self._begin(index, place, project, offer, wanted)

    def metadata(self, index: Index, place: Place, project: str, offer: Offer) -> StoredFile:
        """Fetch the core metadata beside a file, and keep it."""
        head, question, query = offer.url.partition("?")
        url = f"{head}.metadata{question}{query}"
        hashes = {"sha256": offer.core_metadata} if offer.core_metadata else {}
        wanted = Wanted(f"{offer.path}.metadata", url, hashes, None, LARGEST_METADATA, SIBLING_TIME)
        return wait_for(self._begin(index, place, project, offer, wanted))

    def provenance(self, place: Place, offer: Offer) -> bytes:
        """Pass on the provenance of a file."""
        if offer.provenance is None:
            raise NotFound(f"'{offer.name}' has no provenance")
        with self._upstreams.ask(place, offer.provenance, {}, seconds=SIBLING_TIME) as answer:
            if answer.status != 200:
                raise answer.refusal(f"the provenance of '{offer.name}'")
            body = bytes(answer.body(LARGEST_PROVENANCE))
            try:
                orjson.loads(body)
            except orjson.JSONDecodeError as error:
                raise BadUpstream(f"'{answer.host}' answers with no JSON for a provenance") from error
            return body

    def _begin(self, index: Index, place: Place, project: str, offer: Offer, wanted: Wanted) -> OngoingDownload:
        files, database = self._server.files, self._server.database

        def download(draft: IncomingFile) -> StoredFile:
            if found := queries.file(database, index.path, wanted.path):
                return found[0].stored
            made = self._receive(place, wanted, draft)
            cached = CachedFile(wanted.path, project, offer.version, made.stored, offer.upload_time)
            files.store(made)
            with database.transaction():
                files.ensure_stored(made)
                if self._server.indices.get(index.owner, index.name) is None:
                    raise NotFound(f"index '{index.path}' was deleted meanwhile")
                queries.add_file(database, index.path, cached)
            return made.stored

        return files.fetch(f"{index.path}/{wanted.path}", wanted.size, download)

    def _receive(self, place: Place, wanted: Wanted, draft: IncomingFile) -> ReceivedFile:
        """Write a file into a draft; what is not as it was announced is refused."""
        name = wanted.path.rpartition("/")[2]
        others = {kind: hashlib.new(kind, usedforsecurity=False) for kind in wanted.hashes if kind != "sha256"}
        # Undoing an encoding would make another file of it.
        headers = {"Accept-Encoding": "identity"}
        with self._upstreams.ask(place, wanted.url, headers, seconds=wanted.seconds) as answer:
            if answer.status != 200:
                raise answer.refusal(f"'{name}'")
            for chunk in answer.chunks(wanted.largest, decode=False):
                draft.write(chunk)
                for hasher in others.values():
                    hasher.update(chunk)
            made = draft.finish()
            if wanted.size not in (None, made.stored.size):
                raise BadUpstream(
                    f"'{answer.host}' sends {made.stored.size} bytes of '{name}' instead of {wanted.size};"
                    " try again later"
                )
            found = {"sha256": made.stored.sha256, **{kind: hasher.hexdigest() for kind, hasher in others.items()}}
            wrong = [kind for kind, value in wanted.hashes.items() if found[kind] != value]
            if wrong:
                raise BadUpstream(
                    f"'{answer.host}' sends another '{name}' than it announces: its {', '.join(wrong)} is wrong"
                )
        return made


def wait_for(growing: OngoingDownload) -> StoredFile:
    """Wait for a download, which has limits of its own."""
    while not growing.available()[1]:
        time.sleep(LOOK_AGAIN)
    return growing.stored()
