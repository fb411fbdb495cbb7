"""The work of ``devpi-server prefetch``: other commands need neither these modules nor the library."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from packaging.requirements import Requirement

from wheelgate.app import Application
from wheelgate.commands.context import ServerContext
from wheelgate.errors import Conflict, NotFound
from wheelgate.services.prefetching.catalog import Catalog, OfferedFile
from wheelgate.services.prefetching.requirement_files import Wanted, read_requirements
from wheelgate.services.prefetching.resolving import Chosen, resolve
from wheelgate.services.prefetching.targets import Target, make_targets, this_implementation
from wheelgate.sizes import readable_size

DOWNLOADS_AT_ONCE = 4
"""Files that are downloaded at the same time."""


def prefetch(arguments: argparse.Namespace, context: ServerContext) -> None:
    """Resolve the requirements for each Python on each platform, and download what is missing.

    Raises:
        BadInput: a requirements file, a version or a platform cannot be read.
        Conflict: there is no solution, or the server is offline.
        NotFound: the index does not exist.
    """
    targets = make_targets(arguments.python, arguments.platform, arguments.implementation or this_implementation())
    wanted = Wanted()
    for path in arguments.requirement:
        read_requirements(path, wanted)
    if context.config["offline"]:
        raise Conflict("this server is offline (--offline): run prefetch on a server that reaches the upstream")
    context.require_started_server()
    with closing(Application(context.config, context.plugins)) as application, asyncio.Runner() as runner:
        resolution = application.packages.inheritance.find(arguments.index)
        if resolution is None:
            raise NotFound(f"there is no index {arguments.index[:200]!a} on this server")
        catalog = Catalog(resolution, application.packages.merger, application.server.files, runner)
        needed: dict[OfferedFile, None] = {}
        for target in targets:
            chosen = resolve_with_builds(catalog, target, wanted, sdists=not arguments.only_binary)
            print(f"{target.name}: {len(chosen)} {'file' if len(chosen) == 1 else 'files'}")
            needed |= dict.fromkeys(chosen)
        fetch(catalog, needed)


def resolve_with_builds(catalog: Catalog, target: Target, wanted: Wanted, *, sdists: bool) -> list[OfferedFile]:
    """Return the files that a target needs: those of the requirements, and those that build the sdists among them."""
    needed: dict[OfferedFile, None] = {}
    built: set[OfferedFile] = set()
    open_resolutions = [wanted]
    while open_resolutions:
        chosen, left_out = resolve(catalog, target, open_resolutions.pop(), sdists=sdists)
        for error in left_out:
            warn(str(error))
        needed |= dict.fromkeys(each.offered for each in chosen)
        for each in chosen:
            if not each.offered.is_wheel and each.offered not in built:
                built.add(each.offered)
                open_resolutions.append(build_of(catalog, each))
    return list(needed)


def build_of(catalog: Catalog, chosen: Chosen) -> Wanted:
    """Return the requirements for building an sdist, which an installer resolves apart from all others."""
    needs, release = catalog.sdist_needs(chosen.offered), f"{chosen.name} {chosen.version}"
    if not needs.complete:
        warn(f"{release} is an sdist that does not say what it requires before it is built; add that to the file")
    return Wanted([(Requirement(text), f"build of {release}") for text in needs.build])


def fetch(catalog: Catalog, needed: Iterable[OfferedFile]) -> None:
    """Download the files that are missing, and print how many there are."""
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE, "prefetch") as pool:
        stored = list(pool.map(catalog.fetch, needed))
    total = readable_size(sum(each.size for each in set(stored)))
    print(f"{len(stored)} {'file' if len(stored) == 1 else 'files'} of {total} are on this server")


def warn(sentence: str) -> None:
    """Print a warning to standard error."""
    print(f"devpi-server: {sentence}", file=sys.stderr)
