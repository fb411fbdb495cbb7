"""Unpacks sdists, which may be hostile: every file stays inside the target folder."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from wheelgate_client.errors import ClientError

_UNPACKING_ERRORS = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,  # an encrypted member, or an unknown compression
    ValueError,  # a name with a null byte
)


def unpack_sdist(archive: Path, target: Path) -> Path:
    """Unpack an sdist into ``target``, a new folder, and return the folder that it contains.

    Raises:
        ClientError: if it cannot be unpacked safely, or does not contain exactly one folder.
    """
    target.mkdir()
    try:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as zip_file:
                zip_file.extractall(target)  # noqa: S202 - zipfile drops leading slashes and '..' from names
        else:
            with tarfile.open(archive) as tar_file:
                _extract_tar(tar_file, target)
    except _UNPACKING_ERRORS as error:
        raise ClientError(f"{archive.name} cannot be unpacked: {error}") from None
    folders = [path for path in target.iterdir() if path.is_dir()]
    if len(folders) != 1:
        raise ClientError(f"{archive.name} is not an sdist: it contains {len(folders)} folders instead of one")
    return folders[0]


def _extract_tar(tar_file: tarfile.TarFile, target: Path) -> None:
    # Python has the filter from 3.11.4 on; Debian 12 comes with 3.11.2.
    if hasattr(tarfile, "data_filter"):
        tar_file.extractall(target, filter="data")
    else:
        for member in tar_file:
            _extract_member(tar_file, member, target)


def _extract_member(tar_file: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Extract a regular file or a folder; refuse everything else, and names that lead out of ``target``."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        raise tarfile.ExtractError(f"'{member.name}' is outside the folder of the archive")
    path = target / name
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    content = tar_file.extractfile(member) if member.isfile() else None
    if content is None:
        raise tarfile.ExtractError(
            f"'{member.name}' is neither a file nor a folder; Python 3.11.4 or newer can unpack links"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as file:
        shutil.copyfileobj(content, file)
    path.chmod(0o755 if member.mode & 0o100 else 0o644)
