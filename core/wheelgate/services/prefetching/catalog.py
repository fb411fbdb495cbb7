"""What an index offers to a target: versions with their best file, and what each of them requires."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from wheelgate.errors import Conflict, NotFound
from wheelgate.files.server_files import Files
from wheelgate.packages import File, PackageSource, Redirect, StoredFile, read_core_metadata
from wheelgate.packages.wheel_metadata import read_wheel_metadata
from wheelgate.services.packages.inheritance import Resolution
from wheelgate.services.packages.merging import IndexMerger
from wheelgate.services.prefetching.sdist_metadata import SdistNeeds, read_sdist
from wheelgate.services.prefetching.targets import Target
from wheelgate.values import Index

DOWNLOAD_POLL_SECONDS = 0.05
"""Pause between two looks at a download."""


@dataclass(frozen=True, slots=True, eq=False)
class OfferedFile:
    """A file of an index that answers for the requested one. The catalog makes one object for each."""

    index: Index
    file: File

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel."""
        return self.file.name.endswith(".whl")


class UnusableError(Exception):
    """Raised when a file cannot be used, so that the resolver has to do without it; the text says why."""

    def __init__(self, offered: OfferedFile, reason: str) -> None:
        super().__init__(f"{offered.file.name} is left out: {reason}")
        self.offered = offered


class Catalog:
    """The projects of an index and its bases, as installers see them. One thread uses it, except for :meth:`fetch`."""

    def __init__(self, resolution: Resolution, merger: IndexMerger, files: Files, run: asyncio.Runner) -> None:
        self._resolution = resolution
        self._merger = merger
        self._files = files
        self._runner = run
        self._sources = {layer.index.path: layer.source for layer in resolution.layers}
        self._projects: dict[str, list[OfferedFile]] = {}
        self._needs: dict[str, SdistNeeds] = {}
        self._requirements: dict[tuple[str, str], list[Requirement]] = {}
        self.absent: dict[str, str] = {}
        """Why the index has no project of a name, by name."""

    def versions(self, name: str, target: Target, *, sdists: bool) -> dict[Version, OfferedFile]:
        """Return the versions of a project that a target can install, each with the file that it would choose."""
        best: dict[Version, tuple[int, OfferedFile]] = {}
        for offered in self._offered(name):
            version, rank = rank_of(offered.file.name, target.ranks)
            if (
                version is None
                or (rank is None and (offered.is_wheel or not sdists))
                or offered.file.yanked is not None
            ):
                continue
            if not allows_python(offered.file.requires_python, target.python):
                continue
            place = len(target.ranks) if rank is None else rank
            if version not in best or place < best[version][0]:
                best[version] = (place, offered)
        return {version: offered for version, (_, offered) in best.items()}

    def requirements(self, offered: OfferedFile) -> list[Requirement]:
        """Return the requirements of a file, with their markers.

        Raises:
            UnusableError: its metadata cannot be read.
        """
        key = (offered.index.path, offered.file.path)
        if key not in self._requirements:
            try:
                texts = self._wheel_texts(offered) if offered.is_wheel else self.sdist_needs(offered).requires_dist
                self._requirements[key] = [Requirement(text) for text in texts]
            except (ValueError, InvalidRequirement) as error:
                raise UnusableError(offered, str(error)) from None
        return self._requirements[key]

    def sdist_needs(self, offered: OfferedFile) -> SdistNeeds:
        """Return what an sdist needs, which has to be downloaded for that.

        Raises:
            ValueError: it cannot be read.
        """
        if offered.file.path not in self._needs:
            with self._files.open(self.fetch(offered)) as sdist:
                self._needs[offered.file.path] = read_sdist(offered.file.name, sdist)
        return self._needs[offered.file.path]

    def fetch(self, offered: OfferedFile) -> StoredFile:
        """Return the stored file, which is downloaded if it is missing. Any thread may call it.

        Raises:
            BackendUnavailable: the upstream or the disk fails.
            Conflict: the mirror does not cache files.
        """
        found = self._source(offered).open(offered.index, offered.file.path)
        if isinstance(found, Redirect):
            raise Conflict(f"{offered.index.path} caches no files: it has mirror_use_external_urls")
        if isinstance(found, StoredFile):
            return found
        while not found.available()[1]:
            time.sleep(DOWNLOAD_POLL_SECONDS)
        return found.stored()

    def _source(self, offered: OfferedFile) -> PackageSource:
        return self._sources[offered.index.path]

    def _offered(self, name: str) -> list[OfferedFile]:
        """Return the files of a project; none if the index has none, for the reason in :attr:`absent`."""
        if name not in self._projects:
            try:
                project = self._runner.run(self._merger.project(self._resolution, name))
                self._projects[name] = [OfferedFile(index, file) for index, files in project.parts for file in files]
            except NotFound as error:
                self.absent[name] = error.message
                self._projects[name] = []
        return self._projects[name]

    def _wheel_texts(self, offered: OfferedFile) -> list[str]:
        """Return the requirements in a wheel; they come from next to it if the index has them there."""
        content: bytes | None = None
        if offered.file.core_metadata is not None:
            content = self._source(offered).core_metadata(offered.index, offered.file.path)
        else:
            with self._files.open(self.fetch(offered)) as wheel:
                content = read_wheel_metadata(wheel)
        if content is None:
            raise ValueError("its metadata cannot be read")
        return list(read_core_metadata(content).fields.get("requires-dist", ()))


def rank_of(name: str, ranks: Mapping[Tag, int]) -> tuple[Version | None, int | None]:
    """Return the version in a file's name, None if it has none, and the rank of a wheel that the target accepts."""
    try:
        if name.endswith(".whl"):
            _, version, _, tags = parse_wheel_filename(name)
            return version, min((ranks[tag] for tag in tags if tag in ranks), default=None)
        return parse_sdist_filename(name)[1], None
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None, None


def allows_python(requires_python: str | None, python: str) -> bool:
    """Return whether a file may be installed with a version of Python; a malformed ``Requires-Python`` allows all."""
    if not requires_python:
        return True
    try:
        return SpecifierSet(requires_python).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True
