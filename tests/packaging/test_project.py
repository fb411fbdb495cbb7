"""What the project says of itself: one version, and metadata that agree with what is tested."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from wheelgate_client import VERSION

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
"""Each holds a distribution."""
PROJECTS = [tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"] for folder in FOLDERS]
EACH = pytest.mark.parametrize("project", PROJECTS, ids=[str(project["name"]) for project in PROJECTS])


@EACH
def test_everything_has_the_version_that_the_client_says(project: dict[str, object]) -> None:
    """What is released together has one version, and it is the installed one; ``make`` installs after a change."""
    assert project.get("version", VERSION) == VERSION
    assert metadata.version(str(project["name"])) == VERSION


@EACH
def test_the_metadata_name_the_license_once_and_the_oldest_python(project: dict[str, Any]) -> None:
    """The license is an SPDX expression, which a classifier would contradict; each supported Python is named."""
    classifiers = project["classifiers"]

    assert not [classifier for classifier in classifiers if classifier.startswith("License ::")]
    assert "Typing :: Typed" in classifiers
    for minor in (11, 12, 13, 14):
        assert f"Programming Language :: Python :: 3.{minor}" in classifiers
    assert project["requires-python"] == ">=3.11"


@EACH
def test_every_address_is_one_of_an_example(project: dict[str, dict[str, str]]) -> None:
    """The project has no public address yet: what stands in its place leads nowhere by mistake."""
    hosts = {url.split("/")[2] for url in project["urls"].values()}

    assert {host for host in hosts if not host.endswith("wheelgate.example")} == set()


@pytest.mark.parametrize("folder", FOLDERS[1:], ids=lambda folder: str(folder.name))
def test_a_plugin_with_a_distribution_of_its_own_holds_the_license(folder: Path) -> None:
    """What is distributed alone is licensed alone, by the same words."""
    assert (folder / "LICENSE").read_text("utf-8") == (ROOT / "LICENSE").read_text("utf-8")
