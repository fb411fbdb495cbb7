"""Puts a project of an export together, as an index type records it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from wheelgate.moving.dataindex import DataIndex, ExportedIndex
from wheelgate.moving.decisions import Decisions
from wheelgate.moving.details import Details, exact_moment
from wheelgate.moving.entries import TIME_FORMAT, FileEntry
from wheelgate.moving.file_check import CheckedFile, MetadataSpool
from wheelgate.packages import LogEntry, MovedFile, MovedProject, MovedRelease


@dataclass(frozen=True, slots=True)
class ProjectReader:
    """Reads the projects of a checked export."""

    data: DataIndex
    details: Details
    decisions: Decisions
    checked: Mapping[int, CheckedFile]
    spool: MetadataSpool

    def read(self, exported: ExportedIndex, name: str) -> MovedProject:
        """Return a project with all versions and files."""
        versions: dict[str, Any] = dict(self.data.versions(exported, name))
        files: dict[str, list[MovedFile]] = {}
        for number, entry in self.data.entries(exported, name, versions):
            checked = self.checked.get(number)
            if checked is not None:
                versions.setdefault(entry.version, {"name": name, "version": entry.version})
                files.setdefault(entry.version, []).append(self._file(entry, checked))
        details = self.details.project(exported.path, name)
        releases = tuple(
            MovedRelease(version, metadata, tuple(files.get(version, ())), details.yanked.get(version))
            for version, metadata in versions.items()
        )
        return MovedProject(name, releases, details.status, details.status_reason)

    def _file(self, entry: FileEntry, checked: CheckedFile) -> MovedFile:
        log = tuple(self._renamed(each) for each in entry.log)
        uploader = None if entry.uploader is None else self.decisions.user(entry.uploader)
        moved = MovedFile(
            entry.rel,
            checked.path(entry.name),
            checked.stored,
            {**entry.hashes, "sha256": checked.digest.hex()},
            entry.uploaded.strftime(TIME_FORMAT),
            uploader,
            log,
            checked.tested_path,
            entry.url,
            checked.requires_python,
            self.spool.read(checked),
        )
        return self._with_details(moved, entry) if self.details.knows(entry.relpath) else moved

    def _with_details(self, moved: MovedFile, entry: FileEntry) -> MovedFile:
        """Add what an export of this server knows in addition."""
        record = self.details.file(entry.relpath)
        uploaded = exact_moment(record.get("uploaded"))
        times = record.get("log") or []
        log = tuple(replace(each, when=_moment(times, at) or each.when) for at, each in enumerate(moved.log))
        more = {key: record[key] for key in ("md5", "blake2_256") if isinstance(record.get(key), str)}
        uploader = record.get("uploader")
        requires_python = record.get("requires_python")
        return replace(
            moved,
            hashes={**moved.hashes, **more},
            uploaded=moved.uploaded if uploaded is None else uploaded.strftime(TIME_FORMAT),
            uploader=self.decisions.user(uploader) if isinstance(uploader, str) else None,
            log=log,
            requires_python=requires_python if isinstance(requires_python, str) else None,
            core_metadata=self.details.sibling(entry.relpath, "metadata", record.get("metadata")),
            provenance=self.details.sibling(entry.relpath, "provenance", record.get("provenance")),
        )

    def _renamed(self, entry: LogEntry) -> LogEntry:
        """Return an entry of a history with the new names of users and indices."""
        return replace(
            entry,
            who=None if entry.who is None else self.decisions.user(entry.who),
            dst=self._index(entry.dst),
            src=None if entry.src is None else self._index(entry.src),
        )

    def _index(self, path: str) -> str:
        return self.decisions.index(path) if path.count("/") == 1 else path


def _moment(times: Any, at: int) -> datetime | None:
    return exact_moment(times[at]) if isinstance(times, list) and at < len(times) else None
