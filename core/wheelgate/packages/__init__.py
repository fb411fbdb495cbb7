"""Projects and their files, common to all index types.

The core knows names, hashes and times, but nothing about wheels.

An index type that holds packages provides a :class:`PackageSource`, and one that takes uploads a
:class:`PackageTarget`. Both are plain synchronous code. Names of projects are always normalised (PEP 503).
"""

from wheelgate.packages.core_metadata import MAX_FIELD_VALUES, CoreMetadata, read_core_metadata
from wheelgate.packages.project_names import MAX_PROJECT_NAME_CHARS, is_project_name, normalize, parse_project_name
from wheelgate.packages.protocols import LocalPackages, PackageSource, PackageTarget
from wheelgate.packages.stored_files import IncomingFile, OngoingDownload, ReceivedFile, StoredFile
from wheelgate.packages.values import (
    STATUSES,
    CheckedUpload,
    File,
    LogEntry,
    Project,
    ProjectList,
    RecordedUpload,
    Redirect,
    Release,
    ReleaseFile,
    UploadForm,
    file_path,
)
from wheelgate.packages.version_keys import latest_version, parsed_version, version_key

__all__ = [
    "MAX_FIELD_VALUES",
    "MAX_PROJECT_NAME_CHARS",
    "STATUSES",
    "CheckedUpload",
    "CoreMetadata",
    "File",
    "IncomingFile",
    "LocalPackages",
    "LogEntry",
    "OngoingDownload",
    "PackageSource",
    "PackageTarget",
    "Project",
    "ProjectList",
    "ReceivedFile",
    "RecordedUpload",
    "Redirect",
    "Release",
    "ReleaseFile",
    "StoredFile",
    "UploadForm",
    "file_path",
    "is_project_name",
    "latest_version",
    "normalize",
    "parse_project_name",
    "parsed_version",
    "read_core_metadata",
    "version_key",
]
