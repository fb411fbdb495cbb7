"""The cost of the client's commands."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from bench import driver
from bench.answers import row
from bench.environments import variables
from bench.report import Bar, Row
from bench.sampling import Sample
from bench.site import Site

CLIENT_COMMANDS = {
    "devpi --version": Bar(4, at_least=True),
    "devpi --help": Bar(4, at_least=True),
    "devpi user -l": Bar(1, at_least=True),
}


def client(site: Site) -> list[Row]:
    """Compare our client with the incumbent's, both with our server."""
    homes = {"ours": (site.binaries, site.folder()), "incumbent": (site.incumbent_binaries, site.folder())}
    for binaries, home in homes.values():
        run(["devpi", "use", f"http://{driver.HOST}:{site.few.port}/"], binaries, variables(binaries, home))
    rows = []
    for command, bar in CLIENT_COMMANDS.items():
        samples: dict[str, list[Sample]] = {name: [] for name in homes}
        for turn in range(site.rounds + 1):
            for name, (binaries, home) in homes.items():
                taken = run(command.split(), binaries, variables(binaries, home))
                if turn:  # the first run fills caches
                    samples[name].append(taken)
        rows.append(row(command, samples, "ours", "incumbent", bar))
    return rows


def run(command: list[str], binaries: Path, env: Mapping[str, str]) -> Sample:
    """Run a command once and return the time that it and its children took."""
    begun = time.perf_counter()
    with subprocess.Popen(
        [binaries / command[0], *command[1:]],
        env=env,
        cwd=env["HOME"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Sample(1000 * (used.ru_utime + used.ru_stime), 1000 * (time.perf_counter() - begun))
