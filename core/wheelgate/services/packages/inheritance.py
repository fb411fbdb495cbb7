"""Inheritance: which indices answer for the packages of an index, in which order, and when mirrors are hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wheelgate.packages import PackageSource
from wheelgate.services.bases import depth_first
from wheelgate.services.indices import Indices, index_resource
from wheelgate.services.packages.sources import Sources
from wheelgate.store.access import StoreAccess
from wheelgate.store.serial_cache import SerialCache
from wheelgate.values import Index, Resource

ALL_PROJECTS = "*"
"""Entry of a whitelist that means every project."""
RESOLUTION_CACHE_ENTRIES = 10_000
"""Indices whose resolution is cached."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One index of a resolution."""

    index: Index
    source: PackageSource


@dataclass(frozen=True, slots=True)
class Resolution:
    """The indices that answer for an index: itself and its bases depth-first, with mirrors moved to the end.

    Each state of the stores has its own resolution: while nothing changes, it is the same object.
    """

    index: Index
    lineage: tuple[Resource, ...]
    """The resources whose permissions count: the index, then all indices that it inherits from."""
    layers: tuple[Layer, ...]
    """The indices with their sources; those whose type has no packages, or is not installed any more, are left out."""

    @property
    def resource(self) -> Resource:
        """The resource of the index itself."""
        return self.lineage[0]

    def whitelists(self, project: str) -> bool:
        """Return whether a ``mirror_whitelist`` lets mirrors answer for a project that another index hosts.

        Only the requested index decides how whitelists are inherited: with ``intersection`` its own list counts, with
        ``union`` those of all its bases count too.
        """
        listing = [self.index]
        if self.index.config.get("mirror_whitelist_inheritance") == "union":
            listing += [layer.index for layer in self.layers]
        return any({project, ALL_PROJECTS}.intersection(index.config.get("mirror_whitelist", ())) for index in listing)

    def without_bases(self) -> Resolution:
        """Return the resolution of the index alone."""
        own = tuple(layer for layer in self.layers if layer.index.path == self.index.path)
        return replace(self, layers=own)


class Inheritance:
    """Resolves indices to all indices that answer for them."""

    def __init__(self, indices: Indices, sources: Sources, access: StoreAccess) -> None:
        self._indices = indices
        self._sources = sources
        self._access = access
        self._resolutions: SerialCache[str, Resolution] = SerialCache(RESOLUTION_CACHE_ENTRIES)

    def find(self, path: str) -> Resolution | None:
        """Return the resolution of the index ``owner/name``; None if there is no such index.

        It comes from the cache if the stores have not changed. Do not call it inside a transaction.
        """
        serial = self._access.read_serial()
        resolution = self._resolutions.get(serial, path)
        if resolution is None:
            index = self._indices.find(path)
            if index is not None:
                resolution = self._resolve(index)
                self._resolutions.put(serial, path, resolution)
        return resolution

    def find_in_transaction(self, path: str) -> Resolution | None:
        """Do what :meth:`find` does inside a transaction, which neither reads nor fills the cache."""
        index = self._indices.find(path)
        return None if index is None else self._resolve(index)

    def _resolve(self, index: Index) -> Resolution:
        lineage = list(depth_first(index, self._indices.find))
        layers = [Layer(found, source) for found in lineage if (source := self._sources.of(found)) is not None]
        layers.sort(key=lambda layer: layer.source.last)
        return Resolution(index, tuple(index_resource(found) for found in lineage), tuple(layers))
