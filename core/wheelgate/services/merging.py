"""What the indices of a resolution hold together: their projects, the files and releases of one, and who hides whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

from wheelgate.errors import BackendUnavailable, Forbidden, NotFound, Refusal
from wheelgate.packages import File, Listing, PackageSource, Project, Release
from wheelgate.services.inheritance import Layer, Resolution
from wheelgate.services.sources import Sources
from wheelgate.values import Index

T = TypeVar("T")

SERVED, HIDDEN, ABSENT, UNAVAILABLE = "served", "hidden", "absent", "unavailable"
SOON = 10.0
"""Seconds until an upstream that has failed is asked again for what others hold as well."""
LATER = 60.0
"""Seconds until an upstream that does not have a project is asked again for what others hold as well."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What one index says about a project."""

    layer: Layer
    state: str
    """``served``, ``hidden`` (it was not asked), ``absent`` or ``unavailable``."""
    given: T | None = None
    problem: Refusal | None = None
    """Why it is unavailable."""
    hidden_by: str = ""
    """The index to which the name belongs."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What a simple page shows of a project."""

    name: str
    parts: tuple[tuple[Index, tuple[File, ...]], ...]
    """The files of each index; no file name stands twice."""
    versions: tuple[str, ...]
    status: str
    status_reason: str
    stale: bool
    until: float | None

    def __len__(self) -> int:
        return sum(len(files) for _, files in self.parts)


class Reading:
    """Asks the indices of a resolution and puts their answers together."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    async def project(self, resolution: Resolution, name: str) -> Merged:
        """Return a project with the files of all indices that answer for it.

        Raises:
            NotFound: no index has it.
            Refusal: none has it, and an upstream does not say.
        """
        answers = await self.ask(resolution, name, lambda source: source.project)
        return merge(name, answers, found(name, answers))

    async def releases(self, resolution: Resolution, name: str) -> list[tuple[Index, Sequence[Release]]]:
        """Return the releases of a project, for each index that answers for it. Raises as :meth:`project` does."""
        answers = await self.ask(
            resolution, name, lambda source: lambda index, name: source.releases(index, name) or None
        )
        return [(layer.index, releases) for layer, releases in found(name, answers)]

    async def listing(self, resolution: Resolution) -> Listing:
        """Return the names of all projects, those of each index in order.

        Raises:
            Refusal: there is none, and an upstream does not say which it has.
        """
        listings: list[Listing] = []
        problem: Refusal | None = None
        for layer in resolution.layers:
            try:
                listings.append(await self._sources.wait(layer.index, layer.source.projects, layer.index))
            except (BackendUnavailable, Forbidden) as refusal:
                if not layer.source.last:
                    raise
                problem = problem or refusal
        filled = [listing.names for listing in listings if listing.names]
        if problem is not None and not filled:
            raise problem
        names = filled[0] if len(filled) == 1 else list(dict.fromkeys(chain.from_iterable(filled)))
        until = [listing.until for listing in listings if listing.until is not None]
        until += [time.time() + SOON] if problem is not None else []
        stale = problem is not None or any(listing.stale for listing in listings)
        return Listing(names, stale, min(until, default=None))

    async def ask(
        self, resolution: Resolution, name: str, question: Callable[[PackageSource], Callable[[Index, str], T | None]]
    ) -> list[Answer[T]]:
        """Ask the indices in their order, and leave out those that others hide."""
        layers = resolution.layers
        guarded = any(layer.source.last for layer in layers) and not resolution.opens(name)
        owner = ""
        answers: list[Answer[T]] = []
        for layer in layers:
            last = layer.source.last
            if last and owner:
                answers.append(Answer(layer, HIDDEN, hidden_by=owner))
                continue
            answers.append(await self._ask(layer, name, question(layer.source)))
            if guarded and not last and not owner:
                has = answers[-1].state == SERVED
                if has or await self._sources.ask(layer.index, layer.source.claims, layer.index, name):
                    owner = layer.index.path
        return answers

    async def held_back(self, layer: Layer, name: str) -> Answer[Project]:
        """Ask an index that others hide what it would say."""
        return await self._ask(layer, name, layer.source.project)

    async def _ask(self, layer: Layer, name: str, question: Callable[[Index, str], T | None]) -> Answer[T]:
        try:
            given = await self._sources.ask(layer.index, question, layer.index, name)
        except (BackendUnavailable, Forbidden) as problem:
            # Of an index that is asked first nobody may take the place, so nothing can be said without it.
            if not layer.source.last:
                raise
            return Answer(layer, UNAVAILABLE, problem=problem)
        except NotFound:
            given = None
        return Answer(layer, ABSENT if given is None else SERVED, given)


def found(name: str, answers: Sequence[Answer[T]]) -> list[tuple[Layer, T]]:
    """Return what the indices gave, which is at least one thing."""
    given = [(answer.layer, answer.given) for answer in answers if answer.given is not None]
    if given:
        return given
    for answer in answers:
        if answer.problem is not None:
            raise answer.problem
    hidden = [answer for answer in answers if answer.state == HIDDEN]
    if hidden:
        raise NotFound(
            f"The project {name} does not exist. Its name belongs to {hidden[0].hidden_by}, "
            f"therefore {hidden[0].layer.index.path} is not asked; 'devpi why {name}' tells more."
        )
    raise NotFound(f"The project {name} does not exist.")


def merge(name: str, answers: Sequence[Answer[Project]], given: Sequence[tuple[Layer, Project]]) -> Merged:
    """Put together what the indices have of a project: the first file of a name wins, the first status counts."""
    first = given[0][1]
    until = [project.until for _, project in given if project.until is not None]
    missing = {answer.state for answer in answers if answer.layer.source.last}
    until += [time.time() + SOON] if UNAVAILABLE in missing else []
    until += [time.time() + LATER] if ABSENT in missing else []
    parts = []
    taken: set[str] = set()
    for layer, project in given if first.status != "quarantined" else ():
        if project.status != "quarantined":
            files = tuple(file for file in project.files if file.name not in taken) if taken else project.files
            taken.update(file.name for file in files)
            parts.append((layer.index, files))
    return Merged(
        name,
        tuple(parts),
        tuple(dict.fromkeys(chain.from_iterable(project.versions for _, project in given))),
        first.status,
        first.status_reason,
        stale=UNAVAILABLE in missing or any(project.stale for _, project in given),
        until=min(until, default=None),
    )
