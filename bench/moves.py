"""The cost of moving a server in, and out: compared with the incumbent's import and export of the same folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.helpers.distributions import wheel
from tests.helpers.exports import Export

from bench.answers import row
from bench.commands import run
from bench.environments import variables
from bench.report import Bar, Row
from bench.sampling import Sample
from bench.site import Site

PROJECTS, VERSIONS = 20, 25
FILE_BYTES = 9000
"""Bytes of a file that do not compress; with the rest, it has 10 KB."""


def moves(site: Site) -> list[Row]:
    """Compare imports and exports of 500 files of 10 KB."""
    home = site.folder()
    export = made_export(home / "export")
    programs = {"ours": site.binaries, "incumbent": site.incumbent_binaries}
    imports: dict[str, list[Sample]] = {name: [] for name in programs}
    exports: dict[str, list[Sample]] = {name: [] for name in programs}
    for turn in range(max(3, site.rounds // 2) + 1):
        for name, binaries in programs.items():
            server, target = home / f"{name}-server", home / f"{name}-export"
            for folder in (server, target):
                shutil.rmtree(folder, ignore_errors=True)
            place = ["--serverdir", str(server)]
            reading = ["devpi-server", "import"] if name == "ours" else ["devpi-import", "--no-root-pypi"]
            writing = ["devpi-server", "export"] if name == "ours" else ["devpi-export"]
            environment = variables(binaries, home)
            taken = [
                run([*reading, *place, str(export)], binaries, environment),
                run([*writing, *place, str(target)], binaries, environment),
            ]
            if turn:  # the first run fills caches
                imports[name].append(taken[0])
                exports[name].append(taken[1])
    count = PROJECTS * VERSIONS
    return [
        row(f"import of {count} files of 10 KB", imports, "ours", "incumbent", Bar(1)),
        row(f"export of {count} files of 10 KB", exports, "ours", "incumbent", Bar(1)),
    ]


def made_export(folder: Path) -> Path:
    """Write an export that both can import."""
    export = Export(folder)
    export.user("alice")
    export.index("alice/dev")
    for project in range(PROJECTS):
        for version in range(VERSIONS):
            made = wheel(f"project-{project}", f"1.{version}", size=FILE_BYTES, seed=100 * project + version)
            export.file("alice/dev", made)
    return export.write()
