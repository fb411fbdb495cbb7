"""What an export of this server has beside devpi's form, in ``wheelgate.json``: devpi ignores it.

It has what devpi has no place for: stamps, yanks, statuses, upload times with fractions of a second, and the data of
plugins. Core metadata and provenance are files beside the release files, ``NAME.metadata`` and ``NAME.provenance``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from wheelgate.moving.export_folder import ExportFolder, read_chunks
from wheelgate.moving.findings import FaultError
from wheelgate.moving.json_ranges import JsonFile, Range
from wheelgate.packages import STATUSES, is_project_name
from wheelgate.values import EMPTY_MAPPING

DETAILS_NAME = "wheelgate.json"
DETAILS_FORM = 1
"""The version of the form of ``wheelgate.json``."""
SIBLINGS = ("metadata", "provenance")
"""The kinds of files beside a release file, which are also the suffixes of their names."""
MAX_SIBLING_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class ProjectDetails:
    """What the form of devpi cannot say about a project."""

    status: str = "active"
    status_reason: str = ""
    yanked: Mapping[str, str] = field(default_factory=dict)
    """Reasons by version."""


class Details:
    """An opened ``wheelgate.json``, or the nothing that an export of devpi has."""

    def __init__(self, folder: ExportFolder) -> None:
        """Open it if the folder has one.

        Raises:
            FaultError: it is damaged, or of a newer form.
        """
        self._folder = folder
        self._json: JsonFile | None = None
        self._files: dict[str, Range] = {}
        self._projects: dict[tuple[str, str], ProjectDetails] = {}
        self.users: Mapping[str, Mapping[str, Any]] = {}
        self.plugins: Mapping[str, Any] = {}
        """The data of plugins by their names."""
        self.uuid = ""
        """The identity of the server that wrote the export; empty for a new one."""
        self.sha256 = ""
        if not folder.has(DETAILS_NAME):
            return
        with folder.open(DETAILS_NAME) as descriptor:
            self._json = JsonFile(descriptor, DETAILS_NAME)
            digest = hashlib.sha256()
            for chunk in read_chunks(descriptor):
                digest.update(chunk)
        self.sha256 = digest.hexdigest()
        try:
            self._read(self._json)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        if self._json is not None:
            self._json.close()

    def _read(self, json: JsonFile) -> None:
        top = dict(json.members(json.whole()))
        if top.get("form") != DETAILS_FORM:
            raise FaultError(f"{DETAILS_NAME} has another form than {DETAILS_FORM}; import with a newer wheelgate")
        loaded = {key: json.load(top[key]) for key in ("users", "plugins") if isinstance(top.get(key), Range)}
        if not all(isinstance(value, dict) for value in loaded.values()):
            raise FaultError(f"{DETAILS_NAME}: 'users' and 'plugins' must be objects")
        users = loaded.get("users", {})
        self.users = {name: value for name, value in users.items() if isinstance(value, dict)}
        self.plugins = loaded.get("plugins", {})
        uuid = top.get("uuid")
        if isinstance(uuid, str) and len(uuid) == 32 and uuid.isalnum() and uuid.isascii():
            self.uuid = uuid
        indexes = top.get("indexes")
        if not isinstance(indexes, Range):
            raise FaultError(f"{DETAILS_NAME} has no object 'indexes'")
        for path, at in json.members(indexes):
            parts = dict(json.members(at)) if isinstance(at, Range) else {}
            for key, read in (("projects", self._read_project), ("files", self._find_file)):
                if isinstance(parts.get(key), Range):
                    for item in json.items(parts[key]):
                        read(path, item, json.load(item))

    def _read_project(self, path: str, at: Range, value: Mapping[str, Any]) -> None:
        name, status, reason, yanked = (value.get(key) for key in ("name", "status", "status_reason", "yanked"))
        yanked = yanked or {}
        texts = [name, reason, *yanked.values()] if isinstance(yanked, dict) else [None]
        if status not in STATUSES or not all(isinstance(text, str) and len(text) <= 20_000 for text in texts):
            raise FaultError(f"{DETAILS_NAME}: a project of {path} has a value that is none")
        self._projects[path, str(name)] = ProjectDetails(str(status), str(reason), yanked)

    def _find_file(self, path: str, at: Range, value: Mapping[str, Any]) -> None:
        relpath = value.get("relpath")
        if not isinstance(relpath, str):
            raise FaultError(f"{DETAILS_NAME}: a file of {path} has no relpath")
        self._files[relpath] = at

    def project_names(self, path: str) -> set[str]:
        """Return the names of the projects of an index about which it says anything."""
        return {name for index, name in self._projects if index == path and is_project_name(name)}

    def project(self, path: str, name: str) -> ProjectDetails:
        """Return what it says about a project of an index."""
        return self._projects.get((path, name)) or ProjectDetails()

    def knows(self, relpath: str) -> bool:
        """Return whether it says anything about a file."""
        return relpath in self._files

    def file(self, relpath: str) -> Mapping[str, Any]:
        """Return what it says about a file; nothing for one of devpi."""
        at = self._files.get(relpath)
        if at is None or self._json is None:
            return EMPTY_MAPPING
        value: Mapping[str, Any] = self._json.load(at)
        return value

    def sibling(self, relpath: str, kind: str, sha256: Any) -> bytes | None:
        """Return the ``metadata`` or ``provenance`` beside a file; None if its hash says that it has none.

        Raises:
            FaultError: it is missing, or has another hash.
        """
        if not sha256:
            return None
        name = f"{relpath}.{kind}"
        with self._folder.open(name) as descriptor:
            content = b""
            for chunk in read_chunks(descriptor):
                content += chunk
                if len(content) > MAX_SIBLING_BYTES:
                    raise FaultError(f"the file {name[:200]!a} has more than {MAX_SIBLING_BYTES} bytes")
        if hashlib.sha256(content).hexdigest() != sha256:
            raise FaultError(f"the file {name[:200]!a} does not match the hash in {DETAILS_NAME}")
        return content


def exact_moment(value: Any) -> datetime | None:
    """Read a time with fractions of a second; None if it is none."""
    try:
        parsed = datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
