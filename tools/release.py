"""Makes a release: ``make release VERSION=0.2.0``, and the same with ``DRY_RUN=1``, which changes nothing.

Everything is built from a clone of the current commit and tried in empty environments first. Only then the version
and the changelog are written and committed, the commit gets its tag, and the distributions go to ``dist``. Nothing is
sent anywhere: the last lines say how to push and upload.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).parents[1]
VERSION_FILE = Path("client/wheelgate_client/__init__.py")
"""The file that holds the version."""
CHANGELOG = Path("CHANGELOG.md")
CHANGE_HEADINGS = ("### Added", "### Changed", "### Fixed")
"""Headings that always stand under Unreleased: branches add lines and no headings, and merge without a conflict."""
UNRELEASED_SECTION = re.compile(r"^## Unreleased\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


class RefusalError(Exception):
    """Raised when there can be no release; the text says why and what to do."""


def run(*command: str | Path, cwd: Path, stdin: str = "") -> str:
    """Run a command and return what it printed.

    Raises:
        RefusalError: it failed; with its output.
    """
    done = subprocess.run(
        command, cwd=cwd, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise RefusalError(f"{' '.join(map(str, command))} failed:\n{done.stdout}")
    return done.stdout


def source_version(folder: Path) -> str:
    """Return the version in the sources."""
    found = re.search(r'^VERSION = "(.+)"', (folder / VERSION_FILE).read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise RefusalError(f"{VERSION_FILE} holds no version")
    return found[1]


def choose_version(given: str | None) -> str:
    """Return the version to release: the given one, or the one in the sources.

    Raises:
        RefusalError: it is not in the normal form of PEP 440, has a tag already, or is not newer than every tag.
    """
    version = given or source_version(ROOT)
    try:
        normal = str(Version(version))
    except InvalidVersion:
        raise RefusalError(f"{version!r} is no version; give one such as 0.2.0") from None
    if normal != version:
        raise RefusalError(f"write the version as {normal}")
    tags = [tag.removeprefix("v") for tag in run("git", "tag", "--list", "v[0-9]*", cwd=ROOT).split()]
    if version in tags:
        raise RefusalError(f"the tag v{version} exists; give the next version: make release VERSION=…")
    newer = [tag for tag in tags if Version(tag) > Version(version)]
    if newer:
        raise RefusalError(f"{version} is older than {', '.join(newer)}, which is released")
    return version


def projects(folder: Path) -> list[Path]:
    """Return the folders that each make a distribution: the core's, the client's, and those of plugins."""
    return [folder, folder / "client", *sorted(path.parent for path in folder.glob("plugins/*/pyproject.toml"))]


def write_version(folder: Path, version: str) -> None:
    """Write the version into the sources, and move the unreleased changes into its section of the changelog."""
    path = folder / VERSION_FILE
    before = source_version(folder)
    path.write_text(path.read_text("utf-8").replace(f'VERSION = "{before}"', f'VERSION = "{version}"'), "utf-8")
    for project in projects(folder)[2:]:  # the core and the client read the version in the sources
        path = project / "pyproject.toml"
        path.write_text(re.sub(r'(?m)^version = ".*?"', f'version = "{version}"', path.read_text("utf-8")), "utf-8")
    path = folder / CHANGELOG
    path.write_text(cut_changelog(path.read_text("utf-8"), version, datetime.now(UTC).date()), "utf-8")


def cut_changelog(text: str, version: str, day: date) -> str:
    """Return the changelog with the unreleased changes in the version's section, which may stand there already.

    Raises:
        RefusalError: there are no changes.
    """
    unreleased = UNRELEASED_SECTION.search(text)
    if unreleased is None:
        raise RefusalError(f"{CHANGELOG} has no heading '## Unreleased'")
    fresh = changes_by_kind(unreleased[1])
    rest = text[unreleased.end() :]
    written = version_section(version).match(rest)
    released = changes_by_kind(written[1]) if written else {}
    if written and not fresh:
        return text
    kinds = [kind for kind in dict.fromkeys((*released, *CHANGE_HEADINGS, *fresh)) if kind in released or kind in fresh]
    if not kinds:
        raise RefusalError(f"{CHANGELOG} has neither a section {version} nor a line under Unreleased")
    bodies = {kind: "\n".join(filter(None, (released.get(kind), fresh.get(kind)))) for kind in kinds}
    section = "\n".join(f"{kind}\n\n{body}\n" if kind else f"{body}\n" for kind, body in bodies.items())
    older = rest[written.end() :] if written else rest
    headings = "".join(f"{kind}\n\n" for kind in CHANGE_HEADINGS)
    return f"{text[: unreleased.start()]}## Unreleased\n\n{headings}## {version} - {day}\n\n{section}\n{older}"


def version_section(version: str) -> re.Pattern[str]:
    """Return a pattern that matches the section of a version."""
    return re.compile(rf"^## {re.escape(version)} - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def changes_by_kind(section: str) -> dict[str, str]:
    """Return the text under each heading of a section; leave out headings without any."""
    parts = re.split(r"^(### .*)\n", section, flags=re.MULTILINE)
    bodies = zip(("", *parts[1::2]), parts[::2], strict=True)
    return {kind: body.strip() for kind, body in bodies if body.strip()}


def build(folder: Path, dist: Path) -> list[Path]:
    """Build sdist and wheel of every project; return them.

    Raises:
        RefusalError: a build fails or warns, or twine finds fault with the metadata.
    """
    for project in projects(folder):
        printed = run(sys.executable, "-m", "build", "--outdir", dist, project, cwd=folder)
        warnings = [line for line in printed.splitlines() if re.search(r"Warning\b|^!!|\*{20}", line)]
        if warnings:
            raise RefusalError(f"the build of {project.relative_to(folder)} warns:\n{printed}")
    made = sorted(dist.iterdir())
    run(sys.executable, "-m", "twine", "check", "--strict", *made, cwd=folder)
    return made


def try_out(made: Sequence[Path], version: str, folder: Path) -> None:
    """Install the wheels, the client's apart from the others, and ask the commands for their versions."""
    wheels = [path for path in made if path.suffix == ".whl"]
    client = [path for path in wheels if path.name.startswith("wheelgate_client-")]
    others = [path for path in wheels if path not in client]
    install(others, ("devpi-server", "devpi"), version, folder / "server")
    install(client, ("devpi",), version, folder / "client")


