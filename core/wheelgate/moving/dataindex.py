"""The index of an export, ``dataindex.json``: its users and indices, and where in it the projects and files are."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wheelgate.moving.entries import FileEntry, read_file_entry, read_versions, version_in_name
from wheelgate.moving.export_folder import ExportFolder, read_chunks
from wheelgate.moving.findings import FaultError, Findings
from wheelgate.moving.json_ranges import JsonFile, Range
from wheelgate.packages import is_project_name, normalize

DATAINDEX_NAME = "dataindex.json"
FORM_VERSIONS = ("1", "2")
"""The versions of the form, by its key ``dumpversion``."""


@dataclass(slots=True)
class ExportedIndex:
    """An index of an export."""

    path: str
    config: Mapping[str, Any]
    projects: dict[str, list[Range]] = field(default_factory=dict)
    """Where the versions of a project are, by its normalised name; old exports have several spellings of one name."""
    files: dict[str, array[int]] = field(default_factory=dict)
    """Where the files of a project are: the beginning and the end of each, in turn."""

    claimed: set[str] = field(default_factory=set)
    """Names of projects about which only ``wheelgate.json`` has something, such as those without any release."""

    @property
    def names(self) -> list[str]:
        """The normalised names of all projects, in order."""
        return sorted({*self.projects, *self.files, *self.claimed})


class DataIndex:
    """An opened ``dataindex.json``."""

    def __init__(self, folder: ExportFolder, findings: Findings) -> None:
        """Open it and read everything but projects and files.

        Raises:
            FaultError: it is missing, or not of a form that this server knows.
        """
        self.users: dict[str, Mapping[str, Any]] = {}
        self.indices: dict[str, ExportedIndex] = {}
        with folder.open(DATAINDEX_NAME) as descriptor:
            self._json = JsonFile(descriptor, DATAINDEX_NAME)
            digest = hashlib.sha256()
            for chunk in read_chunks(descriptor):
                digest.update(chunk)
        self.sha256 = digest.hexdigest()
        """The hash of the file, by which an unfinished import knows its source again."""
        self._findings = findings
        try:
            self._read()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._json.close()

    def _read(self) -> None:
        top = dict(self._json.members(self._json.whole()))
        version = top.get("dumpversion")
        if str(version) not in FORM_VERSIONS:
            known = " and ".join(FORM_VERSIONS)
            raise FaultError(f"{DATAINDEX_NAME} has the dumpversion {str(version)[:40]!a}; this server reads {known}")
        users, indexes = top.get("users"), top.get("indexes")
        if not isinstance(users, Range) or not isinstance(indexes, Range):
            raise FaultError(f"{DATAINDEX_NAME} has no objects 'users' and 'indexes'")
        for name, at in self._json.members(users):
            fields = self._json.load(at) if isinstance(at, Range) else None
            if not isinstance(fields, dict) or name in self.users:
                self._findings.add_fault(f"the user {name[:100]!a} is no object, or is there twice")
            else:
                self.users[name] = fields
        for path, at in self._json.members(indexes):
            try:
                self.indices[path] = self._read_index(path, at)
            except FaultError as fault:
                self._findings.add_fault(f"the index {path[:200]!a}: {fault}")

    def _read_index(self, path: str, at: Any) -> ExportedIndex:
        if path in self.indices or path.count("/") != 1 or not isinstance(at, Range):
            raise FaultError("it is no object, is there twice, or has another name than user/index")
        if path.partition("/")[0] not in self.users:
            raise FaultError("the export has no user who owns it")
        parts = dict(self._json.members(at))
        config = self._json.load(parts["indexconfig"]) if isinstance(parts.get("indexconfig"), Range) else None
        if not isinstance(config, dict):
            raise FaultError("it has no indexconfig")
        index = ExportedIndex(path, config)
        projects, files = parts.get("projects"), parts.get("files")
        if isinstance(projects, Range) and self._json.is_object(projects):
            for name, versions in self._json.members(projects):
                if not isinstance(versions, Range) or not is_project_name(name):
                    raise FaultError(f"{name[:80]!a} is no project's name, or no object")
                index.projects.setdefault(normalize(name), []).append(versions)
        elif projects and not (isinstance(projects, Range) and not list(self._json.items(projects))):
            raise FaultError("its projects are no object")
        if isinstance(files, Range):
            self._find_files(index, files)
        elif files:
            raise FaultError("its files are no list")
        return index

    def _find_files(self, index: ExportedIndex, files: Range) -> None:
        for at in self._json.items(files):
            try:
                entry = read_file_entry(index.path, self._json.load(at))
            except FaultError as fault:
                self._findings.add_fault(f"index {index.path}: {fault}")
                continue
            index.files.setdefault(entry.project, array("q")).extend((at.start, at.end))

    def versions(self, index: ExportedIndex, project: str) -> dict[str, dict[str, Any]]:
        """Return the versions of a project with their metadata.

        Raises:
            FaultError: something in them is wrong.
        """
        found: dict[str, dict[str, Any]] = {}
        for at in index.projects.get(project, ()):
            for version, metadata in read_versions(project, self._json.load(at)).items():
                found.setdefault(version, metadata)
        return found

    def entries(
        self, index: ExportedIndex, project: str, versions: Mapping[str, Any]
    ) -> Iterator[tuple[int, FileEntry]]:
        """Yield the files of a project, each with a number of its own; the results of tests last.

        Raises:
            FaultError: the version of a file is unknown.
        """
        places = index.files.get(project, ())
        results = []
        for start, end in zip(places[::2], places[1::2], strict=True):
            entry = read_file_entry(index.path, self._json.load(Range(start, end)))
            if not entry.version:
                entry = _with_version(entry, versions)
            if entry.rel == "toxresult":
                results.append((start, entry))
            else:
                yield start, entry
        yield from results


def _with_version(entry: FileEntry, versions: Mapping[str, Any]) -> FileEntry:
    """Add the version, which the form of 2013 has in the name of the file only."""
    found = version_in_name(entry.name, entry.project, list(versions))
    if found is None:
        raise FaultError(f"the file {entry.relpath[:200]!a} belongs to no version of {entry.project}")
    return replace(entry, version=found)
