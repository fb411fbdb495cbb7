"""Which indices answer for the packages of one, in which order, and when the last ones are not asked."""

from __future__ import annotations

from dataclasses import dataclass

from wheelgate.packages import PackageSource
from wheelgate.services.bases import depth_first
from wheelgate.services.indices import Indices, index_resource
from wheelgate.services.sources import Sources
from wheelgate.store.access import Kept
from wheelgate.values import Index, Resource

EVERYTHING = "*"
"""In a whitelist: every project."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One index of a resolution."""

    index: Index
    source: PackageSource
    resource: Resource
    """What a permission on it is asked for."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The indices that answer for one: itself, its bases depth-first, then those that come last.

    There is one for each state of the stores: while nothing changes, it is the same object.
    """

    index: Index
    resource: Resource
    layers: tuple[Layer, ...]
    """Indices whose type holds no packages, or is gone, are left out."""


@dataclass(frozen=True, slots=True)
class View:
    """A resolution as one caller sees it."""

    resolution: Resolution
    readable: tuple[bool, ...]
    """For each layer, whether the caller may read it. One that it may not read still keeps its names from mirrors."""

    def opens(self, name: str) -> bool:
        """Say whether a whitelist lets the indices that come last answer for a name that belongs to another.

        The way in which the asked index inherits whitelists counts, and no other's: ``intersection`` takes its own
        list alone, ``union`` adds those of all its bases.
        """
        listing = [self.resolution.index]
        if listing[0].config.get("mirror_whitelist_inheritance") == "union":
            listing += [layer.index for layer, seen in self.pairs() if seen]
        return any({name, EVERYTHING}.intersection(index.config.get("mirror_whitelist", ())) for index in listing)

    def pairs(self) -> list[tuple[Layer, bool]]:
        """Return each layer with whether the caller may read it."""
        return list(zip(self.resolution.layers, self.readable, strict=True))

    def alone(self) -> View:
        """Return the view of the index without its bases."""
        own = [layer for layer in self.resolution.layers if layer.index.path == self.resolution.index.path]
        return View(Resolution(self.resolution.index, self.resolution.resource, tuple(own)), (True,) * len(own))


class Inheritance:
    """Finds out which indices answer."""

    def __init__(self, indices: Indices, sources: Sources, kept: Kept) -> None:
        self._indices = indices
        self._sources = sources
        self._kept = kept

    def resolve(self, owner: str, name: str) -> Resolution:
        """Return the resolution of an index, from memory if nothing has changed. Belongs outside of transactions.

        Raises:
            NotFound: there is no such index.
        """
        values = self._kept.now()
        key = ("resolution", owner, name)
        if key not in values:
            index = self._indices.get(owner, name)
            own = index_resource(index)
            layers = [
                Layer(found, source, own if found is index else index_resource(found))
                for found in depth_first(index, self._indices.find)
                if (source := self._sources.of(found)) is not None
            ]
            layers.sort(key=lambda layer: layer.source.last)
            values[key] = Resolution(index, own, tuple(layers))
        resolution: Resolution = values[key]
        return resolution
