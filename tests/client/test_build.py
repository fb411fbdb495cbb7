"""``devpi upload`` without a path: the built files, their sources, and the interpreter."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from tests.client.conftest import Devpi, FakeServer, Response
from tests.client.test_upload import EMPTY, uploads
from tests.helpers import distributions

pytestmark = pytest.mark.slow

WHEEL = distributions.wheel("proj").filename
SDIST = distributions.sdist("proj").filename
BUILD_SDIST = '''

def build_sdist(sdist_directory, config_settings=None):
    """Pack the whole folder; a file contains the answer of git."""
    import subprocess, tarfile
    asked = subprocess.run(["git", "describe", "--always"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    (HERE / "history.txt").write_bytes(asked.stdout)
    with tarfile.open(pathlib.Path(sdist_directory, "proj-1.0.tar.gz"), "w:gz") as archive:
        archive.add(HERE, "proj-1.0", filter=lambda member: None if member.name.endswith("/.git") else member)
    return "proj-1.0.tar.gz"
'''
SPHINX = """
import pathlib, sys
target = pathlib.Path(sys.argv[-1])
target.mkdir()
(target / "index.html").write_text(sys.argv[-2])
"""


@pytest.fixture
def project(devpi: Devpi, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change into the folder of a project in a git repository, with an untracked file."""
    with tarfile.open(fileobj=io.BytesIO(distributions.sdist("proj").content)) as archive:
        archive.extractall(devpi.home, filter="data")
    folder = devpi.home / "proj-1.0"
    with (folder / "backend.py").open("a") as file:
        file.write(BUILD_SDIST)
    (folder / "build").mkdir()  # a folder that is not the module 'build'
    (folder / "build" / "rest.txt").touch()
    monkeypatch.chdir(folder)
    git("init", "-q")
    git("add", "backend.py", "pyproject.toml", "PKG-INFO", "proj")
    git("commit", "-qm", "begin")
    (folder / "secret.txt").write_text("not for others")
    return folder


def git(*arguments: str) -> None:
    """Run git with a name and an address."""
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x.example", *arguments], check=True)


def built(index: FakeServer) -> tuple[list[str], set[str]]:
    """Return the names of the uploaded files, and of the members of the sdist."""
    names: list[str] = []
    members: set[str] = set()
    for form in uploads(index):
        names.append(form["filename"][0].decode())
        if names[-1].endswith(".gz"):
            with tarfile.open(fileobj=io.BytesIO(form["content"][0])) as archive:
                members = {name.partition("/")[2] for name in archive.getnames()}
                history = archive.extractfile("proj-1.0/history.txt")
                assert history is not None
                members |= {"knows its history"} if history.read().strip() else set()
    return names, members


@pytest.mark.parametrize(
    ("options", "setup_cfg", "names"),
    [
        pytest.param([], "", [WHEEL, SDIST], id="both"),
        pytest.param(["--sdist"], "", [SDIST], id="sdist"),
        pytest.param(["--wheel"], "", [WHEEL], id="wheel"),
        pytest.param([], "[devpi:upload]\nwheel = 1\n", [WHEEL], id="setup.cfg"),
        pytest.param([], "[devpi:upload]\nformats = sdist\n", [SDIST], id="formats of setup.cfg"),
    ],
)
def test_requested_formats_are_built_and_uploaded(
    devpi: Devpi, index: FakeServer, project: Path, options: list[str], setup_cfg: str, names: list[str]
) -> None:
    """The build leaves nothing in the project's folder."""
    (project / "setup.cfg").write_text(setup_cfg)
    before = sorted(project.rglob("*"))
    index.responses["/alice/dev/"] = EMPTY

    outcome = devpi("upload", "--no-isolation", *options).ok()

    assert built(index)[0] == names
    assert outcome.out.splitlines()[0].startswith("using workdir ")
    assert outcome.out.splitlines()[2:] == [f"file_upload of {name} to {index.url}/alice/dev/" for name in names]
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize(
    ("options", "there", "absent"),
    [
        pytest.param([], {"PKG-INFO", "knows its history"}, {"secret.txt", "build"}, id="exported"),
        pytest.param(["--setupdir-only"], {"PKG-INFO"}, {"secret.txt", "knows its history"}, id="without history"),
        pytest.param(["--no-vcs"], {"secret.txt", "build", "knows its history"}, set(), id="in place"),
    ],
)
def test_releases_are_built_from_tracked_files(
    devpi: Devpi, index: FakeServer, project: Path, options: list[str], there: set[str], absent: set[str]
) -> None:
    """Untracked files get into no release unless the user asks for that."""
    index.responses["/alice/dev/"] = EMPTY

    devpi("upload", "--no-isolation", "--sdist", *options).ok()

    members = built(index)[1]
    assert there <= members
    assert not absent & members


