"""``devpi install``: pip and uv install from the index as the user logged in, and the login stays secret."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.client.conftest import Devpi, FakeServer, Response
from tests.helpers import distributions
from tests.helpers.tool_cache import SHARED_PIP

pytestmark = pytest.mark.slow

TOKEN = '["alice", [], true].aw/M7+QA@rny:03'
LOGIN = base64.b64encode(f"alice:{TOKEN}".encode()).decode()
PACKAGE = distributions.wheel("abc", "1.0")
LATER = distributions.wheel("abc", "2.0rc1")


@pytest.fixture(scope="module")
def ready_venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a virtual environment with pip."""
    folder = tmp_path_factory.mktemp("venv") / "with pip"
    subprocess.run([sys.executable, "-m", "virtualenv", "-q", str(folder)], env=os.environ | SHARED_PIP, check=True)
    return folder


@pytest.fixture
def packages(index: FakeServer, devpi: Devpi) -> FakeServer:
    """Serve two versions of a package to the user logged in; the token has all characters that URLs escape."""
    index.respond("/+login", "proxyauth", {"password": TOKEN, "expiration": 36000})
    devpi("login", "alice", "--password", "x").ok()
    links = ""
    for package in (PACKAGE, LATER):
        index.responses[f"/alice/dev/files/{package.filename}"] = Response(
            package.content, headers={"Content-Type": "application/octet-stream"}
        )
        links += f'<a href="../../files/{package.filename}#sha256={package.sha256}">{package.filename}</a>\n'
    page = f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
    index.responses["/alice/dev/+simple/abc/"] = Response(page, headers={"Content-Type": "text/html"})
    index.requests.clear()
    return index


