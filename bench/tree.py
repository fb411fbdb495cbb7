"""A command and everything it starts: run it in a process group of its own, read its CPU and memory, end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
LOG = "output.log"
PATIENCE = 20
"""Seconds that a group gets to end by itself."""


class Tree:
    """A running command with its descendants, as far as they stay in its process group."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def pids(self) -> list[int]:
        """Return the processes of the group."""
        return [pid for pid, _ in self._stats()]

    def cpu(self) -> float:
        """Return the seconds of CPU that all processes used so far, those that have ended and been reaped included."""
        return TICK * sum(sum(map(int, fields[11:15])) for _, fields in self._stats())

    def pss(self) -> float:
        """Return the memory that the processes stand at, in MiB; what n processes share counts 1/n for each."""
        return sum(_pss(pid) for pid in self.pids()) / 1024

    def _stats(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each process with what stands after its name in ``stat`` (see proc_pid_stat(5))."""
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
    """Run a command. What it says is shown if anything fails; standard input and output may be pipes."""
    with (
        (folder / LOG).open("ab") as log,
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
            said = (folder / LOG).read_text(errors="replace")[-2000:]
            print(f"{' '.join(command)} said at last:\n{said}", file=sys.stderr)
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
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            continue


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
