"""Runs a command in its own process group, measures the CPU and memory of all its processes, and stops them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

CLOCK_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
OUTPUT_FILE = "output.log"
STOP_TIMEOUT_SECONDS = 20
"""Time for a group to stop by itself."""


class Tree:
    """A running command with its descendants that stay in its process group."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def pids(self) -> list[int]:
        """Return the processes of the group."""
        return [pid for pid, _ in self._stats()]

    def cpu(self) -> float:
        """Return the seconds of CPU of all processes, including those that have ended and been reaped."""
        return CLOCK_TICK_SECONDS * sum(sum(map(int, fields[11:15])) for _, fields in self._stats())

    def pss(self) -> float:
        """Return the memory of the processes in MiB; memory that n processes share counts 1/n for each."""
        return sum(_pss(pid) for pid in self.pids()) / 1024

    def _stats(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each process with the fields after its name in ``stat`` (see proc_pid_stat(5))."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if int(fields[2]) == self.process.pid:
                    yield int(entry.name), fields


@contextmanager
def running(command: Sequence[str], folder: Path, env: Mapping[str, str], *, piped: bool = False) -> Iterator[Tree]:
    """Run a command, and show its output if anything fails; standard input and output may be pipes."""
    with (
        (folder / OUTPUT_FILE).open("ab") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE if piped else log,
            stderr=log,
            cwd=folder,
            env=env,
            process_group=0,
        ) as process,
    ):
        try:
            yield Tree(process)
        except Exception:
            output = (folder / OUTPUT_FILE).read_text(errors="replace")[-2000:]
            print(f"{' '.join(command)} printed at the end:\n{output}", file=sys.stderr)
            raise
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
