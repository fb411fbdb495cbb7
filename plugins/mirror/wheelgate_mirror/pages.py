"""The page of a project as the upstream sends it, and its stored form."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from wheelgate.packages import File, file_path


@dataclass(frozen=True, slots=True)
class UpstreamFile:
    """A file on an upstream's page; fields without a description are those of ``File``."""

    name: str
    version: str
    url: str
    hashes: Mapping[str, str]
    size: int | None
    upload_time: str | None
    requires_python: str | None
    yanked: str | None
    core_metadata: str | None
    provenance: str | None
    """The URL of its provenance on the upstream."""

    @property
    def path(self) -> str:
        """Its address below the mirror."""
        sha256 = self.hashes.get("sha256")
        if sha256 is not None:
            return file_path(sha256, self.name)
        return f"+e/{folder_of(self.url)}/{self.name}"

    def as_file(self) -> File:
        """Return the file as a page of the mirror shows it."""
        path = self.path
        return File(
            self.name,
            self.version,
            path,
            self.hashes,
            self.size,
            self.upload_time,
            self.requires_python,
            self.yanked,
            self.core_metadata,
            self.provenance and f"{path}.provenance",
        )


@dataclass(frozen=True, slots=True)
class UpstreamPage:
    """A project's page; fields without a description are those of ``Project``."""

    name: str
    """In the upstream's spelling."""
    files: tuple[UpstreamFile, ...]
    versions: tuple[str, ...]
    status: str
    status_reason: str


def folder_of(url: str) -> str:
    """Return the folder of a URL as one segment of a path: ``https_files.example_8443_a_b``."""
    parts = urlsplit(url)
    folder = parts.path.rpartition("/")[0].strip("/")
    text = "_".join(filter(None, (parts.scheme, parts.hostname, str(parts.port or ""), folder)))
    return re.sub(r"[^A-Za-z0-9.-]", "_", text)


def pack_page(page: UpstreamPage) -> bytes:
    """Return the stored form of a page: 1,000 files take some 60 KB."""
    return zlib.compress(orjson.dumps(page))


def unpack_page(content: bytes) -> UpstreamPage:
    """Return the page whose stored form :func:`pack_page` made."""
    fields = orjson.loads(zlib.decompress(content))
    fields["files"] = tuple(UpstreamFile(**file) for file in fields["files"])
    fields["versions"] = tuple(fields["versions"])
    return UpstreamPage(**fields)
