"""What a source offers: release files, each with what the source knows about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion

from wheelgate.packages import normalize

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
"""Times of uploads as PEP 700 writes them, with microseconds."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A release file that a source offers."""

    filename: str
    project: str
    """The normalised name."""
    version: str
    """From the file's name; empty if that names none."""
    open: Callable[[], AbstractContextManager[BinaryIO]]
    """Opens the file, after it has arrived and was verified. Call it in a thread."""
    sha256: str = ""
    """As the source announces it; empty if it does not."""
    hashed: bool = True
    """Whether the source announces any hash, which :attr:`open` then verifies, or needs none."""
    uploaded: str = ""
    """In :data:`TIME_FORMAT`; empty if unknown."""
    requires_python: str = ""
    yanked: str | None = None
    """The reason, which may be empty; None if the file is not yanked (PEP 592)."""
    provenance: Callable[[], bytes] | None = None
    """Returns the provenance (PEP 740), if there is any. Call it in a thread."""


def parsed_filename(name: str) -> tuple[str, str] | None:
    """Return the normalised project and the version in the name of a wheel or sdist; None if it has another form."""
    try:
        if name.endswith(".whl"):
            project, version, _, _ = parse_wheel_filename(name)
        else:
            project, version = parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None
    return normalize(project), str(version)


def file_identity(name: str) -> Hashable:
    """Return a value that is the same for all spellings of a file's name."""
    try:
        if name.endswith(".whl"):
            return parse_wheel_filename(name)
        return (*parse_sdist_filename(name), name.endswith(".zip"))
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return name.lower()


def upload_time(text: str | None) -> str:
    """Return a time of PEP 700 in :data:`TIME_FORMAT`; empty if it is missing, malformed or in the future."""
    if text is None or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)", text):
        return ""
    whole, _, fraction = text.removesuffix("Z").removesuffix("+00:00").partition(".")
    try:
        moment = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return ""
    moment = moment.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    return moment.strftime(TIME_FORMAT) if moment <= datetime.now(UTC) else ""


def mtime(seconds: float) -> str:
    """Return the time of a file on the disk as the time of its upload; empty if it is in the future."""
    moment = datetime.fromtimestamp(max(seconds, 0.0), UTC)
    return moment.strftime(TIME_FORMAT) if moment <= datetime.now(UTC) else ""
