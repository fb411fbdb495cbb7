"""Installs the incumbent's released programs, and runs its server as a process."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.tool_cache import installed

from wheelgate.testing.server_process import clean_environment, free_port

INCUMBENT_REQUIREMENTS = ("devpi-server==6.20.3", "devpi-client==7.3.0")
CHEAP_HASHING_OPTIONS = ("--argon2-memory-cost", "8", "--argon2-time-cost", "1", "--argon2-parallelism", "1")
"""Options for its server, which otherwise takes seconds to hash its secret."""
START_TIMEOUT_SECONDS = 100


def programs() -> Path:
    """Return the folder of the programs, which are installed once for all test runs and benchmarks of a user.

    ``WHEELGATE_PEER_VENV`` may name a virtual environment that has them already.
    """
    given = os.environ.get("WHEELGATE_PEER_VENV")
    if given:
        return Path(given).absolute() / "bin"
    return installed("incumbent-6.20.3", INCUMBENT_REQUIREMENTS)


@contextmanager
def running(binaries: Path, folder: Path) -> Iterator[int]:
    """Start the incumbent's server in an empty folder; yield its port."""
    state = folder / "server"
    run(binaries, folder, "devpi-init", "--no-root-pypi", "--serverdir", str(state))
    with serving(binaries, state) as port:
        yield port


def run(binaries: Path, home: Path, program: str, *arguments: str) -> None:
    """Run one of its programs; its output becomes a part of the error if it fails."""
    done = subprocess.run(
        [str(binaries / program), *arguments],
        env=clean_environment(HOME=str(home)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@contextmanager
def serving(binaries: Path, state: Path) -> Iterator[int]:
    """Start the incumbent's server in a folder that it has initialised, or imported into; yield its port."""
    log = state.with_name("server.log")
    environment = clean_environment(HOME=str(state.parent))
    with log.open("wb") as output:
        port = free_port()
        options = ("--serverdir", str(state), "--host", "127.0.0.1", "--port", str(port), *CHEAP_HASHING_OPTIONS)
        process = subprocess.Popen(
            [str(binaries / "devpi-server"), *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _wait(process, port, log)
        yield port
    finally:
        process.kill()  # its data is not needed any more, and on SIGTERM it would wait for idle threads
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with direct.open(f"http://127.0.0.1:{port}/+api", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the incumbent's server does not answer; its output:\n{log.read_text()}")
