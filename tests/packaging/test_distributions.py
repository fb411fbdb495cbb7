"""The built distributions contain every file that they need, and no others."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from wheelgate_client import VERSION

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CLIENT = ROOT / "client"
SEPARATE_PACKAGES = [
    path.parent
    for project in ROOT.glob("plugins/*/pyproject.toml")
    for path in project.parent.glob("wheelgate_*/__init__.py")
]
"""Packages with their own distributions."""
GENERATED = shutil.ignore_patterns(
    ".git",
    ".venv",
    ".cache",
    ".*_cache",
    ".hypothesis",
    ".coverage*",
    "*.egg-info",
    "__pycache__",
    "build",
    "dist",
    "site",
)

LINK_FORMS = [
    re.compile(form) for form in (r"\]\(([^)\s]*)", r"(?m)^\[[^]]*\]:\s*(\S*)", r"(?:href|src)=[\"']([^\"']*)")
]
"""The ways to link in a Markdown file: inline, by reference, and in HTML."""

pytestmark = pytest.mark.slow


def source_roots(project: Path) -> list[Path]:
    """Return the folders with the packages of a distribution, from its ``pyproject.toml``."""
    config = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    return [project / folder for folder in config["tool"]["setuptools"]["packages"]["find"]["where"]]


def packages(project: Path) -> set[str]:
    """Return the files of all packages of a distribution, as a wheel names them."""
    found = [init.parent for root in source_roots(project) for init in root.glob("wheelgate*/__init__.py")]
    return {f"{package.name}/{name}" for package in found for name in packaged(package)}


def contents(wheel: Path) -> set[str]:
    """Return the names of the files in a wheel, without those about it."""
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def packaged(folder: Path) -> set[str]:
    """Return the files below a folder that belong into distributions, relative to it."""
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return {str(path) for path in files if "__pycache__" not in path.parts and ".egg-info" not in path.parts[0]}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both distributions from a copy, so that nothing in the checkout changes, and return their folder."""
    folder = tmp_path_factory.mktemp("build")
    shutil.copytree(ROOT, folder / "checkout", ignore=GENERATED)
    command = [sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(folder / "checkout")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist"


def test_the_wheel_contains_only_the_packages(built: Path) -> None:
    """Every file of every package is in the wheel, markers for types and migrations included."""
    (wheel,) = built.glob("*.whl")
    names = contents(wheel)

    assert names == packages(ROOT)
    bundled = set(CONFIG["tool"]["coverage"]["run"]["source_pkgs"]) - {package.name for package in SEPARATE_PACKAGES}
    assert {name.partition("/")[0] for name in names} == bundled
    assert {f"{package}/py.typed" for package in bundled} <= names
    assert "wheelgate/store/migrations/0001_server_state.py" in names


@pytest.mark.parametrize("package", SEPARATE_PACKAGES, ids=lambda package: str(package.name))
def test_the_wheel_of_a_separate_plugin(package: Path, tmp_path: Path) -> None:
    """The wheel contains the package and its license, and nothing else."""
    shutil.copytree(package.parent, tmp_path / "checkout", ignore=GENERATED)
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    offline = ["--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path), str(tmp_path / "checkout")]
    done = subprocess.run([*command, *offline], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")

    assert contents(wheel) == {f"{package.name}/{name}" for name in packaged(package)}
    assert any(name.endswith("/licenses/LICENSE") for name in zipfile.ZipFile(wheel).namelist())


def test_the_metadata_of_the_wheel(built: Path) -> None:
    """The metadata contain the license, the readme and the two commands."""
    (wheel,) = built.glob("*.whl")
    archive = zipfile.ZipFile(wheel)
    (info,) = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name}
    metadata = archive.read(f"{info}/METADATA").decode()
    scripts = archive.read(f"{info}/entry_points.txt").decode()

    assert f"\nVersion: {VERSION}\n" in metadata
    assert "License-Expression: MIT" in metadata
    assert "# wheelgate" in metadata
    assert f"{info}/licenses/LICENSE" in archive.namelist()
    assert "devpi = " in scripts
    assert "devpi-server = " in scripts


def test_every_link_of_the_readme_works_on_the_page_of_an_index(built: Path) -> None:
    """The repository's readme links to files next to it; in the wheel's metadata each link is a full URL."""
    (wheel,) = built.glob("*.whl")
    archive = zipfile.ZipFile(wheel)
    (path,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    readme = archive.read(path).decode().partition("\n\n")[2]
    links = [link for form in LINK_FORMS for link in form.findall(readme)]

    assert len(links) > 20
    assert [link for link in links if not link.startswith("https://")] == []
    assert f"{CONFIG['project']['urls']['Source']}/blob/v{VERSION}/docs/tutorial.md" in links


def test_the_source_distribution_has_all_that_contributing_needs(built: Path) -> None:
    """The source distribution contains the tests, the documentation and the files for contributors."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "RELEASING.md",
        "SECURITY.md",
        ".pre-commit-config.yaml",
        "tools/release.py",
        "LICENSE",
        "Makefile",
        "zensical.toml",
        ".ci/run",
        ".ci/install-server",
        "setup.py",
    ]

    assert set(wanted) <= names
    assert {f"tests/{name}" for name in packaged(ROOT / "tests")} <= names
    assert {f"docs/{name}" for name in packaged(ROOT / "docs")} <= names
    assert {f"deploy/{name}" for name in packaged(ROOT / "deploy")} <= names
    assert {f"client/{name}" for name in ("pyproject.toml", "README.md", "LICENSE")} <= names
    assert {f"plugins/{package.parent.name}/pyproject.toml" for package in SEPARATE_PACKAGES} <= names
    assert {
        f"{package.relative_to(ROOT)}/{name}" for package in SEPARATE_PACKAGES for name in packaged(package)
    } <= names
