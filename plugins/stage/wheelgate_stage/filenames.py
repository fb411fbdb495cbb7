"""The parts of a file's name: project, version, and an identity that all spellings of the name share."""

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

ARCHIVE_KINDS = {".whl": "wheel", ".tar.gz": "tar", ".zip": "zip"}
"""The accepted suffixes and the kinds of files. An sdist is a ``.tar.gz`` (PEP 625); old tools made zips."""

REFUSED_SUFFIXES = {
    ".egg": "eggs are no longer accepted (PEP 715)",
    ".exe": "installers for Windows are no longer accepted (PEP 527)",
    ".msi": "installers for Windows are no longer accepted (PEP 527)",
}
"""Suffixes of old archives, and why they are refused."""
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
    """One of the values of :data:`ARCHIVE_KINDS`."""
    identity: str
    """The same for every spelling of one file."""


def parse_filename(filename: str, project: str, version: Version) -> Filename:
    """Read the name of a wheel or an sdist of a project's version.

    Raises:
        BadInput: the name is not valid, or belongs to another project or version.
    """
    if not FILENAME_PATTERN.fullmatch(filename) or len(filename) > MAX_FILENAME_CHARS:
        raise BadInput(
            f"{filename[:MAX_FILENAME_CHARS]!a} is not a valid archive name: it must have at most {MAX_FILENAME_CHARS}"
            " characters, only letters, digits and . _ + ! -"
        )
    suffix = next((suffix for suffix in ARCHIVE_KINDS if filename.endswith(suffix)), "")
    if not suffix:
        why = next((why for known, why in REFUSED_SUFFIXES.items() if filename.lower().endswith(known)), "")
        raise BadInput(
            f"'{filename}' is not a valid archive name: {why and f'{why}; '}upload a wheel (.whl) or an sdist (.tar.gz)"
        )
    stem = filename.removesuffix(suffix)
    if suffix == ".whl":
        return Filename("wheel", _wheel(filename, stem, project, version))
    return Filename(ARCHIVE_KINDS[suffix], _sdist(filename, stem, project, version) + suffix)


@lru_cache(VERSION_CACHE_ENTRIES)
def version_key(version: str | Version) -> str:
    """Return the common form of all spellings of a version: ``1.0`` and ``1`` are the same (PEP 440)."""
    return canonicalize_version(version)


@lru_cache(VERSION_CACHE_ENTRIES)
def parse_version(text: str) -> Version:
    """Read a version. Raise ``BadInput`` if it is not a version."""
    with suppress(InvalidVersion):
        if len(text) <= MAX_FILENAME_CHARS:
            return Version(text)
    raise BadInput(f"invalid metadata: {text[:80]!a} is not a version such as 1.0, 2.1rc1 or 1.0.post2 (PEP 440)")


def _wheel(filename: str, stem: str, project: str, version: Version) -> str:
    """Check a wheel's name; return its identity."""
    parts = stem.split("-")
    label = ""
    # name-version[-build]-python-abi-platform[-variant]: a build number begins with a digit, a Python tag does not.
    if len(parts) == 7 or (len(parts) == 6 and not parts[2][:1].isdigit()):
        label = parts.pop()
    tags = [part.split(".") for part in parts[-3:]]
    if (label and not VARIANT_LABEL.fullmatch(label)) or prod(map(len, tags)) > MAX_WHEEL_TAGS:
        raise _not_a_wheel(filename)
    try:
        name, found, build, parsed_tags = parse_wheel_filename("-".join(parts) + ".whl")
    except (InvalidWheelFilename, ValueError):  # a build number of thousands of digits is a ValueError
        raise _not_a_wheel(filename) from None
    _refuse_other_project(filename, name, project)
    _refuse_other_version(filename, found, version)
    return "-".join([project, version_key(found), *map(str, build), ".".join(sorted(map(str, parsed_tags))), label])


def _sdist(filename: str, stem: str, project: str, version: Version) -> str:
    """Check an sdist's name; return its identity.

    In old names, project and version both contain dashes, so each dash after the project's name is tried.
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
        f"'{filename}' is not a valid archive name: a wheel is named NAME-VERSION-PYTHON-ABI-PLATFORM.whl, for example"
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
