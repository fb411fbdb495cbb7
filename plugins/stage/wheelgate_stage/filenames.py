"""The parts of a file's name: project, version, and an identity that all spellings of the name share."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from wheelgate.errors import BadInput
from wheelgate.packages import normalize, version_key

ARCHIVE_KINDS = {".whl": "wheel", ".tar.gz": "tar", ".zip": "zip"}
"""The accepted suffixes and the kinds of files. An sdist is a ``.tar.gz`` (PEP 625); old tools made zips."""

OLD_SUFFIXES = {
    ".egg": "eggs are no longer accepted (PEP 715)",
    ".exe": "installers for Windows are no longer accepted (PEP 527)",
    ".msi": "installers for Windows are no longer accepted (PEP 527)",
    ".rpm": "packages for Linux distributions are no longer accepted (PEP 527)",
    ".deb": "packages for Linux distributions are not accepted",
    ".dmg": "disk images are no longer accepted (PEP 527)",
    ".tgz": "the name of an sdist ends with .tar.gz (PEP 625)",
    ".tar": "sdists in other formats than .tar.gz are no longer accepted (PEP 527)",
    ".tar.bz2": "sdists in other formats than .tar.gz are no longer accepted (PEP 527)",
    ".tbz": "sdists in other formats than .tar.gz are no longer accepted (PEP 527)",
    ".tar.xz": "sdists in other formats than .tar.gz are no longer accepted (PEP 527)",
    ".txz": "sdists in other formats than .tar.gz are no longer accepted (PEP 527)",
    ".tar.z": "sdists in other formats than .tar.gz are no longer accepted (PEP 527)",
}
"""Suffixes of old archives in lower case, and why they are refused unless an index checks names only."""
HOW_TO_UPLOAD = "upload a wheel (.whl) or an sdist (.tar.gz)"
BUILT_TAR_PLATFORM = re.compile(
    r"\.(?:linux|win|macosx|darwin|cygwin|mingw|\w*bsd|sunos|solaris|aix)[\w.-]*", re.IGNORECASE
)
"""The end of the name of a built tar, which ``setup.py bdist_dumb`` made."""
FILENAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*", re.ASCII)
"""The characters of a valid file name."""
MAX_FILENAME_CHARS = 240
"""Characters of a file's name: what file systems allow, less the suffixes of metadata, provenance and test results."""
MAX_WHEEL_TAGS = 1000
"""Combinations of a wheel's compressed tags. Real wheels have a dozen, and each costs time and memory."""
VERSION_CACHE_ENTRIES = 1024
"""Parsed versions in memory: the files of a release come one after the other."""
VARIANT_LABEL = re.compile(r"[a-z0-9._]{1,64}")
"""The label at the end of a wheel variant's name. PEP 817 and 825 are drafts, hence the generous pattern."""


@dataclass(frozen=True, slots=True)
class Filename:
    """The parts of a file's name."""

    kind: str
    """One of the values of :data:`ARCHIVE_KINDS`; empty for old archives."""
    identity: str
    """The same for every spelling of one file."""


def parse_filename(filename: str, project: str, version: Version, *, old_archives: bool = False) -> Filename:
    """Read the name of a wheel or an sdist of a project's version.

    With ``old_archives``, the name may also be that of an egg, or of another archive of the past.

    Raises:
        BadInput: the name is not valid, or belongs to another project or version.
    """
    if not FILENAME_PATTERN.fullmatch(filename) or len(filename) > MAX_FILENAME_CHARS:
        raise BadInput(
            f"{filename[:MAX_FILENAME_CHARS]!a} is not a valid archive name: it must have at most {MAX_FILENAME_CHARS}"
            " characters, only letters, digits and . _ + ! -, and begin with a letter or digit"
        )
    suffix = next((suffix for suffix in ARCHIVE_KINDS if filename.endswith(suffix)), "")
    stem = filename.removesuffix(suffix)
    if suffix == ".whl":
        return Filename("wheel", _wheel(filename, stem, project, version))
    if old_archives:
        return Filename(ARCHIVE_KINDS.get(suffix, ""), _old_archive(filename, project, version))
    if not suffix:
        raise _other_archive(filename)
    return Filename(ARCHIVE_KINDS[suffix], _sdist(filename, stem, project, version) + suffix)


@lru_cache(VERSION_CACHE_ENTRIES)
def parse_version(text: str) -> Version:
    """Read a version. Raise ``BadInput`` if it is not a version."""
    with suppress(InvalidVersion):
        if len(text) <= MAX_FILENAME_CHARS:
            return Version(text)
    raise BadInput(
        f"invalid metadata: {text[:80]!a} is not a version such as 1.0, 2.1rc1 or 1.0.post2 (PEP 440), of at most"
        f" {MAX_FILENAME_CHARS} characters"
    )


