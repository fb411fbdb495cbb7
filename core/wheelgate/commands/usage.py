"""``devpi-server usage``: which package files take how much space, by index and by project."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from wheelgate.commands.context import ServerContext
from wheelgate.errors import NotFound
from wheelgate.files.usage import FileUsage, SharedContent, Space
from wheelgate.server import Server
from wheelgate.sizes import readable_size

MAX_SHARED_LINES = 10
"""Shared files that the table names; ``--json`` names all of them."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("index", metavar="USER/INDEX", nargs="?", help="show the projects of this index")
    parser.add_argument("--json", action="store_true", help="print JSON with every index, project and shared file")


def run(arguments: argparse.Namespace, context: ServerContext) -> int:
    """Print the space of the recorded files; the server may run.

    Raises:
        NotFound: the named index has no files.
    """
    with context.open_server(read_only=True) as server, server.files.usage() as usage:
        if arguments.json:
            for part in json_parts(server, usage, arguments.index):
                sys.stdout.write(part)
        elif arguments.index is None:
            print_indices(server, usage)
        else:
            print_projects(usage, arguments.index)
    return 0


def print_indices(server: Server, usage: FileUsage) -> None:
    """Print the space of each index, and the largest files that several indices share."""
    total, rows = usage.total(), []
    for path, space in usage.indices():
        rows.append((path, index_type(server, path), *cells(space)))
    print_table(("INDEX", "TYPE", "FILES", "SIZE", "SHARED"), [*rows, ("total", "", *cells(total))])
    shared = list(islice(usage.shared(), MAX_SHARED_LINES))
    if shared:
        print("\nin several indices, and once in the store and in the total:")
        print_table((), [(readable_size(each.size), " ".join(each.paths)) for each in shared], numbers=1)
        if sum(each.size for each in shared) < total.shared:
            print("… and further ones: see --json")


def print_projects(usage: FileUsage, index: str) -> None:
    """Print the space of each project of an index.

    Raises:
        NotFound: it has no files.
    """
    rows = [(project or "-", *cells(space)) for project, space in usage.projects(index)]
    if not rows:
        raise NotFound(f"there is no index {index[:200]!a} with files on this server")
    print_table(("PROJECT", "FILES", "SIZE", "SHARED"), rows)


def index_type(server: Server, path: str) -> str:
    """Return the type of an index; empty if it was deleted a moment ago."""
    owner, _, name = path.partition("/")
    index = server.indices.get(owner, name)
    return "" if index is None else index.type


def cells(space: Space) -> tuple[str, str, str]:
    """Return the cells of a table for a space."""
    return str(space.files), readable_size(space.size), readable_size(space.shared) if space.shared else ""


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 3) -> None:
    """Print columns; the ``numbers`` columns that hold numbers are aligned to the right."""
    lines = [*([heads] if heads else []), *rows]
    columns = len(lines[0])
    right = range(columns - numbers, columns) if heads else range(numbers)
    widths = [max(len(line[at]) for line in lines) for at in range(columns)]
    for line in lines:
        aligned = [f"{each:>{widths[at]}}" if at in right else f"{each:<{widths[at]}}" for at, each in enumerate(line)]
        print("  ".join(aligned).rstrip())


def json_parts(server: Server, usage: FileUsage, only: str | None) -> Iterator[str]:
    """Yield the parts of a JSON document, a project at a time: there may be hundreds of thousands of them."""
    total = usage.total()
    yield f'{{"files": {total.files}, "bytes": {total.size}, "shared_bytes": {total.shared}, "indices": ['
    chosen = ((path, space) for path, space in usage.indices() if only in (None, path))
    for number, (path, space) in enumerate(chosen):
        head = json.dumps({"index": path, "type": index_type(server, path), **described(space)})
        yield f'{", " if number else ""}\n  {head[:-1]}, "projects": ['
        yield from joined({"project": name, **described(each)} for name, each in usage.projects(path))
        yield "]}"
    yield '], "shared": ['
    yield from joined(described_content(each) for each in usage.shared() if only is None or _has(each, only))
    yield "]}\n"


def joined(values: Iterable[Any]) -> Iterator[str]:
    """Yield the elements of a JSON list, one on a line."""
    for number, value in enumerate(values):
        yield f"{',' if number else ''}\n    {json.dumps(value)}"


def described(space: Space) -> dict[str, int]:
    """Return a space as JSON."""
    return {"files": space.files, "bytes": space.size, "shared_bytes": space.shared}


def described_content(content: SharedContent) -> dict[str, Any]:
    """Return a shared content as JSON."""
    return {"sha256": content.sha256, "bytes": content.size, "paths": list(content.paths)}


def _has(content: SharedContent, index: str) -> bool:
    return any(path.startswith(f"{index}/+") for path in content.paths)