def run(devpi: Devpi, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run ``devpi`` as a process, which shares its output with pip and uv; these read no other configuration."""
    program = Path(sys.executable).with_name("devpi")
    safe = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}
    safe |= {"UV_NO_CONFIG": "1", "UV_CACHE_DIR": str(devpi.home / "uv"), "HOME": str(devpi.home)}
    done = subprocess.run(
        [str(program), *arguments],
        cwd=devpi.home,
        env={"PATH": f"{program.parent}:{os.environ['PATH']}", **safe, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    return done


def installed(venv: Path) -> dict[str, str]:
    """Return the packages in an environment, without pip and setuptools."""
    command = [sys.executable, "-m", "uv", "pip", "list", "--python", str(venv / "bin" / "python"), "--format", "json"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {item["name"]: item["version"] for item in listed if item["name"] not in {"pip", "setuptools"}}


@pytest.mark.parametrize("installer", ["pip", "uv"])
@pytest.mark.parametrize("way", ["option", "active", "stored"])
def test_a_package_is_installed_as_the_user_logged_in(
    devpi: Devpi, packages: FakeServer, ready_venv: Path, installer: str, way: str
) -> None:
    """The index gets the login, but no command line or screen shows it; pre-releases are installed too."""
    environ = {"VIRTUAL_ENV": str(ready_venv)} if way == "active" else {}
    if way == "stored":
        devpi("use", "--venv", str(ready_venv))
        packages.requests.clear()
    option = ["--venv", str(ready_venv)] if way == "option" else []

    done = run(devpi, "install", "--installer", installer, *option, "abc", **environ)

    assert done.returncode == 0, done
    assert installed(ready_venv) == {"abc": "2.0rc1"}
    (page,) = [request for request in packages.requests if request.path.endswith("/abc/")][-1:]
    assert page.headers["Authorization"] == f"Basic {LOGIN}"
    for secret in (TOKEN, "rny", LOGIN):
        assert secret not in done.stdout + done.stderr
    assert "-U abc  [" in done.stdout
    subprocess.run([sys.executable, "-m", "uv", "pip", "uninstall", "--python", str(ready_venv), "abc"], check=True)


def test_uv_is_used_without_pip(devpi: Devpi, packages: FakeServer, tmp_path: Path) -> None:
    """Environments that uv creates contain no pip."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    (devpi.home / "requirements.txt").write_text("abc<2\n")

    done = run(devpi, "install", "--venv", str(tmp_path / "bare"), "-r", "requirements.txt")

    assert done.returncode == 0, done
    assert installed(tmp_path / "bare") == {"abc": "1.0"}


def test_an_expired_login_is_left_out(devpi: Devpi, packages: FakeServer, ready_venv: Path) -> None:
    """Public packages are installed without it."""
    packages.serve_index(authstatus=["noauth", "", []])

    done = run(devpi, "install", "--venv", str(ready_venv), "abc")

    assert done.returncode == 0, done
    assert all("Authorization" not in request.headers for request in packages.requests)


def test_installed_packages_are_listed(devpi: Devpi, index: FakeServer, ready_venv: Path) -> None:
    """No request is sent."""
    done = run(devpi, "install", "--venv", str(ready_venv), "-l")

    assert done.stdout.startswith(f"list of installed packages on {ready_venv}\n")
    assert "pip " in done.stdout
    assert not index.requests


@pytest.mark.parametrize(
    ("arguments", "complaint", "code"),
    [
        pytest.param(
            ["--venv", "none", "abc"],
            "No virtualenv found at: 'none'; type 'python3 -m venv none' to create it, or 'devpi use --venv -' to",
            1,
            id="no venv",
        ),
        pytest.param([], "devpi install: error: name packages, or give -r FILE or -e ARG\n", 2, id="nothing"),
        pytest.param(["nope"], "command failed\n", 1, id="no package"),
        pytest.param(["--index", "bob/none", "abc"], "GET {url}/bob/none/+api\n404 Not Found", 1, id="no index"),
    ],
)
def test_failed_installations_are_reported(
    devpi: Devpi, packages: FakeServer, ready_venv: Path, arguments: list[str], complaint: str, code: int
) -> None:
    """The exit code and a message say so."""
    done = run(devpi, "install", *arguments, VIRTUAL_ENV=str(ready_venv))

    assert done.returncode == code
    assert complaint.format(url=packages.url) in done.stderr


def test_a_missing_installer_is_reported(devpi: Devpi, index: FakeServer, tmp_path: Path) -> None:
    """The message names pip and uv."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    bare = ["install", "--venv", str(tmp_path / "bare"), "abc"]

    done = run(devpi, *bare, PATH="/nowhere")
    pip = run(devpi, *bare, "--installer", "pip")

    assert done.stderr == f"no pip in {tmp_path / 'bare'}, and no uv in PATH: install one of them\n"
    assert pip.stderr == f"no pip in {tmp_path / 'bare'}: install it there, or use --installer uv\n"


@pytest.mark.parametrize("installer", ["pip", "uv"])
@pytest.mark.parametrize("way", ["option", "active", "PATH"])
def test_nothing_is_installed_into_the_environment_of_the_program(
    devpi: Devpi, packages: FakeServer, installer: str, way: str
) -> None:
    """It may be that of the server; the refusal says how to make another one, and no request is sent."""
    own = Path(sys.prefix)
    environ = {"VIRTUAL_ENV": str(own)} if way == "active" else {}
    option = ["--venv", str(own)] if way == "option" else []

    done = run(devpi, "install", "--installer", installer, *option, "abc", **environ)

    assert done.returncode == 1
    assert f"{own} is the environment that devpi itself runs in" in done.stderr
    assert "'python3 -m venv ~/work', and type 'devpi install --venv ~/work'" in done.stderr
    assert not packages.requests


def test_a_user_can_insist_on_the_environment_of_the_program(devpi: Devpi, packages: FakeServer) -> None:
    """With ``--into-own-environment``, the installer runs; here it finds no such package and changes nothing."""
    done = run(devpi, "install", "--installer", "uv", "--into-own-environment", "--venv", sys.prefix, "nope")

    assert done.stderr.endswith("command failed\n")
    assert [request.path for request in packages.requests if request.path.endswith("/nope/")]
