"""The real tools read the files written by name, and send the stored login."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import released_tools as released

from wheelgate_client.hookspecs import ConfigWriter, Target
from wheelgate_client.tools.config_files import apply_edit

pytestmark = pytest.mark.slow

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Configure = Callable[..., None]
PROJECT = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["some-project"]\n'
ASKED = "/alice/dev/+simple/some-project/"
UPLOAD = "/alice/dev/"


@pytest.fixture
def work(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a project in the working directory, and a wheel."""
    monkeypatch.chdir(home)
    (home / "pyproject.toml").write_text(PROJECT)
    metadata = {
        "METADATA": "Metadata-Version: 2.1\nName: p\nVersion: 1\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(home / "p-1-py3-none-any.whl", "w") as wheel:
        for name, content in metadata.items():
            wheel.writestr(f"p-1.dist-info/{name}", content)
    return home


@pytest.fixture
def configure(writers: dict[str, ConfigWriter], work: Path, recorder: Any) -> Configure:
    """Return a function that does `devpi use --set-cfg --with-login --for NAMES` for the recording server."""

    def write(*names: str) -> None:
        index = f"{recorder.url}{UPLOAD}"
        for name in names:
            location = writers[name].location(None)
            assert location is not None
            target = Target(f"{index}+simple/", index, upload_url=index, username="alice", password="wgs_to.ken-1")
            apply_edit(
                writers[name].plan(location.path, target)
            )  # with its mode: pdm ignores a netrc that others can read

    return write


@pytest.fixture(scope="session")
def tools() -> str:
    """Return a ``PATH`` with the released tools."""
    return released.programs()


def program(name: str, tools: str) -> str:
    """Return the path of a tool."""
    found = shutil.which(name, path=tools)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("names", "command", "asked"),
    [
        pytest.param(
            ["uv-index", "netrc"],
            ["uv", "pip", "compile", "--python", sys.executable, "pyproject.toml"],
            [ASKED],
            id="uv-install",
        ),
        pytest.param(
            ["uv-index", "netrc"],
            ["uv", "publish", "--index", "wheelgate", "p-1-py3-none-any.whl"],
            ["/alice/dev/+simple/p/", UPLOAD],
            id="uv-publish",
        ),
        pytest.param(
            ["pip", "netrc"], ["pip", "download", "--no-cache-dir", "some-project"], [ASKED], id="pip-download"
        ),
        pytest.param(
            ["pypirc"],
            ["twine", "upload", "--non-interactive", "-r", "wheelgate", "p-1-py3-none-any.whl"],
            [UPLOAD],
            id="twine-upload",
        ),
        pytest.param(["poetry", "netrc"], ["poetry", "lock"], [ASKED], id="poetry-lock"),
        pytest.param(["pdm", "netrc"], ["pdm", "lock"], [ASKED], id="pdm-lock"),
    ],
)
def test_the_tool_asks_our_index_with_the_login(
    configure: Configure, run: Run, recorder: Any, tools: str, names: list[str], command: list[str], asked: list[str]
) -> None:
    """It only asks our index, at the right URL, and sends the login each time."""
    tool = program(command[0], tools)
    configure(*names)

    done = run(tool, *command[1:], PDM_CHECK_UPDATE="0", PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring")

    assert recorder.asked == asked, done
    assert recorder.logins == ["alice:wgs_to.ken-1"] * len(asked)


def test_uv_insists_on_the_login(configure: Configure, run: Run, recorder: Any, tools: str) -> None:
    """Without the login in netrc, uv reports that and asks no index at all."""
    configure("uv-index")

    done = run(program("uv", tools), "pip", "compile", "--python", sys.executable, "pyproject.toml")

    assert "Missing credentials" in done.stderr
    assert recorder.asked == []