def test_formats_are_deprecated(devpi: Devpi, index: FakeServer, project: Path) -> None:
    """``--formats`` still works, and a note says what to type instead."""
    index.responses["/alice/dev/"] = EMPTY

    outcome = devpi("upload", "--no-isolation", "--formats", "bdist_wheel,sdist.zip")

    assert outcome.err == "--formats is deprecated: use --sdist, --wheel, or both\n"
    assert built(index)[0] == [WHEEL, SDIST]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        pytest.param(["--with-docs", "--wheel"], [WHEEL, "proj-1.0.doc.zip"], id="with"),
        pytest.param(["--only-docs"], ["proj-1.0.doc.zip"], id="only"),
    ],
)
def test_documentation_is_built(
    devpi: Devpi,
    index: FakeServer,
    project: Path,
    tmp_path: Path,
    options: list[str],
    names: list[str],
) -> None:
    """The client runs Sphinx as a module and uploads its output as a zip file."""
    sphinx = tmp_path / "site" / "sphinx"
    sphinx.mkdir(parents=True)
    (sphinx / "__init__.py").touch()
    (sphinx / "__main__.py").write_text(SPHINX)
    (project / "docs").mkdir()
    (project / "docs" / "conf.py").touch()
    git("add", "docs")
    index.responses["/alice/dev/"] = EMPTY

    devpi("upload", "--no-isolation", *options, PYTHONPATH=str(sphinx.parent)).ok()

    assert built(index)[0] == names
    with zipfile.ZipFile(io.BytesIO(uploads(index)[-1]["content"][0])) as archive:
        assert archive.read("index.html").endswith(b"/docs")


@pytest.mark.parametrize(
    ("options", "spoil", "complaint"),
    [
        pytest.param([], "pyproject.toml", "{here} is not a Python project: ", id="no project"),
        pytest.param(["--only-docs"], "", "no Sphinx conf.py in docs or doc of ", id="no docs"),
        pytest.param(["--formats", "rpm"], "", "cannot build rpm: ", id="format"),
        pytest.param(["-p", "bin/none"], "", "cannot run 'bin/none': No such file or directory", id="no interpreter"),
        pytest.param([], "backend.py", "command failed", id="build fails"),
    ],
)
def test_build_failures_are_reported(
    devpi: Devpi, index: FakeServer, project: Path, options: list[str], spoil: str, complaint: str
) -> None:
    """Nothing is sent."""
    if spoil:
        (project / spoil).unlink()

    outcome = devpi("upload", "--no-isolation", *options).fails()

    assert outcome.err.splitlines()[-1].startswith(complaint.format(here=project))
    assert not uploads(index)


@pytest.fixture
def bare_python(tmp_path: Path) -> str:
    """Return the interpreter of an environment in which nothing is installed."""
    venv.create(tmp_path / "bare")
    return str(tmp_path / "bare" / "bin" / "python")