def _wheel(filename: str, stem: str, project: str, version: Version) -> str:
    """Check a wheel's name; return its identity."""
    parts = stem.split("-")
    label = ""
    # name-version[-build]-python-abi-platform[-variant]: a build number begins with a digit, a Python tag does not.
    if len(parts) == 7 or (len(parts) == 6 and not parts[2][:1].isdigit()):
        label = parts.pop()
    tags = [part.split(".") for part in parts[-3:]]
    if prod(map(len, tags)) > MAX_WHEEL_TAGS:
        raise BadInput(f"'{filename}' is not a valid archive name: it has more than {MAX_WHEEL_TAGS} combined tags")
    if label and not VARIANT_LABEL.fullmatch(label):
        raise _not_a_wheel(filename)
    try:
        name, found, build, parsed_tags = parse_wheel_filename("-".join(parts) + ".whl")
    except (InvalidWheelFilename, ValueError):  # a build number of thousands of digits is a ValueError
        raise _not_a_wheel(filename) from None
    if name != project:
        raise _other_project(filename, project)
    if found != version:
        raise _other_version(filename, str(found), version)
    return "-".join([project, version_key(found), *map(str, build), ".".join(sorted(map(str, parsed_tags))), label])


def _sdist(filename: str, stem: str, project: str, version: Version) -> str:
    """Check an sdist's name; return its identity."""
    versions = _after_project(filename, stem, project)
    for text in versions:
        try:
            found = Version(text)
        except InvalidVersion:
            continue
        if found == version:
            return f"{project}-{version_key(version)}"
    if any(BUILT_TAR_PLATFORM.search(text) for text in versions):
        raise BadInput(
            f"'{filename}' is not a valid archive name: built tars (bdist_dumb) are no longer accepted (PEP 527);"
            f" {HOW_TO_UPLOAD}"
        )
    raise _other_version(filename, versions[0] if versions else "", version)


def _old_archive(filename: str, project: str, version: Version) -> str:
    """Check the name of any archive, whose version may be followed by something else; return its identity."""
    suffixes = sorted((*ARCHIVE_KINDS, *OLD_SUFFIXES), key=len, reverse=True)
    suffix = next((suffix for suffix in suffixes if filename.lower().endswith(suffix)), "")
    if not suffix:
        raise _other_archive(filename)
    stem = filename[: -len(suffix)]
    versions = _after_project(filename, stem, project)
    for text in versions:
        ends = [len(text), *(match.start() for match in re.finditer(r"[.-]", text))]
        begins_version = False
        for end in sorted(ends, reverse=True):
            try:
                found = Version(text[:end])
            except InvalidVersion:
                continue
            # 1.0.1 is not 1.0, but 1.0-1 may be its first build as well as a post-release.
            if found == version and (text[end : end + 1] == "-" or not begins_version):
                return f"{project}-{version_key(version)}{text[end:].lower()}{suffix}"
            begins_version = True
    raise _other_version(filename, versions[0] if versions else "", version)


def _after_project(filename: str, stem: str, project: str) -> list[str]:
    """Return what may be the version in an old name, in which project and version both may contain dashes.

    Raises:
        BadInput: the name belongs to another project.
    """
    versions = [stem[match.end() :] for match in re.finditer("-", stem) if normalize(stem[: match.start()]) == project]
    if not versions and normalize(stem) != project:
        raise _other_project(filename, project)
    return versions


def _other_archive(filename: str) -> BadInput:
    known = sorted((suffix for suffix in OLD_SUFFIXES if filename.lower().endswith(suffix)), key=len)
    why = f"{OLD_SUFFIXES[known[-1]]}; " if known else ""
    if filename.lower().endswith(tuple(ARCHIVE_KINDS)):
        why = "its suffix is not in lower case; "
    return BadInput(f"'{filename}' is not a valid archive name: {why}{HOW_TO_UPLOAD}")


def _not_a_wheel(filename: str) -> BadInput:
    return BadInput(
        f"'{filename}' is not a valid archive name: a wheel is named NAME-VERSION-PYTHON-ABI-PLATFORM.whl, for example"
        " demo-1.0-py3-none-any.whl"
    )


def _other_project(filename: str, project: str) -> BadInput:
    return BadInput(f"filename '{filename}' does not match project name '{project}'; give the file's own name")


def _other_version(filename: str, found: str, version: Version) -> BadInput:
    """Return the error for another version. ``found`` may contain the right one, so that users could overlook it."""
    if str(version) in found:
        return BadInput(
            f"filename '{filename}' gives the version '{found}', not '{version}'; give the file's own version"
        )
    return BadInput(f"filename '{filename}' does not contain version '{version}'; give the file's own version")
