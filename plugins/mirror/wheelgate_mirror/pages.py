"""The page of a project as an upstream tells it, and how it is kept."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from wheelgate.packages import File


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that an upstream offers; the fields that are not explained are those of ``File``."""

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
    """Where the upstream has it."""

    @property
    def path(self) -> str:
        """Its address below the mirror."""
        sha256 = self.hashes.get("sha256")
        if sha256 is not None:
            return f"+f/{sha256[:3]}/{sha256[3:16]}/{self.name}"
        return f"+e/{folder_of(self.url)}/{self.name}"

    def file(self) -> File:
        """Show it on a page of this server."""
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
class Page:
    """A project; the fields that are not explained are those of ``Project``."""

    name: str
    """As the upstream spells it."""
    files: tuple[Offer, ...]
    versions: tuple[str, ...]
    status: str
    status_reason: str


def folder_of(url: str) -> str:
    """Name the folder of an address in one part of a path: ``https_files.example_8443_a_b``."""
    parts = urlsplit(url)
    folder = parts.path.rpartition("/")[0].strip("/")
    said = "_".join(filter(None, (parts.scheme, parts.hostname, str(parts.port or ""), folder)))
    return re.sub(r"[^A-Za-z0-9.-]", "_", said)


def packed(page: Page) -> bytes:
    """Write a page as it is kept: 1,000 files take some 60 KB."""
    return zlib.compress(orjson.dumps(page))


def unpacked(content: bytes) -> Page:
    """Read what :func:`packed` wrote."""
    told = orjson.loads(zlib.decompress(content))
    told["files"] = tuple(Offer(**offer) for offer in told["files"])
    told["versions"] = tuple(told["versions"])
    return Page(**told)
