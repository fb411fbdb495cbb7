"""Unpacks sdists, which may be hostile: every file stays inside the target folder."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from pathlib import Path

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
                tar_file.extractall(target, filter="data")
    except _UNPACKING_ERRORS as error:
        raise ClientError(f"{archive.name} cannot be unpacked: {error}") from None
    folders = [path for path in target.iterdir() if path.is_dir()]
    if len(folders) != 1:
        raise ClientError(f"{archive.name} is no sdist: it contains {len(folders)} folders instead of one")
    return folders[0]
