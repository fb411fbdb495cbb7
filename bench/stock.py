"""Fills the indices that are measured, over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.helpers.distributions import Distribution, wheel

from bench import driver, forms
from bench.servers import USER, Server

DEV, MERGED, MANY_PROJECTS = (f"{USER}/{index}" for index in ("dev", "merged", "names"))
BASES = tuple(f"{USER}/{index}" for index in ("one", "two", "three"))
INDICES = {DEV: (), MANY_PROJECTS: (), **dict.fromkeys(BASES, ()), MERGED: BASES}

TEN, HUNDREDS, BIG = "ten", "thousand", "big"
"""Names of projects with 10 files, with 1,000 files, and with one large file."""
FILE_COUNT, PROJECT_COUNT = 1000, 5000
SMALL_FILE_BYTES, BIG_FILE_BYTES = 10_000, 50_000_000


def begin(server: Server) -> None:
    """Create the indices; upload a project of 10 files to one, and another to three that are bases of a fourth."""
    with driver.Connection(server.port) as connection:
        for index, bases in INDICES.items():
            settings = {"type": "stage", "volatile": True, "bases": list(bases)}
            sent = driver.request("PUT", f"/{index}", settings, server.credentials)
            driver.check(sent, *connection.ask(sent))
    put(server, DEV, (small(TEN, number) for number in range(10)))
    for number, base in enumerate(BASES):
        put(server, base, (small(TEN, one) for one in range(10) if one % len(BASES) == number))


def many_files(server: Server) -> None:
    """Upload a project of 1,000 files to an index: 100 versions with 10 files each."""
    files = (small(HUNDREDS, number // 10, f"py3-none-linux_{number % 10}") for number in range(FILE_COUNT))
    put(server, DEV, files)


def many_names(server: Server) -> None:
    """Register 5,000 projects on an index."""
    names = (f"project{number:05}" for number in range(PROJECT_COUNT))
    ask_all(server, (forms.register(name, "1.0", MANY_PROJECTS, server.credentials) for name in names))


def big(size: int = BIG_FILE_BYTES, number: int = 1) -> Distribution:
    """Make a large file."""
    return wheel(BIG, f"{number}.0", size=size, seed=number, requires_python=">=3.9")


def small(project: str, number: int, tag: str = "py3-none-any") -> Distribution:
    """Make a file of 10 KB, a version of a project."""
    return wheel(project, f"{number}.0", tag=tag, size=SMALL_FILE_BYTES, seed=number, requires_python=">=3.9")


def put(server: Server, index: str, files: Iterable[Distribution]) -> None:
    """Upload files to an index."""
    ask_all(server, (forms.upload(made, index, server.credentials) for made in files))


def ask_all(server: Server, requests: Iterator[bytes]) -> None:
    """Send requests, one after the other."""
    with driver.Connection(server.port) as connection:
        for sent in requests:
            driver.check(sent, *connection.ask(sent))
