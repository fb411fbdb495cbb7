"""Checks every file of an export before anything is changed: where it is, its hashes, and what is in it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Self

from wheelgate.moving.dataindex import DataIndex
from wheelgate.moving.details import SIBLINGS, Details
from wheelgate.moving.entries import RESULT_NAME, FileEntry
from wheelgate.moving.export_folder import ExportFolder, read_chunks
from wheelgate.moving.findings import FaultError, Findings
from wheelgate.moving.index_plan import PlannedIndex
from wheelgate.packages import InspectedFile, ReceivedFile, StoredFile, file_path, movable

IN_MEMORY_BYTES = 4 << 20
"""Bytes of a file up to which it is read in one piece."""
NO_METADATA = -1


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What the check of a file has found; small, because an export may have millions of files."""

    digest: bytes
    """Its SHA-256."""
    size: int
    result_path: str = ""
    """For the result of a test: its address below the index."""
    tested_path: str = ""
    """For the result of a test: the address of the tested file."""
    requires_python: str | None = None
    metadata_start: int = NO_METADATA
    metadata_bytes: int = 0

    @property
    def stored(self) -> StoredFile:
        """The file in the storage."""
        return StoredFile(self.digest.hex(), self.size)

    def path(self, name: str) -> str:
        """Return the address of the file below its index."""
        return self.result_path or file_path(self.digest.hex(), name)


class MetadataSpool:
    """Core metadata that the check has read, on the disk until they are recorded."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - closed by close

    def add(self, content: bytes) -> int:
        """Write core metadata; return where they begin."""
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(content)
        return start

    def read(self, checked: CheckedFile) -> bytes | None:
        """Return the core metadata of a file; None if it has none."""
        if checked.metadata_start == NO_METADATA:
            return None
        self._file.seek(checked.metadata_start)
        return self._file.read(checked.metadata_bytes)

    def close(self) -> None:
        """Remove them."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@dataclass(slots=True)
class Counts:
    """What an export has, and what an import has written."""

    users: int = 0
    indices: int = 0
    projects: int = 0
    versions: int = 0
    files: int = 0
    bytes: int = 0


