"""Which indices answer for the packages of one, in which order, and when the last ones are not asked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wheelgate.packages import PackageSource
from wheelgate.services.bases import depth_first
from wheelgate.services.indices import Indices, index_resource
from wheelgate.services.sources import Sources
from wheelgate.store.access import StoreAccess
from wheelgate.store.serial_cache import SerialCache
from wheelgate.values import Index, Resource

EVERYTHING = "*"
"""In a whitelist: every project."""
RESOLUTION_CACHE_ENTRIES = 10_000
"""Indices whose resolution is remembered."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One index of a resolution."""

    index: Index
    source: PackageSource


@dataclass(frozen=True, slots=True)
class Resolution:
    """The indices that answer for one: itself, its bases depth-first, then those that come last.

    There is one for each state of the stores: while nothing changes, it is the same object.
    """

    index: Index
    line: tuple[Resource, ...]
    """What permissions are asked for: the index, then all that it inherits from."""
    layers: tuple[Layer, ...]
    """Indices whose type holds no packages, or is gone, are left out."""

    @property
    def resource(self) -> Resource:
        """What a permission on the index itself is asked for."""
        return self.line[0]

    def opens(self, name: str) -> bool:
        """Say whether a whitelist lets the indices that come last answer for a name that belongs to another.

        The way in which the asked index inherits whitelists counts, and no other's: ``intersection`` takes its own
        list alone, ``union`` adds those of all its bases.
        """
        listing = [self.index]
        if self.index.config.get("mirror_whitelist_inheritance") == "union":
            listing += [layer.index for layer in self.layers]
        return any({name, EVERYTHING}.intersection(index.config.get("mirror_whitelist", ())) for index in listing)

    def alone(self) -> Resolution:
        """Return the resolution of the index without its bases."""
        own = tuple(layer for layer in self.layers if layer.index.path == self.index.path)
        return replace(self, layers=own)


class Inheritance:
    """Finds out which indices answer."""

    def __init__(self, indices: Indices, sources: Sources, access: StoreAccess) -> None:
        self._indices = indices
        self._sources = sources
        self._access = access
        self._resolutions: SerialCache[str, Resolution] = SerialCache(RESOLUTION_CACHE_ENTRIES)

    def find(self, path: str) -> Resolution | None:
        """Return the resolution of the index ``owner/name``, from memory if nothing has changed; None if it is absent.

        Belongs outside of transactions.
        """
        serial = self._access.read_serial()
        resolution = self._resolutions.get(serial, path)
        if resolution is None:
            index = self._indices.find(path)
            if index is not None:
                resolution = self._resolve(index)
                self._resolutions.put(serial, path, resolution)
        return resolution

    def _resolve(self, index: Index) -> Resolution:
        line = list(depth_first(index, self._indices.find))
        layers = [Layer(found, source) for found in line if (source := self._sources.of(found)) is not None]
        layers.sort(key=lambda layer: layer.source.last)
        return Resolution(index, tuple(index_resource(found) for found in line), tuple(layers))
