"""The distribution of the client alone: its files, what it installs, and its commands against a running server."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
from pathlib import Path

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.session_transcript import PROGRAMS_FOLDER, Shell, difference, from_text, same_lines
from tests.packaging.test_distributions import GENERATED, contents, packages
from tests.session.test_session import STEPS, matches

from wheelgate.testing.server_process import clean_environment
from wheelgate_client import VERSION

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "client"
WHOLE, ALONE = (
    {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in tomllib.loads(text)["project"]["dependencies"]}
    for text in ((folder / "pyproject.toml").read_text("utf-8") for folder in (ROOT, CLIENT))
)
"""The names of the requirements of the server with the client, and of the client alone."""
NEED_PYTEST = {"wheelgate_client.contracts"}
"""Modules for the tests of plugins."""
PACKAGE_COMMANDS = f"""
$ devpi --version
devpi (wheelgate) {VERSION}

$ devpi plugins
keyring (bundled)
    wheelgate_client_get_password
pipconfig (wheelgate-client {VERSION})
    wheelgate_client_config_writers

$ devpi index -c dev
…

$ devpi use root/dev --set-cfg --for pip
…

$ devpi upload hello-1.0-py3-none-any.whl
…

$ devpi list hello
http://localhost:3141/root/dev/+f/…/hello-1.0-py3-none-any.whl

"""
"""Commands for packages, typed after the session."""
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Run a command that must succeed, and return what it prints."""
    done = subprocess.run(command, cwd=cwd, env=clean_environment(**variables), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build an sdist from the folder of the client alone, and the wheel from that; return the folder of both."""
    folder, empty = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("empty")
    shutil.copytree(CLIENT, folder / "client", ignore=GENERATED)
    options = ("--sdist", "--no-isolation", "--outdir", folder / "dist")
    run(sys.executable, "-m", "build", *options, folder / "client", cwd=folder)
    (sdist,) = (folder / "dist").iterdir()
    run(*PIP, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", folder / "dist", sdist, cwd=empty)
    return folder / "dist"


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel with its requirements in an empty environment, and return that."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    (made,) = built.glob("*.whl")
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", made], check=True)
    return folder


@pytest.fixture
def programs(installed: Path, tmp_path: Path) -> Path:
    """Return a folder with the installed ``devpi`` and the ``devpi-server`` of the tests."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "devpi").symlink_to(installed / "bin" / "devpi")
    (folder / "devpi-server").symlink_to(PROGRAMS_FOLDER / "devpi-server")
    return folder


def test_the_files(built: Path) -> None:
    """The wheel has the packages of the client and its plugins, and no others; the sdist has what builds them."""
    (made,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert contents(made) == packages(CLIENT)
    assert {"wheelgate_client/py.typed", "wheelgate_pipconfig/py.typed"} <= contents(made)
    assert {"pyproject.toml", "README.md", "LICENSE"} <= names


def test_what_it_installs(installed: Path) -> None:
    """The environment has the client's requirements, and nothing that only the server needs."""
    listed = run(*PIP, "--python", installed / "bin" / "python", "list", "--format", "freeze", cwd=installed)
    names = {line.partition("==")[0].lower() for line in listed.splitlines()}

    assert {"wheelgate-client", *ALONE} <= names
    assert names & {"wheelgate", *(WHOLE - ALONE)} == set()
    assert not (installed / "bin" / "devpi-server").exists()


def test_every_module_imports_without_the_server(installed: Path) -> None:
    """No module of the client, or of its plugins, needs anything that is not installed."""
    modules = {name.removesuffix(".py").replace("/", ".") for name in packages(CLIENT) if name.endswith(".py")}

    run(installed / "bin" / "python", "-c", f"import {', '.join(sorted(modules - NEED_PYTEST))}", cwd=installed)


def test_the_commands(programs: Path, tmp_path: Path) -> None:
    """Every command of the documented session, and those for packages, print what they print beside a server."""
    hello = wheel("hello")
    (tmp_path / hello.filename).write_bytes(hello.content)
    shell = Shell(tmp_path, programs=programs)
    with shell.serve("devpi-server"):
        session = [(step, shell.type(step.command)) for step in STEPS]
        packages = [(step, shell.type(step.command)) for step in from_text(PACKAGE_COMMANDS)]

    different = [difference(step, printed) for step, printed in session if not matches(step, printed)]
    different += [difference(step, printed) for step, printed in packages if not same_lines(step.expected, printed)]
    assert not different, "\n".join(different)


def test_both_in_one_environment(installed: Path, tmp_path: Path) -> None:
    """With the server's distribution beside it, the client has each plugin once, and its writers do not clash."""
    (site_packages,) = installed.glob("lib/python3*/site-packages")
    here = {"PYTHONPATH": str(site_packages), "HOME": str(tmp_path)}

    assert run(PROGRAMS_FOLDER / "devpi", "plugins", cwd=tmp_path, **here).count("pipconfig (") == 1
    assert "no config file exists" in run(PROGRAMS_FOLDER / "devpi", "use", cwd=tmp_path, **here)
