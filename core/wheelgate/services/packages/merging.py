"""Merging: the projects, files and releases of all indices that answer for one, and which index hides which."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

from wheelgate.errors import BackendUnavailable, Forbidden, NotCached, NotFound, Refusal
from wheelgate.packages import File, PackageSource, Project, ProjectList, Release
from wheelgate.services.packages.inheritance import Layer, Resolution
from wheelgate.services.packages.sources import Sources
from wheelgate.values import Index

T = TypeVar("T")

SERVED, HIDDEN, ABSENT, UNAVAILABLE = "served", "hidden", "absent", "unavailable"
MAX_ASKED_MIRRORS = 20
"""Mirrors that one request asks, the first in order: otherwise a request that costs its sender nothing could make this
server send hundreds to one upstream."""
RETRY_UNAVAILABLE_SECONDS = 10.0
"""Seconds for which a page is cached that lacks the files of an upstream that has failed."""
RETRY_ABSENT_SECONDS = 60.0
"""Seconds for which a page is cached that lacks the files of an upstream without the project."""


@dataclass(frozen=True, slots=True)
class LayerAnswer(Generic[T]):
    """The answer of one index about a project."""

    layer: Layer
    state: str
    """``served``, ``hidden`` (the index was not asked), ``absent`` or ``unavailable``."""
    content: T | None = None
    problem: Refusal | None = None
    """Why the index is unavailable, or that the server is offline and cannot know whether it has the project."""
    hidden_by: str = ""
    """The path of the index that hosts the project."""
    remembered_until: str | None = None
    """Until when the server remembers that an upstream does not have the project; see ``NotFound``."""


@dataclass(frozen=True, slots=True)
class MergedProject:
    """A project as its simple page shows it."""

    name: str
    parts: tuple[tuple[Index, tuple[File, ...]], ...]
    """The files of each index; no file name occurs twice."""
    versions: tuple[str, ...]
    status: str
    status_reason: str
    stale: bool
    until: float | None
    """Seconds since 1970 at which the indices have to be asked again; None if only changes of the stores matter."""
    left_out: tuple[tuple[str, str], ...] = ()
    """Of each index that leaves out files: its path, and the clause of ``Project.left_out``."""

    def __len__(self) -> int:
        return sum(len(files) for _, files in self.parts)


class IndexMerger:
    """Asks the indices of a resolution and merges their answers."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    async def project(self, resolution: Resolution, name: str) -> MergedProject:
        """Return a project with the files of all indices that answer for it.

        Raises:
            NotFound: no index has it.
            Refusal: no index has it as far as is known, and an upstream does not answer.
        """
        answers = await self.ask(resolution, name, lambda source: source.project)
        return merge_projects(name, answers, found_contents(name, answers))

    async def releases(self, resolution: Resolution, name: str) -> list[tuple[Index, Sequence[Release]]]:
        """Return the releases of a project by index, for all that answer for it. Raises as :meth:`project` does."""
        answers = await self.ask(
            resolution, name, lambda source: lambda index, name: source.releases(index, name) or None
        )
        return [(layer.index, releases) for layer, releases in found_contents(name, answers)]

    async def listing(self, resolution: Resolution) -> ProjectList:
        """Return the names of all projects, index by index and each name once.

        Raises:
            Refusal: there is none as far as is known, and an upstream does not answer.
        """
        listings: list[ProjectList] = []
        problem: Refusal | None = None
        asked, left_out = split_layers(resolution.layers)
        if left_out:
            problem = too_many_mirrors(resolution.index)
        for layer in asked:
            try:
                listings.append(await self._sources.run_in_thread(layer.index, layer.source.projects, layer.index))
            except (BackendUnavailable, Forbidden, NotFound) as refusal:
                if not layer.source.last:
                    raise
                problem = problem or refusal
        filled = [listing.names for listing in listings if listing.names]
        if problem is not None and not filled:
            raise problem
        names = filled[0] if len(filled) == 1 else list(dict.fromkeys(chain.from_iterable(filled)))
        until = [listing.until for listing in listings if listing.until is not None]
        until += [time.time() + RETRY_UNAVAILABLE_SECONDS] if problem is not None else []
        stale = problem is not None or any(listing.stale for listing in listings)
        return ProjectList(names, stale, min(until, default=None))

    async def ask(
        self,
        resolution: Resolution,
        name: str,
        method_of: Callable[[PackageSource], Callable[[Index, str], T | None]],
    ) -> list[LayerAnswer[T]]:
        """Call a method of each index's source, in their order; hidden indices are not asked.

        Mirrors come last. An index before them that has the project, or claims its name, hides them unless a whitelist
        names the project: otherwise anyone could publish a private name on the upstream and have it installed here.
        """
        layers = resolution.layers
        guarded = any(layer.source.last for layer in layers) and not resolution.whitelists(name)
        host = ""
        answers: list[LayerAnswer[T]] = []
        asked, left_out = split_layers(layers)
        for layer in asked:
            last = layer.source.last
            if last and host:
                answers.append(LayerAnswer(layer, HIDDEN, hidden_by=host))
                continue
            answers.append(await self._ask(layer, name, method_of(layer.source)))
            if guarded and not last and not host:
                has = answers[-1].state == SERVED
                if has or await self._sources.call(layer.index, layer.source.claims, layer.index, name):
                    host = layer.index.path
        state, problem = (HIDDEN, None) if host else (UNAVAILABLE, too_many_mirrors(resolution.index))
        answers += [LayerAnswer(layer, state, problem=problem, hidden_by=host) for layer in left_out]
        return answers

    async def ask_hidden(self, layer: Layer, name: str) -> LayerAnswer[Project]:
        """Ask a hidden index for a project all the same."""
        return await self._ask(layer, name, layer.source.project)

    async def _ask(self, layer: Layer, name: str, method: Callable[[Index, str], T | None]) -> LayerAnswer[T]:
        try:
            content = await self._sources.call(layer.index, method, layer.index, name)
        except (BackendUnavailable, Forbidden) as problem:
            # If an index before the mirrors fails, there is no answer: a mirror must not take its place.
            if not layer.source.last:
                raise
            return LayerAnswer(layer, UNAVAILABLE, problem=problem)
        except NotFound as absence:
            unknown = absence if isinstance(absence, NotCached) else None
            return LayerAnswer(layer, ABSENT, problem=unknown, remembered_until=absence.remembered_until)
        return LayerAnswer(layer, ABSENT if content is None else SERVED, content)