def path_of(folder: Path, *names: str) -> str:
    """Return a ``PATH`` with these programs only."""
    folder.mkdir()
    for name in names:
        found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        assert found is not None
        (folder / name).symlink_to(found)
    return str(folder)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        pytest.param([], [WHEEL, SDIST], id="both"),
        pytest.param(["--wheel"], [WHEEL], id="wheel"),
        pytest.param(["--sdist", "--no-isolation"], [SDIST], id="sdist, without isolation"),
    ],
)
def test_uv_builds_where_build_is_missing(
    devpi: Devpi,
    index: FakeServer,
    project: Path,
    bare_python: str,
    tmp_path: Path,
    options: list[str],
    names: list[str],
) -> None:
    """The same files are built with the same interpreter, and the build leaves nothing in the project's folder."""
    before = sorted(project.rglob("*"))
    index.responses["/alice/dev/"] = EMPTY
    programs = path_of(tmp_path / "programs", "git", "uv")

    outcome = devpi("upload", "--python", bare_python, *options, PATH=programs, UV_OFFLINE="1").ok()

    assert built(index)[0] == names
    assert f"$ {programs}/uv build " in outcome.out
    assert f" --python {bare_python} " in outcome.out
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize(
    ("options", "present", "next_step"),
    [
        pytest.param([], [], "{python} -m pip install build", id="build"),
        pytest.param(["--only-docs"], [], "{python} -m pip install sphinx", id="sphinx"),
        pytest.param(["--only-docs"], ["uv"], "uv pip install --python {python} sphinx", id="sphinx, with uv"),
    ],
)
def test_a_missing_tool_is_one_command_away(
    devpi: Devpi,
    index: FakeServer,
    project: Path,
    bare_python: str,
    tmp_path: Path,
    options: list[str],
    present: list[str],
    next_step: str,
) -> None:
    """The message says which command installs the tool for that interpreter."""
    (project / "docs").mkdir()
    (project / "docs" / "conf.py").touch()
    git("add", "docs")
    programs = path_of(tmp_path / "programs", "git", *present)

    outcome = devpi("upload", "--python", bare_python, *options, PATH=programs).fails()

    module = next_step.split()[-1]
    assert outcome.err == (
        f"'{bare_python}' has no module '{module}': type '{next_step.format(python=bare_python)}',"
        " or name another interpreter with --python\n"
    )
    assert not uploads(index)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("[devpi:upload]\nwheel = maybe\n", "setup.cfg: Not a boolean: maybe; "), ("[devpi", "setup.cfg: File contains")],
)
def test_an_invalid_setup_cfg_is_reported(
    devpi: Devpi, index: FakeServer, project: Path, content: str, complaint: str
) -> None:
    """The client does not guess the meaning of invalid settings."""
    (project / "setup.cfg").write_text(content)

    assert devpi("upload").fails().err.startswith(complaint)


def test_an_untracked_project_is_reported(devpi: Devpi, index: FakeServer, project: Path) -> None:
    """The exported copy would lack pyproject.toml."""
    git("rm", "-q", "--cached", "pyproject.toml")

    assert devpi("upload").fails().err.startswith(f"git does not track the pyproject.toml of {project}: ")


@pytest.mark.parametrize("trouble", ["damaged", "no git"])
def test_an_unreadable_repository_is_reported(devpi: Devpi, index: FakeServer, project: Path, trouble: str) -> None:
    """Untracked files must not get into a release unnoticed."""
    if trouble == "damaged":
        (project / ".git" / "HEAD").unlink()

    outcome = devpi("upload", **({"PATH": "/nowhere"} if trouble == "no git" else {})).fails()

    assert outcome.err.startswith(f"git cannot list the files of {project} that it tracks: ")


def test_a_folder_without_git_is_built_in_place(devpi: Devpi, index: FakeServer, project: Path) -> None:
    """A project needs no version control."""
    subprocess.run(["rm", "-r", ".git"], check=True)
    index.responses["/alice/dev/"] = EMPTY

    devpi("upload", "--no-isolation", "--sdist", "-p", sys.executable).ok()

    assert "secret.txt" in built(index)[1]


def test_a_refusal_leaves_no_workdir(devpi: Devpi, index: FakeServer, project: Path, tmp_path: Path) -> None:
    """The built files are deleted at the end of the command."""
    index.responses["/alice/dev/"] = Response({"message": "no"}, 403)

    devpi("upload", "--no-isolation", "--wheel", TMPDIR=str(tmp_path)).fails()

    assert not list(tmp_path.glob("devpi-*"))
