"""The entries of an export, read in all forms that devpi has written since 2013.

The versions 1.2 to 6.20 differ: hashes were ``md5``, then ``hash_spec``, then ``hashes``; documentation and results of
tests had no ``entrymapping``; the project was ``projectname``. Everything is hostile until it was checked here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from wheelgate.moving.findings import FaultError
from wheelgate.packages import LogEntry, is_project_name, normalize
from wheelgate.values import FORBIDDEN_IN_TEXT

RELS = ("releasefile", "doczip", "toxresult")
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+!~@=, ()-]{0,239}")
"""Names that were ever accepted, without those that lead anywhere."""
VERSION_TEXT = re.compile(r"[^\s/\\\0-\x1f\x7f]{1,240}")
"""Any version without blanks, slashes and control characters: old ones follow no standard."""
RESULT_NAME = re.compile(r"(.+)\.toxresult(-[0-9]{8,14}-[0-9]{1,9})?")
HASH_SPEC = re.compile(r"([a-z0-9_]{1,20})=([0-9a-fA-F]{8,128})")
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
"""The form of upload times in PEP 700."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOG_WORD = re.compile(r"[a-z_]{1,40}")
MAX_LOG_ENTRIES = 10_000
"""Entries in the history of one file."""
VARIABLE_HASHES = frozenset({"shake_128", "shake_256"})
"""Hashes whose length a caller has to choose."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of an export."""

    rel: str
    relpath: str
    project: str
    """Normalised."""
    version: str
    """Empty if the export does not say: the file's name has it."""
    name: str
    hashes: Mapping[str, str] = field(default_factory=dict)
    """All digests that the export gives, in hexadecimal digits, by the names that ``hashlib`` uses."""
    modified: datetime | None = None
    log: tuple[LogEntry, ...] = ()
    url: str = ""
    """For a mirrored file: its address on the upstream."""
    tested: str = ""
    """For the result of a test: the name of the tested file."""
    tested_sha256: str = ""
    """For the result of a test: the hash of the tested file, if the path has it."""

    @property
    def uploaded(self) -> datetime:
        """When the file was uploaded; 1970 if nothing says so."""
        times = [entry.when for entry in self.log if entry.what == "upload"]
        return self.modified or (min(times) if times else EPOCH)

    @property
    def uploader(self) -> str | None:
        """Who uploaded it: the first name in its history."""
        return next((entry.who for entry in self.log if entry.what in ("upload", "push")), None)


def read_file_entry(index: str, entry: Any) -> FileEntry:
    """Read an entry of the list ``files``.

    Raises:
        FaultError: something in it is wrong.
    """
    if not isinstance(entry, dict):
        raise FaultError("an entry of the files is no object")
    relpath = _text(entry, "relpath")
    mapping = entry.get("entrymapping") or {}
    if not isinstance(mapping, dict):
        raise FaultError(f"the file {relpath[:200]!a} has an entrymapping that is no object")
    try:
        found = _file_entry(index, relpath, entry, mapping)
    except FaultError as fault:
        raise FaultError(f"the file {relpath[:200]!a} {fault}") from None
    return found if found.rel != "toxresult" else _with_tested_file(found, entry)


def _file_entry(index: str, relpath: str, entry: Mapping[str, Any], mapping: Mapping[str, Any]) -> FileEntry:
    rel = entry.get("type")
    if rel not in RELS:
        raise FaultError(f"has the unknown type {str(rel)[:40]!a}")
    name = relpath.rpartition("/")[2]
    if not FILE_NAME.fullmatch(name):
        raise FaultError("has a name that no file of a package can have")
    given = entry.get("projectname") or mapping.get("project") or mapping.get("projectname")
    if not isinstance(given, str) or not is_project_name(given):
        raise FaultError(f"belongs to {str(given)[:80]!a}, which is no project's name")
    version = entry.get("version") or mapping.get("version") or ""
    if version and not (isinstance(version, str) and VERSION_TEXT.fullmatch(version)):
        raise FaultError(f"has the version {str(version)[:80]!a}")
    url = mapping.get("url") or ""
    if not isinstance(url, str) or FORBIDDEN_IN_TEXT.search(url):
        raise FaultError("has a URL that is no text")
    hashes = _hashes(entry, mapping)
    log = read_log(index, entry.get("log") or ())
    return FileEntry(
        rel, relpath, normalize(given), version, name, hashes, _http_date(mapping.get("last_modified")), log, url
    )


