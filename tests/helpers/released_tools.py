"""Released tools that upload and install, which can reach only the server under test."""

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

from tests.helpers.tool_cache import installed

TOOL_REQUIREMENTS = (
    ("pip==26.3", "twine==7.0.0", "uv==0.13.9", "flit==4.2.0", "hatch==1.18.2", "poetry==2.5.1"),
    ("pdm[locked]==2.29.3",),  # does not work with the requirements of hatch
)
TOOL_TIMEOUT_SECONDS = 100


def programs() -> str:
    """Return a ``PATH`` of the tools; their environments are separate from the project's, as are their requirements."""
    folders = [installed(f"tools-{name_of(requirements)}", requirements) for requirements in TOOL_REQUIREMENTS]
    return os.pathsep.join(map(str, folders))


def name_of(requirements: Sequence[str]) -> str:
    """Return a name for an environment that depends on its requirements."""
    return hashlib.sha256(" ".join(requirements).encode()).hexdigest()[:12]


class ProxyTrap:
    """A proxy for all requests to other machines: it counts them and answers none."""

    def __init__(self) -> None:
        self.requests = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._listen, daemon=True)

    @property
    def url(self) -> str:
        """The proxy's address."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.requests += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # close alone does not interrupt accept
        self._socket.close()
        self._thread.join()


@dataclass(frozen=True, slots=True)
class ToolHome:
    """An empty home folder with all tools, and an index for them."""

    folder: Path
    programs: str
    """``PATH`` of the tools."""
    proxy: ProxyTrap
    index: str
    """Address of the index, for uploads; the simple pages are below it."""

    @property
    def simple(self) -> str:
        """Address of the simple pages."""
        return f"{self.index}+simple/"

    def run(self, *command: str | Path, code: int = 0, **variables: str) -> str:
        """Run a tool in the home and return its output; it must end with the exit code."""
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TOOL_TIMEOUT_SECONDS,
            text=True,
        )
        assert ended.returncode == code, f"{command} ended with {ended.returncode}:\n{ended.stdout}"
        return ended.stdout

    def another(self, name: str, index: str) -> ToolHome:
        """Return another empty home with the same tools and another index."""
        folder = self.folder / name
        folder.mkdir()
        return replace(self, folder=folder, index=index)

    def with_tools(self, folder: Path) -> ToolHome:
        """Return the same home with other tools in front."""
        return replace(self, programs=os.pathsep.join([str(folder), self.programs]))

    def write(self, name: str, *lines: str) -> Path:
        """Write a text file into the home."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*lines, ""]))
        return path

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point all tools at the index and at no other."""
        return {
            "PATH": os.pathsep.join([self.programs, os.environ["PATH"]]),
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "LANG": "C.UTF-8",
            "COLUMNS": "300",
            "NO_COLOR": "1",
            "http_proxy": self.proxy.url,
            "https_proxy": self.proxy.url,
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
