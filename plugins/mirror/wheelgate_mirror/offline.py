"""What a mirror shows and sends while the server is offline (``--offline``): cached files, and pages of any age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from wheelgate import Index
from wheelgate.errors import NotCached
from wheelgate.packages import StoredFile
from wheelgate_mirror.filenames import version_sort_key
from wheelgate_mirror.pages import UpstreamFile
from wheelgate_mirror.visible_files import VisibleProject


def only_cached(project: VisibleProject, stored: Mapping[str, StoredFile]) -> VisibleProject:
    """Leave out the files that are not cached: an installer would choose the newest of the page, and fail."""
    files = tuple(_sendable(file, stored) for file in project.files if file.path in stored)
    versions = tuple(sorted({file.version for file in files if file.version}, key=version_sort_key))
    missing = len(project.files) - len(files)
    count = f"{missing} file{'' if missing == 1 else 's'}"
    left_out = f"the server is offline and leaves out {count} that it has not cached" if missing else ""
    reasons = "; ".join(filter(None, (project.left_out, left_out)))
    return replace(project, files=files, versions=versions, left_out=reasons)


def not_cached(index: Index, what: str) -> NotCached:
    """Return the refusal of something that a page of the mirror announces."""
    return NotCached(f"this server is offline (--offline), and {index.path} has not cached {what}")


def _sendable(file: UpstreamFile, stored: Mapping[str, StoredFile]) -> UpstreamFile:
    """Return a file with those siblings only that can be sent: metadata are in a wheel, provenance is never stored."""
    has_metadata = file.name.endswith(".whl") or f"{file.path}.metadata" in stored
    return replace(file, core_metadata=file.core_metadata if has_metadata else None, provenance=None)