def _with_tested_file(found: FileEntry, entry: Mapping[str, Any]) -> FileEntry:
    """Add the tested file to the result of a test: from its own path, or from the name of the result."""
    given = entry.get("for_entrypath")
    tested = given.rpartition("/")[2] if isinstance(given, str) else ""
    if not tested:
        matched = RESULT_NAME.fullmatch(found.name)
        tested = matched[1] if matched else ""
    folder = re.search(r"/sha256=([0-9a-f]{64})/[^/]*$", found.relpath)
    return replace(found, tested=tested, tested_sha256=folder[1] if folder else "")


def read_log(index: str, entries: Any) -> tuple[LogEntry, ...]:
    """Read the history of a file.

    Raises:
        FaultError: it has another form.
    """
    if not isinstance(entries, list | tuple) or len(entries) > MAX_LOG_ENTRIES:
        raise FaultError("has a history that is no list, or has too many entries")
    log = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise FaultError("has an entry in its history that is no object")
        what, who, count = (entry.get(key) for key in ("what", "who", "count"))
        places = [entry.get("dst", index), entry.get("src")]
        if not isinstance(what, str) or not LOG_WORD.fullmatch(what):
            raise FaultError(f"has {str(what)[:40]!a} in its history")
        if not all(each is None or _is_short_text(each) for each in (who, *places)):
            raise FaultError("has names in its history that are no text")
        if count is not None and not (isinstance(count, int) and 0 <= count < 2**31):
            raise FaultError("has a count in its history that is no number")
        log.append(LogEntry(what, who or None, _moment(entry.get("when")), places[0] or index, places[1], count))
    return tuple(log)


def _moment(when: Any) -> datetime:
    """Read a time of a history: ``[year, month, day, hour, minute, second]`` in UTC."""
    try:
        year, month, day, hour, minute, second = when[:6]
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        raise FaultError("has a time in its history that is none") from None


def read_versions(project: str, value: Any) -> dict[str, dict[str, Any]]:
    """Read the versions of a project with their metadata.

    Raises:
        FaultError: something in it is wrong.
    """
    if not isinstance(value, dict):
        raise FaultError(f"the project {project} is no object")
    for version, metadata in value.items():
        if not VERSION_TEXT.fullmatch(version):
            raise FaultError(f"the project {project} has the version {version[:80]!a}")
        if not isinstance(metadata, dict):
            raise FaultError(f"the metadata of {project} {version} are no object")
    return value


def version_in_name(name: str, project: str, versions: Sequence[str]) -> str | None:
    """Return which of a project's versions a file's name contains; the longest, because 1.0 is in 1.0.1, too."""
    stem = name.lower().replace("_", "-")
    for version in sorted(versions, key=len, reverse=True):
        wanted = version.lower().replace("_", "-")
        if any(f"-{text}{end}" in stem for text in {wanted, wanted.replace("+", "-")} for end in ("-", ".")):
            return version
    return None


def _hashes(entry: Mapping[str, Any], mapping: Mapping[str, Any]) -> dict[str, str]:
    """Return all digests that an entry gives, in any of the forms."""
    given: dict[str, str] = {}
    specs = [mapping.get("hash_spec"), entry.get("hash_spec")]
    for spec in filter(None, specs):
        found = HASH_SPEC.fullmatch(spec) if isinstance(spec, str) else None
        if found is None:
            raise FaultError(f"has the hash {str(spec)[:80]!a}")
        given[found[1]] = found[2].lower()
    several = mapping.get("hashes") or {}
    if not isinstance(several, dict):
        raise FaultError("has hashes that are no object")
    for name, digest in [*several.items(), *((key, mapping[key]) for key in ("md5",) if mapping.get(key))]:
        found = HASH_SPEC.fullmatch(f"{name}={digest}")
        if found is None:
            raise FaultError(f"has the hash {name[:20]!a} with a value that is none")
        if given.setdefault(found[1], found[2].lower()) != found[2].lower():
            raise FaultError(f"has two different hashes {name}")
    unknown = [name for name in given if name not in hashlib.algorithms_guaranteed or name in VARIABLE_HASHES]
    if unknown:
        raise FaultError(f"has a hash of the unknown kind {unknown[0]!a}")
    return given


def _http_date(value: Any) -> datetime | None:
    """Read an HTTP date; None if there is none."""
    if not isinstance(value, str) or len(value) > 100:
        return None
    try:
        parsed = parsedate_to_datetime(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise FaultError(f"an entry of the files has no {key}")
    return value


def _is_short_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 500 and not FORBIDDEN_IN_TEXT.search(value)
