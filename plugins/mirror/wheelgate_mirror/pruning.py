"""``devpi-server prune-mirror``: removes the cached files of mirrors that no client has used for a while."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from wheelgate import Server
from wheelgate.errors import NotFound
from wheelgate.option_types import positive_time_span
from wheelgate.sizes import readable_size
from wheelgate.subcommands import CommandContext
from wheelgate_mirror import use_queries
from wheelgate_mirror.uses import MIN_UNUSED_DAYS, SECONDS_PER_DAY, day


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("index", metavar="USER/INDEX", nargs="*", help="a mirror; all of them if none is given")
    unused = "remove files that are unused for this long, such as 90d; at least a week"
    parser.add_argument("--unused", metavar="TIME", required=True, type=unused_days, help=unused)
    parser.add_argument("--yes", action="store_true", help="remove them; without it, only say what would be freed")


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Remove the cached files that were last used before the given time, or say which they are; the server may run.

    Raises:
        NotFound: an index does not exist, or is not a mirror.
    """
    days = arguments.unused
    before = day() - days + 1
    with context.open_server(read_only=not arguments.yes) as server:
        require_mirrors(server, arguments.index)
        counts: Counter[str] = Counter()
        with server.files.usage() as usage:
            unused = use_queries.unused_files(server.database, before, arguments.index)
            space = usage.freed_by(counted(unused, counts))
        for path, count in sorted(counts.items()):
            print(f"{path}: {count} {'file' if count == 1 else 'files'} unused for {days} days")
        size = readable_size(space.size)
        if not counts:
            print(f"no cached file is unused for {days} days")
        elif not arguments.yes:
            print(f"removing them would free {size}; nothing was removed: repeat the command with --yes")
        else:
            removed = remove(server, before, arguments.index)
            print(f"{removed} {'file' if removed == 1 else 'files'} removed, {size} freed")
    return 0


def unused_days(text: str) -> int:
    """Return the days in a time span.

    Raises:
        ArgumentTypeError: it is malformed, or shorter than a week: uses within a week are recorded late.
    """
    try:
        seconds = positive_time_span(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected {error}, not {text[:50]!a}") from None
    if seconds < MIN_UNUSED_DAYS * SECONDS_PER_DAY:
        raise argparse.ArgumentTypeError(f"expected at least {MIN_UNUSED_DAYS}d, not {text[:50]!a}")
    return seconds // SECONDS_PER_DAY


def require_mirrors(server: Server, paths: Sequence[str]) -> None:
    """Check that indices are mirrors.

    Raises:
        NotFound: one is not.
    """
    for path in paths:
        owner, _, name = path.partition("/")
        index = server.indices.get(owner, name)
        if index is None or index.type != "mirror":
            raise NotFound(f"there is no mirror {path[:200]!a} on this server; nothing was removed")


def counted(files: Iterable[tuple[str, str]], counts: Counter[str]) -> Iterator[tuple[str, str]]:
    """Yield files, and count them by index."""
    for index, path in files:
        counts[index] += 1
        yield index, path


def remove(server: Server, before: int, indices: Sequence[str]) -> int:
    """Remove the files whose last use was before a day; return how many. Each batch is a transaction of its own."""
    removed = 0
    while True:
        with server.database.transaction():
            hashes = use_queries.delete_unused(server.database, before, indices)
            server.files.mark_unreferenced(hashes)
        if not hashes:
            return removed
        removed += len(hashes)
        server.files.remove_marked()