def split_layers(layers: Sequence[Layer]) -> tuple[Sequence[Layer], Sequence[Layer]]:
    """Return the indices to ask, and the mirrors beyond ``MAX_ASKED_MIRRORS``; mirrors come last."""
    hosted = sum(not layer.source.last for layer in layers)
    return layers[: hosted + MAX_ASKED_MIRRORS], layers[hosted + MAX_ASKED_MIRRORS :]


def too_many_mirrors(index: Index) -> Forbidden:
    """Return why some mirrors of an index are not asked."""
    return Forbidden(
        f"{index.path} inherits from more than {MAX_ASKED_MIRRORS} mirrors, and the server asks only the first ones;"
        " remove some of its bases"
    )


def found_contents(name: str, answers: Sequence[LayerAnswer[T]]) -> list[tuple[Layer, T]]:
    """Return the contents of all indices that have any; there is at least one.

    Raises:
        NotFound: no index has anything.
        Refusal: no index has anything as far as is known, and an upstream does not answer.
    """
    contents = [(answer.layer, answer.content) for answer in answers if answer.content is not None]
    if contents:
        return contents
    for answer in answers:
        if answer.problem is not None:
            raise answer.problem
    hidden = [answer for answer in answers if answer.state == HIDDEN]
    if hidden:
        raise NotFound(
            f"The project {name} does not exist. Its name belongs to {hidden[0].hidden_by}, "
            f"so the server does not ask {hidden[0].layer.index.path}; 'devpi why {name}' explains it."
        )
    remembered = [(answer.remembered_until, answer.layer.index.path) for answer in answers if answer.remembered_until]
    if remembered:
        until, path = min(remembered)
        raise NotFound(
            f"The project {name} does not exist. {path} remembers until {until} that its upstream does not have it; "
            f"'devpi refresh {name}' asks the upstream again.",
            remembered_until=until,
        )
    raise NotFound(f"The project {name} does not exist.")


def merge_projects(
    name: str, answers: Sequence[LayerAnswer[Project]], contents: Sequence[tuple[Layer, Project]]
) -> MergedProject:
    """Merge the contents of the indices: the first file of a name wins, and the first index sets the status."""
    first = contents[0][1]
    until = [project.until for _, project in contents if project.until is not None]
    mirror_states = {answer.state for answer in answers if answer.layer.source.last}
    until += [time.time() + RETRY_UNAVAILABLE_SECONDS] if UNAVAILABLE in mirror_states else []
    until += [time.time() + RETRY_ABSENT_SECONDS] if ABSENT in mirror_states else []
    parts = []
    taken: set[str] = set()
    for layer, project in contents if first.status != "quarantined" else ():
        if project.status != "quarantined":
            files = tuple(file for file in project.files if file.name not in taken) if taken else project.files
            taken.update(file.name for file in files)
            parts.append((layer.index, files))
    return MergedProject(
        name,
        tuple(parts),
        tuple(dict.fromkeys(chain.from_iterable(project.versions for _, project in contents))),
        first.status,
        first.status_reason,
        stale=UNAVAILABLE in mirror_states or any(project.stale for _, project in contents),
        until=min(until, default=None),
        left_out=tuple((layer.index.path, project.left_out) for layer, project in contents if project.left_out),
    )