def install(wheels: Iterable[Path], commands: Sequence[str], version: str, folder: Path) -> None:
    """Install wheels in an empty environment and ask these commands for their version.

    Raises:
        RefusalError: a requirement is missing, or a command prints another version.
    """
    venv.create(folder, with_pip=True)
    programs = folder / "bin"
    pip: list[str | Path] = [programs / "python", "-m", "pip", "--disable-pip-version-check"]
    run(*pip, "install", "--quiet", *wheels, cwd=folder)
    run(*pip, "check", cwd=folder)
    for command in commands:
        printed = run(programs / command, "--version", cwd=folder).strip()
        if printed != f"{command} (wheelgate) {version}":
            raise RefusalError(f"{command} of the wheel prints {printed!r} and not the version {version}")


def record(version: str, message: str, made: Sequence[Path]) -> None:
    """Write and commit version and changelog, tag the commit, and copy the distributions to ``dist``."""
    write_version(ROOT, version)
    run("git", "add", "--update", cwd=ROOT)
    if run("git", "diff", "--cached", "--name-only", cwd=ROOT):
        run("git", "commit", "--quiet", "--message", f"release: cut {version}", cwd=ROOT)
    run("git", "tag", "--annotate", "--cleanup=whitespace", "--file=-", f"v{version}", cwd=ROOT, stdin=message)
    dist = ROOT / "dist"
    dist.mkdir(exist_ok=True)
    for path in made:
        shutil.copy(path, dist)


def release(given: str | None, *, dry: bool) -> None:
    """Make a release; a dry one changes nothing in the repository.

    Raises:
        RefusalError: there can be no release; nothing was changed.
    """
    if run("git", "status", "--porcelain", cwd=ROOT):
        raise RefusalError("the working tree has changes; commit or remove them")
    version = choose_version(given)
    print(f"releasing {version}", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run("git", "clone", "--quiet", ROOT, folder / "source", cwd=ROOT)
        write_version(folder / "source", version)
        section = version_section(version).search((folder / "source" / CHANGELOG).read_text("utf-8"))
        notes = section[1].strip() if section else ""
        print(f"the changelog says:\n\n{notes}", flush=True)
        made = build(folder / "source", folder / "dist")
        print("built without a warning, and 'twine check --strict' finds no fault:", flush=True)
        print("".join(f"  {path.name}\n" for path in made), end="", flush=True)
        try_out(made, version, folder / "installed")
        print("the wheels work in empty environments, the client's without the server", flush=True)
        if not dry:
            record(version, f"wheelgate {version}\n\n{notes}\n", made)
    names = " ".join(f"dist/{path.name}" for path in made)
    done = "would write" if dry else "wrote"
    print(f"{done} version and changelog, the tag v{version}, and {len(made)} files in dist/; to publish them:")
    print(f"  git push origin HEAD v{version}")
    print(f"  .venv/bin/twine upload --repository-url https://YOUR-INDEX.example/ {names}")


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit code: 0, or 1 if there is no release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", nargs="?", help="version to release; the one in the sources if not given")
    parser.add_argument("--dry-run", action="store_true", help="change nothing, and print what a release would do")
    given = parser.parse_args(argv)
    try:
        release(given.version, dry=given.dry_run)
    except RefusalError as error:
        print(f"no release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
