"""The command line: ``python -m bench``, from the top of the checkout."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import answers, commands, files, hanging, logins, memory, moves, pages, searches, starts, uploads
from bench.report import Row, table
from bench.site import Site

BENCHMARKS: dict[str, Callable[[Site], list[Row]]] = {
    "start": starts.cold,  # first, because memory that servers share would count for less
    "api": answers.api,
    "user": answers.user,
    "patch": answers.patch,
    "list": answers.all_users,
    "login": logins.cost,
    "beside": logins.beside,
    "hanging": hanging.hanging,
    "client": commands.client,
    "pages": pages.pages,
    "unchanged": pages.unchanged,
    "long": pages.long_pages,
    "names": pages.names,
    "searches": searches.searches,
    "files": files.files,
    "uploads": uploads.small,
    "large": uploads.large,
    "crowd": uploads.beside,
    "memory": memory.memory,
    "moves": moves.moves,
}


def main() -> int:
    """Measure and print; return 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure the cost of wheelgate; see README.md."
    )
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="measure only this part; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures of all rounds to this file")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="rounds to measure (default: 9)")
    parser.add_argument("--connections", type=int, default=8, metavar="N", help="concurrent requests (default: 8)")
    parser.add_argument("--extra", default="", help="install wheelgate with this extra, such as 'fast'")
    parser.add_argument("--venv", type=Path, metavar="DIR", help="measure the wheelgate of this environment instead")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # also stops the servers
    machine = {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "kernel": platform.release(),
        "load_before": os.getloadavg(),
    }
    rows: list[Row] = []
    begun = time.monotonic()
    given = options.venv and options.venv.absolute() / "bin"
    with Site(options.extra, given, options.rounds, options.connections) as site:
        for name, measure in BENCHMARKS.items():
            if not options.only or name in options.only:
                print(f"{time.monotonic() - begun:4.0f} s: {name}", file=sys.stderr)
                rows += measure(site)
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps({**machine, "rows": [row.as_json() for row in rows]}, indent=2) + "\n")
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
