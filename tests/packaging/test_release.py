"""``tools/release.py`` in a clone: dry runs, releases and refusals."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.packaging.test_distributions import GENERATED

from wheelgate_client import VERSION

ROOT = Path(__file__).parents[2]
NEXT_VERSION = "73.1"
CHANGE_LINE = "- A change that users notice."
IDENTITY = ("-c", "user.name=emilie", "-c", "user.email=emilie@packages.example")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]


@dataclass(frozen=True)
class Clone:
    """A clone of the repository."""

    folder: Path

    def git(self, *arguments: str) -> str:
        """Run git and return its output."""
        command = ["git", *IDENTITY, *arguments]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def release(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``tools/release.py``."""
        command = [sys.executable, "tools/release.py", *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True)

    def write(self, path: str, text: str) -> None:
        """Write a file and commit it."""
        (self.folder / path).write_text(text, "utf-8")
        self.git("commit", "--quiet", "--all", "--message", f"change {path}")

    def add_change(self) -> None:
        """Add a line to the changelog."""
        text = (self.folder / "CHANGELOG.md").read_text("utf-8")
        self.write("CHANGELOG.md", text.replace("### Added\n", f"### Added\n\n{CHANGE_LINE}\n", 1))

    def state(self) -> tuple[str, str, str, bool]:
        """Return the parts of a clone that a release changes: HEAD, files, tags and ``dist``."""
        return (
            self.git("rev-parse", "HEAD"),
            self.git("status", "--porcelain", "--ignored"),
            self.git("tag"),
            (self.folder / "dist").exists(),
        )


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Make a repository from the current files, committed or not."""
    repository = Clone(tmp_path_factory.mktemp("repository") / "wheelgate")
    shutil.copytree(ROOT, repository.folder, ignore=GENERATED)
    repository.git("init", "--quiet", "--initial-branch", "main")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "begin")
    return repository


@pytest.fixture
def clone(repository: Clone, tmp_path: Path) -> Clone:
    """Return a clean clone."""
    clone = Clone(tmp_path / "wheelgate")
    repository.git("clone", "--quiet", str(repository.folder), str(clone.folder))
    clone.git("config", "user.name", "emilie")
    clone.git("config", "user.email", "emilie@packages.example")
    return clone


def test_a_dry_run_on_a_clean_clone_builds_and_changes_nothing(clone: Clone) -> None:
    """A dry run builds and checks the version in the sources, and prints the steps of a release."""
    clone.add_change()
    before = clone.state()
    done = clone.release("--dry-run")

    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.startswith(f"releasing {VERSION}\nthe changelog says:\n\n")
    for name in ("wheelgate", "wheelgate_client"):
        assert f"  {name}-{VERSION}-py3-none-any.whl\n  {name}-{VERSION}.tar.gz\n" in done.stdout
    assert CHANGE_LINE in done.stdout
    assert f"would write version and changelog, the tag v{VERSION}, and " in done.stdout
    assert f"  git push origin HEAD v{VERSION}\n" in done.stdout
    assert clone.state() == before


def test_a_release_writes_version_and_changelog_and_tags(clone: Clone) -> None:
    """The sources, the changelog and the distributions of the tagged commit have the version; nothing else changes."""
    clone.add_change()
    done = clone.release(NEXT_VERSION)

    assert (done.stderr, done.returncode) == ("", 0)
    assert clone.git("status", "--porcelain") == ""
    assert clone.git("describe") == f"v{NEXT_VERSION}\n"
    assert CHANGE_LINE in clone.git("tag", "--list", "--format=%(contents)")
    changed = {"CHANGELOG.md", "client/wheelgate_client/__init__.py"}
    changed |= {str(path.relative_to(ROOT)) for path in ROOT.glob("plugins/*/pyproject.toml")}
    assert set(clone.git("diff", "--name-only", "HEAD~1").split()) == changed
    changelog = (clone.folder / "CHANGELOG.md").read_text("utf-8")
    empty = "## Unreleased\n\n### Added\n\n### Changed\n\n### Fixed\n\n"
    assert re.search(rf"{empty}## {NEXT_VERSION} - [0-9-]{{10}}\n\n### Added\n\n{CHANGE_LINE}\n", changelog)
    assert changelog.count(CHANGE_LINE) == 1
    wheels = {path.name: zipfile.ZipFile(path) for path in (clone.folder / "dist").glob("*.whl")}
    assert len(wheels) == len(changed)  # two of the core and the client, which share a version; one of each plugin
    assert all(f"-{NEXT_VERSION}-" in name for name in wheels)
    readme = (
        wheels[f"wheelgate-{NEXT_VERSION}-py3-none-any.whl"]
        .read(f"wheelgate-{NEXT_VERSION}.dist-info/METADATA")
        .decode()
    )
    assert f"/blob/v{NEXT_VERSION}/docs/tutorial.md)" in readme


@pytest.mark.parametrize(
    ("before", "version", "reason"),
    [
        ("edit", "", "the working tree has changes; commit or remove them"),
        ("tag", "", f"the tag v{VERSION} exists; give the next version: make release VERSION=…"),
        ("tag", "0.0.1", f"0.0.1 is older than {VERSION}, which is released"),
        ("", "next", "'next' is no version; give one such as 0.2.0"),
        ("", "v1.0", "write the version as 1.0"),
        ("forget", NEXT_VERSION, f"CHANGELOG.md has neither a section {NEXT_VERSION} nor a line under Unreleased"),
        ("break", NEXT_VERSION, "twine check --strict"),
    ],
)
def test_a_bad_release_is_refused(clone: Clone, before: str, version: str, reason: str) -> None:
    """The command prints the reason, and changes nothing."""
    changelog = (clone.folder / "CHANGELOG.md").read_text("utf-8")
    match before:
        case "edit":
            (clone.folder / "README.md").write_text("# edited\n")
        case "tag":
            clone.git("tag", f"v{VERSION}")
        case "forget":
            clone.write("CHANGELOG.md", re.sub(r"(?s)## Unreleased.*?(?=\n## )", "## Unreleased\n", changelog))
        case "break":
            clone.add_change()
            setup = (clone.folder / "setup.py").read_text("utf-8")
            clone.write("setup.py", setup.replace("text/markdown", "text/x-nothing"))
    state = clone.state()
    done = clone.release(*filter(None, [version]))

    assert done.returncode == 1
    assert done.stderr.startswith("no release: ")
    assert reason in done.stderr
    assert clone.state() == state
