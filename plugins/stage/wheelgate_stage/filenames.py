"""What the name of a file says: project, version, and whether two names mean the same file."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from packaging.utils import InvalidWheelFilename, canonicalize_version, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from wheelgate.errors import BadInput
from wheelgate.packages import normalize

KINDS = {".whl": "wheel", ".tar.gz": "tar", ".zip": "zip"}
"""The suffixes that are taken, and what such a file is. An sdist is a ``.tar.gz`` (PEP 625); old tools made zips."""

REFUSED = {
    ".egg": "eggs are no longer taken (PEP 715)",
    ".exe": "installers for Windows are no longer taken (PEP 527)",
    ".msi": "installers for Windows are no longer taken (PEP 527)",
}
PROPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*", re.ASCII)
LONGEST = 240
"""Characters: what file systems take, less what siblings and test results append."""
MOST_TAGS = 1000
"""Combinations of a wheel's compressed tags; real ones have a dozen, and each costs time and memory."""
VERSION_CACHE_ENTRIES = 1024
"""Versions that are remembered: the files of a release come one after the other."""
VARIANT = re.compile(r"[a-z0-9._]{1,64}")
"""The label at the end of a wheel variant's name (PEP 817 and 825, drafts: hence the room)."""


@dataclass(frozen=True, slots=True)
class Filename:
    """What a file's name says."""

    kind: str
    """One of the values of :data:`KINDS`."""
    identity: str
    """The same for every spelling of one file."""


def parse_filename(filename: str, project: str, version: Version) -> Filename:
    """Read the name of a wheel or an sdist of a project's version.

    Raises:
        BadInput: it is no such name, or that of another project or version.
    """
    if not PROPER.fullmatch(filename) or len(filename) > LONGEST:
        raise BadInput(
            f"{filename[:LONGEST]!a} is not a valid archive name: it must have at most {LONGEST} characters, all of"
            " them letters, digits or one of . _ + ! -"
        )
    suffix = next((suffix for suffix in KINDS if filename.endswith(suffix)), "")
    if not suffix:
        why = next((why for known, why in REFUSED.items() if filename.lower().endswith(known)), "")
        raise BadInput(
            f"'{filename}' is not a valid archive name: {why and f'{why}; '}upload a wheel (.whl) or an sdist (.tar.gz)"
        )
    stem = filename.removesuffix(suffix)
    if suffix == ".whl":
        return Filename("wheel", _wheel(filename, stem, project, version))
    return Filename(KINDS[suffix], _sdist(filename, stem, project, version) + suffix)


@lru_cache(VERSION_CACHE_ENTRIES)
def version_key(version: str | Version) -> str:
    """Return what all spellings of a version have in common: ``1.0`` and ``1`` are one (PEP 440)."""
    return canonicalize_version(version)


@lru_cache(VERSION_CACHE_ENTRIES)
def parse_version(text: str) -> Version:
    """Read a version. Raise ``BadInput`` if it is none."""
    with suppress(InvalidVersion):
        if len(text) <= LONGEST:
            return Version(text)
    raise BadInput(f"invalid metadata: {text[:80]!a} is not a version such as 1.0, 2.1rc1 or 1.0.post2 (PEP 440)")


def _wheel(filename: str, stem: str, project: str, version: Version) -> str:
    """Check a wheel's name and return its identity."""
    parts = stem.split("-")
    label = ""
    # name-version[-build]-python-abi-platform[-variant]; a build begins with a digit, a tag for Python does not.
    if len(parts) == 7 or (len(parts) == 6 and not parts[2][:1].isdigit()):
        label = parts.pop()
    tags = [part.split(".") for part in parts[-3:]]
    if (label and not VARIANT.fullmatch(label)) or prod(map(len, tags)) > MOST_TAGS:
        raise _not_a_wheel(filename)
    try:
        name, found, build, parsed = parse_wheel_filename("-".join(parts) + ".whl")
    except (InvalidWheelFilename, ValueError):  # a build number of thousands of digits is a ValueError
        raise _not_a_wheel(filename) from None
    _refuse_other_project(filename, name, project)
    _refuse_other_version(filename, found, version)
    return "-".join([project, version_key(found), *map(str, build), ".".join(sorted(map(str, parsed))), label])


def _sdist(filename: str, stem: str, project: str, version: Version) -> str:
    """Check an sdist's name and return its identity.

    Old names have dashes in both halves, so the split is where the name ends that the upload gives.
    """
    cuts = [match.start() for match in re.finditer("-", stem)]
    versions = [stem[cut + 1 :] for cut in cuts if normalize(stem[:cut]) == project]
    if not versions:
        _refuse_other_project(filename, "", project)
    for text in versions:
        try:
            found = Version(text)
        except InvalidVersion:
            continue
        if found == version:
            return f"{project}-{version_key(version)}"
    raise _other_version(filename, version)


def _not_a_wheel(filename: str) -> BadInput:
    return BadInput(
        f"'{filename}' is not a valid archive name: a wheel's is NAME-VERSION-PYTHON-ABI-PLATFORM.whl, such as"
        " demo-1.0-py3-none-any.whl"
    )


def _refuse_other_project(filename: str, name: str, project: str) -> None:
    if name != project:
        raise BadInput(f"filename '{filename}' does not match project name '{project}'; give the file's own name")


def _refuse_other_version(filename: str, found: Version, version: Version) -> None:
    if found != version:
        raise _other_version(filename, version)


def _other_version(filename: str, version: Version) -> BadInput:
    return BadInput(f"filename '{filename}' does not contain version '{version}'; give the file's own version")
