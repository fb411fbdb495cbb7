"""Projects and their files as every type of index offers them: core knows names, hashes and times, nothing of wheels.

An index type that holds packages brings a :class:`PackageSource`; one that takes uploads brings a
:class:`PackageTarget`. Both are plain synchronous code. Projects are always named by their normalised name (PEP 503).
"""

from wheelgate.packages.protocols import PackageSource, PackageTarget
from wheelgate.packages.stored_files import Draft, DraftFile, Growing, StoredFile
from wheelgate.packages.values import (
    STATUSES,
    Elsewhere,
    File,
    Form,
    Inspected,
    Link,
    Listing,
    Log,
    Project,
    Recorded,
    Release,
    normalize,
)

__all__ = [
    "STATUSES",
    "Draft",
    "DraftFile",
    "Elsewhere",
    "File",
    "Form",
    "Growing",
    "Inspected",
    "Link",
    "Listing",
    "Log",
    "PackageSource",
    "PackageTarget",
    "Project",
    "Recorded",
    "Release",
    "StoredFile",
    "normalize",
]
