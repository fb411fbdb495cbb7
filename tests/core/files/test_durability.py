"""No power cut loses a recorded file: the order of write, fsync, rename and commit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # a process of its own

REPOSITORY = Path(__file__).parents[3]
ABOVE = ["wait for sha256", "wait for files", "wait for serverdir"]
DURABLE = ["wait for file", "wait for folder", "record", "commit"]
WRITTEN = ["create file", "write file"]
FULL = 2
"""The value of SQLite's ``synchronous`` that waits for the disk at each commit."""
REPLACED = [*WRITTEN, "wait for file", "rename file", *DURABLE]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the steps of a process that uploads files to a server."""
    command = [
        sys.executable,
        "-m",
        "tests.helpers.recorded_uploads",
        str(tmp_path_factory.mktemp("recorded") / "server"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("case", "steps"),
    [
        pytest.param("small", ["make files", "make sha256", "make folder", *ABOVE, *WRITTEN, *DURABLE], id="small"),
        pytest.param("small-again", REPLACED, id="small, there already"),
        pytest.param("large", [*WRITTEN, "make folder", *ABOVE, "link file", *DURABLE], id="large"),
        pytest.param("large-again", REPLACED, id="large, there already"),
    ],
)
def test_a_file_is_on_the_disk_before_it_is_recorded(recorded: Any, case: str, steps: list[str]) -> None:
    """Content, name and new folders are synced before the record; a replacement also before the rename."""
    assert recorded[case] == {"files": [steps], "synchronous": [FULL]}


@pytest.mark.parametrize(
    ("case", "steps"),
    [
        pytest.param("group", [*WRITTEN, *DURABLE], id="new"),
        pytest.param("group-again", REPLACED, id="there already"),
    ],
)
def test_of_a_group_each_file_is_on_the_disk_before_they_are_recorded(
    recorded: Any, case: str, steps: list[str]
) -> None:
    """Concurrent small uploads share few transactions, and none is recorded before its own file is durable."""
    above = {"make folder", *ABOVE}
    files = [[step for step in file if step not in above] for file in recorded[case]["files"]]

    assert len(recorded[case]["synchronous"]) < len(files) / 2
    assert files == [steps] * len(files)
