"""The folders at the top of an archive: one reader takes the first of them, another the one with the right name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from packaging.version import InvalidVersion, Version

from wheelgate.packages import normalize
from wheelgate_stage.limits import refused_archive

INFO_SUFFIX = ".dist-info"


def check_folders(archive: str, names: Sequence[str], kind: str, metadata: str, project: str, version: Version) -> None:
    """Check the folders at the top of a zip.

    Args:
        archive: the file's name in messages.
        names: the names of all entries.
        kind: ``wheel`` or ``zip``.
        metadata: the name of the entry with the core metadata.
        project: the normalised name of the project.
        version: its version.

    Raises:
        BadInput: a wheel has another ``dist-info`` folder than that of its project and version, or no ``WHEEL`` in it
            (binary distribution format), or an sdist has several folders.
    """
    folder = metadata.partition("/")[0]
    if kind == "wheel":
        _check_info_folders(archive, names, folder)
        _check_info_name(archive, folder.removesuffix(INFO_SUFFIX), project, version)
        if f"{folder}/WHEEL" not in names:
            raise refused_archive(archive, f"it has no {folder[:80]}/WHEEL, without which no installer takes it")
    else:
        refuse_other_folder(archive, names, folder)


def refuse_other_folder(archive: str, names: Iterable[str], folder: str) -> None:
    """Refuse an sdist with an entry outside the folder of its metadata: build tools use the first folder, or all."""
    other = next((name for name in names if name.partition("/")[0] != folder), None)
    if other is not None:
        raise refused_archive(archive, f"its entry {other[:80]!a} is not in its folder {folder[:80]!a}")


def _check_info_folders(archive: str, names: Sequence[str], folder: str) -> None:
    for name in names:
        top = name.partition("/")[0]
        if top != folder and top.casefold().endswith(INFO_SUFFIX):
            raise refused_archive(
                archive, f"it has a second folder with metadata, {top[:80]!a}, beside {folder[:80]!a}"
            )


def _check_info_name(archive: str, stem: str, project: str, version: Version) -> None:
    name, _, text = stem.partition("-")
    if normalize(name) != project:
        raise refused_archive(
            archive, f"its metadata is in {stem[:80]!a}{INFO_SUFFIX}, which belongs to another project"
        )
    if version not in _readings(text):
        raise refused_archive(
            archive, f"its metadata is in {stem[:80]!a}{INFO_SUFFIX}, which belongs to another version"
        )


def _readings(text: str) -> list[Version]:
    """Return the version that a folder's name contains; old tools wrote its dash as an underscore."""
    found = []
    for spelling in (text, text.replace("_", "-")):
        with suppress(InvalidVersion):
            found.append(Version(spelling))
    return found
