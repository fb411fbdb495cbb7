"""Resolves requirements for a target, with resolvelib, the library that pip uses for it.

Only ``devpi-server prefetch`` imports this module: the library is in the extra ``prefetch``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from resolvelib import AbstractProvider, BaseReporter, ResolutionImpossible, Resolver
from resolvelib.resolvers import ResolutionTooDeep

from wheelgate.errors import Conflict
from wheelgate.services.prefetching.catalog import Catalog, OfferedFile, UnusableError
from wheelgate.services.prefetching.requirement_files import Wanted
from wheelgate.services.prefetching.targets import Target

MAX_ROUNDS = 100_000
"""Steps of a resolution; a hundred projects take some hundred."""
MAX_CAUSES = 10
"""Requirements that the message about a conflict names."""

Key = tuple[str, frozenset[str]]
"""The normalised name of a project, and its extras."""


@dataclass(frozen=True, slots=True)
class Need:
    """A requirement, and where it comes from."""

    requirement: Requirement
    place: str
    """A line of a file, or a release that needs it."""

    @property
    def key(self) -> Key:
        """The project with its extras."""
        return canonicalize_name(self.requirement.name), frozenset(map(canonicalize_name, self.requirement.extras))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A version of a project, and the file that the target would install."""

    name: str
    version: Version
    extras: frozenset[str]
    offered: OfferedFile


class Provider(AbstractProvider[Need, Chosen, Key]):
    """Answers the questions of the resolver."""

    def __init__(self, catalog: Catalog, target: Target, constraints: Sequence[Need], *, sdists: bool) -> None:
        self._catalog = catalog
        self._target = target
        self._sdists = sdists
        self._constraints = constraints
        self.unusable: set[OfferedFile] = set()

    def identify(self, requirement_or_candidate: Need | Chosen) -> Key:
        """Return the project with its extras."""
        if isinstance(requirement_or_candidate, Need):
            return requirement_or_candidate.key
        return requirement_or_candidate.name, requirement_or_candidate.extras

    def get_preference(
        self,
        identifier: Key,
        resolutions: Mapping[Key, Chosen],
        candidates: Mapping[Key, Iterator[Chosen]],
        information: Mapping[Key, Iterator[Any]],
        backtrack_causes: Sequence[Any],
    ) -> tuple[bool, bool, str, list[str]]:
        """Prefer projects that caused a conflict, then those with a version that is fixed."""
        caused = any(identifier[0] == cause.requirement.key[0] for cause in backtrack_causes)
        specifiers = [each for info in information[identifier] for each in info.requirement.requirement.specifier]
        fixed = any(each.operator in ("==", "===") for each in specifiers)
        return not caused, not fixed, identifier[0], sorted(identifier[1])

    def find_matches(
        self,
        identifier: Key,
        requirements: Mapping[Key, Iterator[Need]],
        incompatibilities: Mapping[Key, Iterator[Chosen]],
    ) -> list[Chosen]:
        """Return the versions that all requirements allow, the newest first."""
        name, extras = identifier
        needs = [*requirements[identifier], *(each for each in self._constraints if each.key[0] == name)]
        specifier = SpecifierSet()
        for need in needs:
            specifier &= need.requirement.specifier
        bad = {each.version for each in incompatibilities[identifier]}
        versions = self._catalog.versions(name, self._target, sdists=self._sdists)
        allowed = specifier.filter(sorted(version for version in versions if version not in bad))
        chosen = [Chosen(name, version, extras, versions[version]) for version in allowed]
        return [each for each in reversed(chosen) if each.offered not in self.unusable]

    def is_satisfied_by(self, requirement: Need, candidate: Chosen) -> bool:
        """Return whether a version is allowed; whether it may be a pre-release, the choice has decided."""
        return requirement.requirement.specifier.contains(candidate.version, prereleases=True)

    def get_dependencies(self, candidate: Chosen) -> Iterable[Need]:
        """Return the requirements of a version whose markers are true for the target.

        Raises:
            UnusableError: its metadata cannot be read.
        """
        place = f"{candidate.name} {candidate.version}"
        if candidate.extras:  # the project with an extra needs the same version without it
            yield Need(Requirement(f"{candidate.name}=={candidate.version}"), place)
        for requirement in self._catalog.requirements(candidate.offered):
            if requirement.url is None and applies(requirement, self._target, candidate.extras):
                yield Need(requirement, place)


def applies(requirement: Requirement, target: Target, extras: Iterable[str]) -> bool:
    """Return whether the marker of a requirement is true for a target, with one of the extras or with none."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**target.markers, "extra": extra}) for extra in ("", *extras))


def resolve(
    catalog: Catalog, target: Target, wanted: Wanted, *, sdists: bool
) -> tuple[list[Chosen], list[UnusableError]]:
    """Return the releases that a target installs for some requirements, and what was left out on the way.

    Raises:
        Conflict: there is no solution; the message names the requirements that exclude each other.
    """
    roots = [Need(*each) for each in wanted.requirements if applies(each[0], target, ())]
    constraints = [Need(*each) for each in wanted.constraints if applies(each[0], target, ())]
    provider = Provider(catalog, target, constraints, sdists=sdists)
    left_out: list[UnusableError] = []
    while True:
        try:
            result = Resolver(provider, BaseReporter()).resolve(roots, MAX_ROUNDS)
        except UnusableError as error:
            provider.unusable.add(error.offered)
            left_out.append(error)
        except ResolutionImpossible as error:
            raise conflict(catalog, target, [cause.requirement for cause in error.causes], sdists=sdists) from None
        except ResolutionTooDeep:
            raise Conflict(f"no solution was found in {MAX_ROUNDS} steps; add versions to the requirements") from None
        else:
            return [each for each in result.mapping.values() if not each.extras], left_out


def conflict(catalog: Catalog, target: Target, causes: Sequence[Need], *, sdists: bool) -> Conflict:
    """Return the error about requirements without a solution."""
    named = dict.fromkeys(f"{need.requirement} ({need.place})" for need in causes)
    shown = ", ".join([*named][:MAX_CAUSES])
    reasons = [catalog.absent[name] for name in {need.key[0] for need in causes} if name in catalog.absent]
    empty = [name for name in {need.key[0] for need in causes} if not catalog.versions(name, target, sdists=sdists)]
    if not reasons and empty:
        kinds = "wheel or sdist" if sdists else "wheel"
        reasons = [f"'{name}' has no {kinds} for it" for name in sorted(empty)]
    why = f": {' '.join(reasons)}" if reasons else ""
    return Conflict(f"no solution for {target.name}: {shown}{why}")
