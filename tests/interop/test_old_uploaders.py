"""Uploads with old releases of tools: ``setup.py`` of distutils and setuptools, twine 1 to 5, and poetry 1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.index_host import USER, IndexHost
from tests.helpers.old_tools import OldTool, find_python
from tests.helpers.released_tools import ProxyTrap, ToolHome
from tests.helpers.uploaders import UPLOADERS, Login, prepare

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

SETUP = "from {origin} import setup\n\nsetup(name='{name}', version='1.0', description='made', py_modules=['{name}'])\n"
PYPIRC = """\
[distutils]
index-servers = private

[private]
repository = {index}
username = {user}
password = {secret}
"""
POETRY_1_PROJECT = """\
[tool.poetry]
name = "{name}"
version = "1.0"
description = "made for a test"
authors = ["A. Tester <tester@company.example>"]

[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""
DISTUTILS = ("2.7", "3.6", "3.8", "3.10")
"""Versions of Python with distutils; 2.7 sends MD5 only, 3.9 and later a field of another algorithm than its name."""
SETUPTOOLS = OldTool("2.7", ("setuptools==44.1.1",))
"""The last setuptools for Python 2.7."""
TWINES = {
    "1": OldTool("2.7", ("twine==1.15.0",)),
    "3": OldTool("3.6", ("twine==3.8.0",)),
    "5": OldTool("3.8", ("twine==5.1.1",)),
}
POETRIES = {
    "1.1": OldTool("3.7", ("poetry==1.1.15", "urllib3==1.26.20")),
    "1.8": OldTool("", ("poetry==1.8.5", "poetry-core==1.9.1", "poetry-plugin-export==1.8.0")),
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexHost]:
    """Start a server where alice has an index that only she may read, and that keeps its files."""
    with ServerProcess(tmp_path_factory.mktemp("host") / "server", *CHEAP_HASHING, workers=2) as server:
        host = IndexHost.create(server)
        host.make_index("private", volatile=False, acl_read=[])
        yield host


@pytest.fixture
def home(host: IndexHost, tmp_path: Path, tools: str) -> Iterator[ToolHome]:
    """Return a new home with a ``.pypirc``; check at the end that the tools contacted only the server."""
    with ProxyTrap() as proxy:
        home = ToolHome(tmp_path, tools, proxy, host.index("private"))
        home.write(".pypirc", PYPIRC.format(index=home.index, user=USER, secret=host.token)).chmod(0o600)
        yield home
        assert not proxy.requests


def write_module(home: ToolHome, name: str, origin: str) -> None:
    """Write a project that ``setup.py`` describes."""
    home.write("setup.py", SETUP.format(origin=origin, name=name))
    home.write(f"{name}.py", "x = 1")


def listed(host: IndexHost, project: str) -> dict[str, str]:
    """Return the digests of a project's files by their names."""
    return {file["filename"]: file["hashes"]["sha256"] for file in host.files("private", project)}


@pytest.mark.parametrize("version", DISTUTILS)
def test_distutils_uploads_and_registers(version: str, host: IndexHost, home: ToolHome) -> None:
    """Distutils registers a version, then uploads its sdist."""
    python, project = find_python(version), f"distutils{version.replace('.', '')}"
    write_module(home, project, "distutils.core")

    registered = home.run(python, "setup.py", "register", "-r", "private")
    home.run(python, "setup.py", "sdist", "upload", "-r", "private")

    assert "200" in registered
    assert listed(host, project) == host.digests(home.folder / "dist")
    assert host.request("GET", f"{USER}/private/{project}/1.0")["result"]["summary"] == "made"


def test_setuptools_uploads_documentation(host: IndexHost, home: ToolHome) -> None:
    """Setuptools registers a version, uploads its sdist and wheel, and then its documentation."""
    write_module(home, "withdocs", "setuptools")
    home.write("docs/index.html", "<h1>With docs</h1>")
    python = home.with_tools(SETUPTOOLS.programs())

    python.run("python", "setup.py", "register", "-r", "private")
    python.run("python", "setup.py", "sdist", "bdist_wheel", "upload", "-r", "private")
    output = python.run("python", "setup.py", "upload_docs", "-r", "private", "--upload-dir", "docs")

    assert "Server response (200)" in output
    assert listed(host, "withdocs") == host.digests(home.folder / "dist")
    links = host.request("GET", f"{USER}/private/withdocs/1.0")["result"]["+links"]
    assert [link["rel"] for link in links].count("doczip") == 1


@pytest.mark.parametrize("version", TWINES)
def test_twine_uploads(version: str, host: IndexHost, home: ToolHome) -> None:
    """Twine registers and uploads a wheel and an sdist, and shows why another wheel of the same name is refused."""
    project, login = f"twine{version}", Login(home.index, USER, host.token)
    twine = home.with_tools(TWINES[version].programs())
    prepare(twine, project)
    files = host.digests(home.folder / "dist")

    twine.run(
        "twine", "register", "-r", "private", *(str(home.folder / "dist" / name) for name in files if "whl" in name)
    )
    UPLOADERS["twine"].upload(twine, login)
    prepare(twine, project, seed=1)
    refused = UPLOADERS["twine"].upload(twine, login, code=1)

    assert listed(host, project) == files
    assert "already exists in non-volatile index" in refused


@pytest.mark.parametrize("version", POETRIES)
def test_poetry_builds_and_publishes(version: str, host: IndexHost, home: ToolHome) -> None:
    """Poetry 1 uploads the wheel and the sdist that it builds."""
    project = f"poetry{version.replace('.', '')}"
    poetry = home.with_tools(POETRIES[version].programs())
    home.write("pyproject.toml", POETRY_1_PROJECT.format(name=project))
    home.write(f"{project}.py", "x = 1")

    UPLOADERS["poetry"].upload(poetry, Login(home.index, USER, host.token), options=["--build"])

    assert listed(host, project) == host.digests(home.folder / "dist")
    assert len(listed(host, project)) == 2
