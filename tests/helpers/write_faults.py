"""Kills a process before the n-th system call by which it writes into a folder, or lets such calls fail."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_suffix(".c")
CONTROL = struct.Struct("@4L")
"""The struct ``control`` of the library."""
FOREVER = 2**40
"""A number of calls that no test reaches."""


@dataclass(frozen=True)
class WriteFaults:
    """A library that a process loads before all others, and the file that controls it while the process runs."""

    library: Path
    control: Path

    def environment(self, folder: Path) -> dict[str, str]:
        """Return the environment of a process whose calls that write below a folder count."""
        return {
            "LD_PRELOAD": str(self.library),
            "WRITE_FAULTS_CONTROL": str(self.control),
            "WRITE_FAULTS_FOLDER": str(folder),
        }

    def kill_at(self, call: int) -> None:
        """Count from 0, and kill a process before its call of that number, from 1; 0 kills none."""
        self._set(call, call, 0)

    def fail_from(self, call: int, error: int) -> None:
        """Count from 0, and let all calls from that number fail with an errno, except those that free space."""
        self._set(call, FOREVER, error)

    def stop(self) -> None:
        """Let all calls succeed again."""
        self._set(0, 0, 0)

    @property
    def count(self) -> int:
        """The number of calls since the last change."""
        return int(CONTROL.unpack(self.control.read_bytes())[0])

    def _set(self, first: int, last: int, error: int) -> None:
        # In place: running processes have mapped the file.
        with self.control.open("r+b") as file:
            file.write(CONTROL.pack(0, first, last, error))


@pytest.fixture(scope="session")
def write_faults(tmp_path_factory: pytest.TempPathFactory) -> WriteFaults:
    """Compile the library; skip the test without Linux or a C compiler."""
    compiler = shutil.which("gcc")
    if not sys.platform.startswith("linux") or compiler is None:
        pytest.skip("gcc is not installed")
    folder = tmp_path_factory.mktemp("write-faults")
    library = folder / "write_faults.so"
    built = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    control = folder / "control"
    control.write_bytes(bytes(CONTROL.size))
    return WriteFaults(library, control)


def sampled(count: int, most: int) -> list[int]:
    """Return at most so many of the numbers from 1 to ``count``, spread evenly, with the first and the last."""
    if count <= most:
        return list(range(1, count + 1))
    return sorted({1 + round(step * (count - 1) / (most - 1)) for step in range(most)})
