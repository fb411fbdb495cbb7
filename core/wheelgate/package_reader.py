"""Reads the packages that this server holds, for plugins that index them: without a caller, and without an upstream."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from wheelgate.packages import LocalPackages, PackageSource, Release
from wheelgate.store.protocols import IndexStore
from wheelgate.values import Index

STAMP_BYTES = 16
"""Bytes of a stamp; so many that no two are equal by chance."""


class PackageReader:
    """The packages of each index by its path, ``owner/name``, as this server holds them.

    It checks no permission: whoever shows what it returns must first ask which indices the caller may read. Of a hosted
    index it returns everything, of a mirror the files that the server has downloaded; it never asks an upstream. Bases
    do not count. If there is no such index, or its packages cannot be read here, there is nothing.

    Call it in a thread, outside of transactions or within one. It raises what the index type raises, such as
    ``BackendUnavailable``.
    """

    def __init__(self, indices: IndexStore, source_of: Callable[[Index], PackageSource | None]) -> None:
        self._indices = indices
        self._source_of = source_of

    def stamp(self, path: str, project: str = "") -> str:
        """Return a text that changes with every change of the project, or of any project of the index without one.

        Store it with what you make of the packages, and read them again when it differs. Read it first and the packages
        second: a change in between then gives another stamp the next time. Empty if there is nothing.
        """
        index, source = self._find(path)
        if index is None or source is None:
            return ""
        if isinstance(source, LocalPackages):
            stamps = [source.local_stamp(index, project)]
        elif source.last:
            return ""
        elif project:
            stamps = [source.stamp(index, project)]
        else:
            stamps = [source.stamp(index), *(source.stamp(index, name) for name in source.projects(index).names)]
        # The type is part of it: an index that is created again may have another type, whose stamps look the same.
        text = f"{index.type} {stamps!r}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=STAMP_BYTES).hexdigest()

    def projects(self, path: str) -> Sequence[str]:
        """Return the normalised names of the projects of an index, in order."""
        index, source = self._find(path)
        if index is None or source is None:
            return ()
        if isinstance(source, LocalPackages):
            return source.local_projects(index)
        return () if source.last else source.projects(index).names

    def releases(self, path: str, project: str) -> Sequence[Release]:
        """Return the releases of a project, the oldest first; ``project`` is normalised (PEP 503)."""
        index, source = self._find(path)
        if index is None or source is None:
            return ()
        if isinstance(source, LocalPackages):
            return source.local_releases(index, project)
        return () if source.last else source.releases(index, project)

    def _find(self, path: str) -> tuple[Index | None, PackageSource | None]:
        owner, _, name = path.partition("/")
        index = self._indices.get(owner, name)
        return (None, None) if index is None else (index, self._source_of(index))