class FileCheck:
    """Checks the files of all planned indices."""

    def __init__(
        self,
        folder: ExportFolder,
        data: DataIndex,
        details: Details,
        findings: Findings,
        spool: MetadataSpool,
        progress: Callable[[int], None],
    ) -> None:
        """Take the export; ``progress`` gets the size of each file that was checked."""
        self.checked: dict[int, CheckedFile] = {}
        """The checked files by their numbers; see :meth:`DataIndex.entries`."""
        self.counts = Counts()
        self._folder = folder
        self._data = data
        self._details = details
        self._findings = findings
        self._spool = spool
        self._progress = progress

    def check(self, planned: PlannedIndex) -> None:
        """Check all projects of an index."""
        exported = planned.exported
        paths: set[int] = set()
        self.counts.indices += 1
        for project in exported.names:
            try:
                versions = self._data.versions(exported, project)
                entries = list(self._data.entries(exported, project, versions))
            except FaultError as fault:
                self._findings.add_fault(f"index {exported.path}: {fault}")
                continue
            self.counts.projects += bool(versions or entries)
            self.counts.versions += len({*versions, *(entry.version for _, entry in entries)})
            self._check_project(planned, entries, paths)

    def _check_project(self, planned: PlannedIndex, entries: list[tuple[int, FileEntry]], paths: set[int]) -> None:
        tested = TestedFiles()
        for number, entry in entries:
            try:
                checked = self._check_file(planned, entry, tested)
            except FaultError as fault:
                self._findings.add_fault(f"index {planned.exported.path}: {fault}")
                continue
            if checked is None:
                continue
            path = hash(checked.path(entry.name))
            if path in paths:
                self._findings.add("file-repeated", entry.relpath, "the index has this file twice; one is kept")
                continue
            paths.add(path)
            if entry.rel == "releasefile":
                tested.add(entry, checked)
            self.checked[number] = checked
            self.counts.files += 1
            self.counts.bytes += checked.size

    def _check_file(self, planned: PlannedIndex, entry: FileEntry, tested: TestedFiles) -> CheckedFile | None:
        with self._folder.open(entry.relpath) as descriptor:
            received = self._read(descriptor, entry)
            self._progress(received.stored.size)
            digest = bytes.fromhex(received.stored.sha256)
            if entry.rel == "toxresult":
                place = tested.place_of(entry)
                if place is None:
                    self._findings.add("result-dropped", entry.relpath, "the tested file is not in the export")
                    return None
                return CheckedFile(digest, received.stored.size, *place)
            if self._details.knows(entry.relpath):
                self._check_siblings(entry)
                return CheckedFile(digest, received.stored.size)
            inspected = self._inspect(planned, entry, received)
        start = NO_METADATA if inspected.core_metadata is None else self._spool.add(inspected.core_metadata)
        length = len(inspected.core_metadata or b"")
        return CheckedFile(digest, received.stored.size, "", "", inspected.requires_python, start, length)

    def _read(self, descriptor: int, entry: FileEntry) -> ReceivedFile:
        """Read a file once, and compare all hashes that the export gives."""
        names = sorted({"sha256", *entry.hashes})
        hashers = {name: hashlib.new(name, usedforsecurity=False) for name in names}
        size, content = 0, b""
        small = os.fstat(descriptor).st_size <= IN_MEMORY_BYTES
        for chunk in read_chunks(descriptor):
            size += len(chunk)
            for hasher in hashers.values():
                hasher.update(chunk)
            if small:
                content += chunk
                small = size <= IN_MEMORY_BYTES
        digests = {name: hasher.hexdigest() for name, hasher in hashers.items()}
        wrong = [name for name, value in entry.hashes.items() if digests[name] != value]
        # From devpi 6.5 to 6.8, the hash of a test result was that of the tested file.
        of_tested = entry.rel == "toxresult" and entry.hashes.get("sha256") == entry.tested_sha256
        if wrong and not of_tested:
            raise FaultError(f"the file {entry.relpath[:200]!a} does not match its {', '.join(wrong)}")
        stored = StoredFile(digests["sha256"], size)
        path = "" if small else f"/dev/fd/{descriptor}"
        return ReceivedFile(path, stored, digests, content if small else None)

    def _check_siblings(self, entry: FileEntry) -> None:
        record = self._details.file(entry.relpath)
        for kind in SIBLINGS:
            self._details.sibling(entry.relpath, kind, record.get(kind))

    def _inspect(self, planned: PlannedIndex, entry: FileEntry, received: ReceivedFile) -> InspectedFile:
        packages = movable(planned.kind.packages)
        if packages is None:
            return InspectedFile()
        found = packages.inspect_file(planned.index, entry.project, entry.version, entry.name, received, entry.rel)
        if found.legacy:
            self._findings.add("file-legacy", entry.relpath, f"{found.legacy}; it is kept, and never accepted anew")
        if found.unreadable:
            self._findings.add("file-unreadable", entry.relpath, f"it is kept without metadata: {found.unreadable}")
        return found


class TestedFiles:
    """The files of a project that the results of tests can be about."""

    __test__ = False  # pytest takes it for a test

    def __init__(self) -> None:
        self._by_name: dict[str, str] = {}
        self._by_hash: dict[tuple[str, str], str] = {}
        self._results = 0

    def add(self, entry: FileEntry, checked: CheckedFile) -> None:
        """Remember a file."""
        path = checked.path(entry.name)
        self._by_name[entry.name] = path
        self._by_hash[checked.digest.hex(), entry.name] = path

    def place_of(self, result: FileEntry) -> tuple[str, str] | None:
        """Return the address of a result and that of the tested file; None if there is no such file."""
        path = self._by_hash.get((result.tested_sha256, result.tested)) or self._by_name.get(result.tested)
        if path is None:
            return None
        found = RESULT_NAME.fullmatch(result.name)
        if found is None or not found[2]:
            self._results += 1  # the oldest results have no time in their names
            return f"{path}.toxresult-{result.uploaded:%Y%m%d%H%M%S}-{self._results}", path
        return f"{path}.toxresult{found[2]}", path
