"""The metadata of the project: one version, one license, and a changelog that a release can read."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from wheelgate_client import VERSION

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "client"
FOLDERS = [ROOT, CLIENT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
"""The folders with the sources of a distribution."""
PROJECTS = {folder: tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"] for folder in FOLDERS}
EACH = pytest.mark.parametrize("project", PROJECTS.values(), ids=lambda project: str(project["name"]))


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder != CLIENT], ids=lambda folder: folder.name)
def test_every_distribution_has_the_version_of_the_client(folder: Path) -> None:
    """All distributions have the client's version, and ``make`` has installed them with it."""
    project = PROJECTS[folder]

    assert project.get("version", VERSION) == VERSION
    assert metadata.version(project["name"]) == VERSION


def test_the_client_alone_is_the_client_of_the_server_s_distribution() -> None:
    """Both distributions have the client with the same command, plugins, requirements and extras."""
    client, whole = PROJECTS[CLIENT], PROJECTS[ROOT]
    plugins = "wheelgate.client"

    assert client["scripts"] == {"devpi": whole["scripts"]["devpi"]}
    assert client["entry-points"] == {plugins: whole["entry-points"][plugins]}
    assert set(client["dependencies"]) <= set(whole["dependencies"])
    assert client["optional-dependencies"]["keyring"] == whole["optional-dependencies"]["keyring"]


@EACH
def test_the_metadata_name_the_license_once_and_the_oldest_python(project: dict[str, Any]) -> None:
    """The license is an SPDX expression, which rules out a classifier; each supported Python has one."""
    classifiers = project["classifiers"]

    assert not [classifier for classifier in classifiers if classifier.startswith("License ::")]
    assert "Typing :: Typed" in classifiers
    for minor in (11, 12, 13, 14):
        assert f"Programming Language :: Python :: 3.{minor}" in classifiers
    assert project["requires-python"] == ">=3.11"


@EACH
def test_every_address_is_one_of_an_example(project: dict[str, dict[str, str]]) -> None:
    """The project has no public address yet, so its URLs use an example domain."""
    hosts = {url.split("/")[2] for url in project["urls"].values()}

    assert {host for host in hosts if not host.endswith("wheelgate.example")} == set()


@pytest.mark.parametrize("folder", FOLDERS[1:], ids=lambda folder: str(folder.name))
def test_every_other_distribution_contains_the_license(folder: Path) -> None:
    """The distributions of the client and of each separate plugin contain the text of the license."""
    assert (folder / "LICENSE").read_text("utf-8") == (ROOT / "LICENSE").read_text("utf-8")


def test_the_changelog_has_the_form_that_a_release_reads() -> None:
    """Unreleased changes come first, under fixed headings; versions follow, newest first, each with its date."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    first, *versions = re.findall(r"^## (.*)$", text, re.MULTILINE)
    headings = re.findall(r"^### (.*)$", text.partition("## Unreleased\n")[2].partition("\n## ")[0], re.MULTILINE)
    parsed = [re.fullmatch(r"(\S+) - (\d{4}-\d\d-\d\d)", version) for version in versions]
    days = [each[2] for each in parsed if each]

    assert first == "Unreleased"
    assert headings[:3] == ["Added", "Changed", "Fixed"]
    assert len(headings) == len(set(headings))
    assert len(days) == len(versions)
    assert days == sorted(days, reverse=True)
    assert VERSION in [each[1] for each in parsed if each]
