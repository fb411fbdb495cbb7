"""The tools that people upload and install with: released ones, kept from everything but the server under test."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.helpers import incumbent

RELEASED = (
    ("pip==26.3", "twine==7.0.0", "uv==0.13.9", "flit==4.2.0", "hatch==1.18.2", "poetry==2.5.1"),
    ("pdm[locked]==2.29.3",),  # it does not run beside what hatch requires
)
PATIENCE = 100
"""Seconds that a tool gets."""


def programs() -> str:
    """Return a ``PATH`` of the tools; what they require must not bind the project: their environments are their own."""
    folders = [incumbent.installed(f"tools-{name_of(requirements)}", requirements) for requirements in RELEASED]
    return os.pathsep.join(map(str, folders))


def name_of(requirements: Sequence[str]) -> str:
    """Name an environment by what is in it."""
    return hashlib.sha256(" ".join(requirements).encode()).hexdigest()[:12]


class Outside:
    """Where everything goes that is not for this machine: a proxy that counts who comes, and lets nobody through."""

    def __init__(self) -> None:
        self.visits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._listen, daemon=True)

    @property
    def url(self) -> str:
        """The proxy's address."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            with visitor:
                self.visits += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # close alone does not wake who waits in accept
        self._socket.close()
        self._thread.join()


@dataclass(frozen=True, slots=True)
class Desk:
    """A home where nothing was ever done, with all tools, and one index to ask."""

    home: Path
    programs: str
    """``PATH`` of the tools."""
    outside: Outside
    index: str
    """Address of the index: where uploads go, and below which the simple pages are."""

    @property
    def simple(self) -> str:
        """Address of the simple pages."""
        return f"{self.index}+simple/"

    def run(self, *command: str | Path, code: int = 0, **variables: str) -> str:
        """Run a tool in the home and return what it said; it has to end with the code."""
        ended = subprocess.run(
            command,
            cwd=self.home,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            text=True,
        )
        assert ended.returncode == code, f"{command} ended with {ended.returncode}:\n{ended.stdout}"
        return ended.stdout

    def beside(self, name: str, index: str) -> Desk:
        """Return the same with another home, where nothing was ever done, and another index."""
        home = self.home / name
        home.mkdir()
        return replace(self, home=home, index=index)

    def write(self, name: str, *lines: str) -> Path:
        """Write a text file into the home."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*lines, ""]))
        return path

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point all tools at the index, and at nothing else."""
        return {
            "PATH": os.pathsep.join([self.programs, os.environ["PATH"]]),
            "HOME": str(self.home),
            "TMPDIR": str(self.home),
            "LANG": "C.UTF-8",
            "COLUMNS": "300",
            "NO_COLOR": "1",
            "http_proxy": self.outside.url,
            "https_proxy": self.outside.url,
            "no_proxy": "127.0.0.1",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_INDEX_URL": self.simple,
            "PIP_NO_INPUT": "1",
            "UV_DEFAULT_INDEX": self.simple,
            "UV_NO_CONFIG": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "PDM_CHECK_UPDATE": "0",
            "PDM_PYPI_URL": self.simple,
            "POETRY_VIRTUALENVS_IN_PROJECT": "true",
        }
