"""Records a release of another index, whose files are kept already, as one's own."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import UTC
from typing import Any

from wheelgate import Index, Server
from wheelgate.errors import BadInput
from wheelgate.packages import Release, ReleaseFile, StoredFile, normalize
from wheelgate_stage import changes
from wheelgate_stage.filenames import parse_filename, parse_version
from wheelgate_stage.inspection import doc_filename, doc_identity
from wheelgate_stage.metadata import version_data
from wheelgate_stage.recording import exists, file_path, refuse_closed

OK = 200


def take(
    server: Server,
    index: Index,
    release: Release,
    source: Index,
    who: str | None,
    rels: Collection[str],
) -> list[list[Any]]:
    """Record a release, within a transaction, and return the lines of the action log.

    Args:
        server: where it is recorded, and its files are kept.
        index: whose release it becomes.
        release: as the source has obtained it.
        source: where it comes from.
        who: who pushes.
        rels: the kinds of links to take.

    Raises:
        Conflict: one of the files is there already, on an index that keeps what it has.
        Forbidden: the project takes no files.
    """
    database = server.database
    name = normalize(release.name)
    taken = [(link, link.stored) for link in release.files if link.rel in rels and link.stored is not None]
    server.files.require_stored(stored for _, stored in taken)
    project = changes.lock_or_add(database, index.path, name)
    refuse_closed(project, name)
    old = changes.find_release(database, project.id, release.version)
    version = old.version if old else release.version
    data = version_data(release.name, version, old.metadata if old else {}, release.metadata, {})
    number = changes.save_release(database, project, old, version, data)
    to = [release.name, version, "->", index.path]
    lines: list[list[Any]] = [[OK, "register", *to]]
    numbers: dict[str, tuple[int, str]] = {}
    for link, stored in sorted(taken, key=lambda pair: pair[0].rel == "toxresult"):  # after what was tested
        if link.rel == "toxresult":
            tested = numbers.get(link.for_path or "")
            if tested is None:
                continue  # of a file that the source has no longer
            new = _result(link, stored, who, *tested)
        else:
            new = _file(link, stored, who, name, data)
        file = _save(server, index, number, new)
        numbers[link.path] = (file, new.path)
        for line in link.log:
            if line.what != "overwrite":
                at = line.when.astimezone(UTC).strftime(changes.TIME)
                changes.add_log(database, file, line.what, line.who, line.dst, at=at, src=line.src, count=line.count)
        changes.add_log(database, file, "push", who, index.path, src=source.path)
    changes.mark(database, project)
    for link, _ in taken:
        if link.path in numbers:
            place = to if link.rel == "doczip" else [f"{index.path}/{numbers[link.path][1]}"]
            lines.append([OK, f"store_{link.rel}", *place])
    return lines


def _save(server: Server, index: Index, release: int, new: changes.NewFile) -> int:
    """Add a file, or put it in the place of the one that is there; return its number."""
    old = changes.find_file(server.database, release, new.identity)
    if old is None:
        return changes.add_file(server.database, index.path, release, new)
    if not index.config.get("volatile", True):
        raise exists(new.path.rpartition("/")[2], old)
    changes.replace_file(server, index.path, old, new)
    changes.count_overwrite(server.database, old.id, index.path)
    return old.id


def _file(
    link: ReleaseFile, stored: StoredFile, who: str | None, project: str, data: Mapping[str, Any]
) -> changes.NewFile:
    version = data["version"]
    docs = link.rel == "doczip"
    metadata = link.core_metadata
    return changes.NewFile(
        link.rel,
        doc_identity(version) if docs else _identity(link.name, project, version),
        file_path(stored.sha256, doc_filename(project, version) if docs else link.name),
        stored,
        link.hashes,
        who,
        link.requires_python or data["requires_python"] or None,
        metadata,
        hashlib.sha256(metadata).hexdigest() if metadata is not None else None,
        link.provenance,
    )


def _result(link: ReleaseFile, stored: StoredFile, who: str | None, tested: int, path: str) -> changes.NewFile:
    """Make a test result, which keeps the end of its address: the time of the test."""
    address = f"{path}.toxresult{link.path.rpartition('.toxresult')[2]}"
    return changes.NewFile("toxresult", f"result {address}", address, stored, link.hashes, who, tested=tested)


def _identity(filename: str, project: str, version: str) -> str:
    """Return the identity of a file; old ones of mirrors may have names that no upload could have."""
    try:
        return parse_filename(filename, project, parse_version(version)).identity
    except BadInput:
        return f"name {filename}"
