"""What an index checks of an upload, by its key ``upload_checks``."""

from __future__ import annotations

from dataclasses import dataclass

from wheelgate import Index
from wheelgate_stage.limits import ArchiveLimits

STRICT = "strict"
"""Everything: the file must be a wheel or an sdist, and is opened to read its metadata."""
NAMES = "names"
"""Digests, names and form must agree. The file may be any archive, and is not opened."""
UPLOAD_CHECKS = (STRICT, NAMES)
"""The values of the key; an index without it has the first."""


@dataclass(frozen=True, slots=True)
class UploadChecks:
    """The checks of one index."""

    limits: ArchiveLimits
    """The limits of archives that are opened."""
    opens_archives: bool = True
    """Whether files are opened."""


def checks_of(index: Index, limits: ArchiveLimits) -> UploadChecks:
    """Return the checks of an index."""
    return UploadChecks(limits, opens_archives=index.config.get("upload_checks", STRICT) != NAMES)
