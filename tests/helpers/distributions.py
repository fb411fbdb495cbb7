"""Wheels and sdists that tests make for themselves: real ones, the same to the byte each time, or broken."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import random
import re
import tarfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

METADATA_VERSION = "2.1"
LONG_AGO = 1_580_601_600
"""When every member of every archive was changed: a zip file cannot tell a time before 1980."""
CHUNK = 1 << 20

BACKEND = '''"""A build backend that needs nothing but Python, so that no build asks an index."""

import pathlib
import shutil
import zipfile

HERE = pathlib.Path(__file__).parent
DIST_INFO = "{stem}.dist-info"


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = pathlib.Path(metadata_directory, DIST_INFO)
    folder.mkdir()
    shutil.copy(HERE / "PKG-INFO", folder / "METADATA")
    (folder / "WHEEL").write_text({wheel!r})
    return DIST_INFO


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "{stem}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory, name), "w") as archive:
        archive.write(HERE / "{package}" / "__init__.py", "{package}/__init__.py")
        archive.write(HERE / "PKG-INFO", DIST_INFO + "/METADATA")
        archive.writestr(DIST_INFO + "/WHEEL", {wheel!r})
        archive.writestr(DIST_INFO + "/RECORD", "".join(f"{{name}},,\\n" for name in archive.namelist()))
    return name
'''
WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution file."""

    filename: str
    content: bytes
    metadata: bytes
    """The core metadata inside."""
    name: str
    version: str
    requires_python: str = ""

    @property
    def sha256(self) -> str:
        """The digest of the file."""
        return hashlib.sha256(self.content).hexdigest()


def core_metadata(
    name: str,
    version: str,
    *,
    summary: str = "",
    requires_python: str = "",
    requires_dist: Sequence[str] = (),
    more: Sequence[str] = (),
    description: str = "",
) -> bytes:
    """Write core metadata; ``more`` are further lines as they stand."""
    lines = [f"Metadata-Version: {METADATA_VERSION}", f"Name: {name}", f"Version: {version}"]
    lines += [f"Summary: {summary}"] if summary else []
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"Requires-Dist: {requirement}" for requirement in requires_dist]
    return "\n".join([*lines, *more, "", description]).encode()


def wheel(
    name: str,
    version: str = "1.0",
    *,
    tag: str = "py3-none-any",
    summary: str = "made for a test",
    requires_python: str = "",
    requires_dist: Sequence[str] = (),
    size: int = 0,
    seed: int = 0,
    metadata: bytes | None = None,
    filename: str = "",
    more: Mapping[str, bytes] | None = None,
    bomb: int = 0,
) -> Distribution:
    """Make a wheel.

    Args:
        name: project, in any spelling; the file's name has the normalised one.
        version: version of the project.
        tag: what stands at the end of the file's name.
        summary: one line of the metadata.
        requires_python: which versions of Python it is for; empty is any.
        requires_dist: requirements of the project.
        size: bytes that no compression makes less, beside the rest.
        seed: another seed makes another file of the same name and size.
        metadata: what stands in the place of the metadata that would be right.
        filename: what the file is called instead.
        more: further members by their names, which may be as evil as ``../../evil.py``.
        bomb: length that ``METADATA`` is padded to, compressed to next to nothing.
    """
    right = core_metadata(name, version, summary=summary, requires_python=requires_python, requires_dist=requires_dist)
    written = right if metadata is None else metadata
    package = package_name(name)
    info = f"{package}-{version}.dist-info"
    members = {
        f"{package}/__init__.py": source(version, seed),
        **({f"{package}/payload.bin": noise(size, seed)} if size else {}),
        **(more or {}),
        f"{info}/METADATA": written,
        f"{info}/WHEEL": WHEEL.replace("py3-none-any", tag).encode(),
    }
    members[f"{info}/RECORD"] = record(members, f"{info}/RECORD")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, content in members.items():
            entry = zipfile.ZipInfo(member, time.gmtime(LONG_AGO)[:6])
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_STORED if len(content) > CHUNK else zipfile.ZIP_DEFLATED
            if bomb and member.endswith("/METADATA"):
                entry.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(entry, "w", force_zip64=True) as opened:
                    for chunk in padded(content, bomb):
                        opened.write(chunk)
            else:
                archive.writestr(entry, content)
    return Distribution(
        filename or f"{package}-{version}-{tag}.whl", buffer.getvalue(), written, name, version, requires_python
    )


def sdist(
    name: str,
    version: str = "1.0",
    *,
    summary: str = "made for a test",
    requires_python: str = "",
    requires_dist: Sequence[str] = (),
    size: int = 0,
    seed: int = 0,
    metadata: bytes | None = None,
    filename: str = "",
    more: Mapping[str, bytes] | None = None,
    links: Mapping[str, str] | None = None,
    bomb: int = 0,
) -> Distribution:
    """Make an sdist (``.tar.gz``) that builds without asking any index; see ``wheel`` for the arguments.

    Args:
        name: as for a wheel.
        version: as for a wheel.
        summary: as for a wheel.
        requires_python: as for a wheel.
        requires_dist: as for a wheel.
        size: as for a wheel.
        seed: as for a wheel.
        metadata: what stands in ``PKG-INFO`` instead.
        filename: as for a wheel.
        more: as for a wheel; what belongs to the project stands below ``NAME-VERSION/``.
        links: symbolic links with their targets; one called ``NAME-VERSION/PKG-INFO`` takes that file's place.
        bomb: length that ``PKG-INFO`` is padded to.
    """
    right = core_metadata(name, version, summary=summary, requires_python=requires_python, requires_dist=requires_dist)
    written = right if metadata is None else metadata
    package = package_name(name)
    stem = f"{package}-{version}"
    members = {
        f"{stem}/PKG-INFO": written,
        f"{stem}/pyproject.toml": PYPROJECT.encode(),
        f"{stem}/backend.py": BACKEND.format(stem=stem, package=package, wheel=WHEEL).encode(),
        f"{stem}/{package}/__init__.py": source(version, seed),
        **({f"{stem}/payload.bin": noise(size, seed)} if size else {}),
        **(more or {}),
    }
    buffer = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", 0 if size else 6, buffer, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member, target in (links or {}).items():
            link = tarfile.TarInfo(member)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
            members.pop(member, None)
        for member, content in members.items():
            entry = tarfile.TarInfo(member)
            padding = bomb if member == f"{stem}/PKG-INFO" else 0
            entry.size, entry.mtime = max(len(content), padding), LONG_AGO
            # addfile wants a file to read from (since Python 3.13); a bomb is too large to be one.
            header = entry.tobuf(archive.format, archive.encoding, archive.errors)
            packed.write(header)
            for chunk in padded(content, padding):
                packed.write(chunk)
            fill = -entry.size % tarfile.BLOCKSIZE
            packed.write(bytes(fill))
            archive.offset += len(header) + entry.size + fill
    return Distribution(filename or f"{stem}.tar.gz", buffer.getvalue(), written, name, version, requires_python)


def package_name(name: str) -> str:
    """Return a project's name as file names and imports have it."""
    return re.sub(r"[-_.]+", "_", name).lower()


def source(version: str, seed: int = 0) -> bytes:
    """Write the module that tells its version when it is imported."""
    return f'"""Distribution for a test (seed {seed})."""\n\n__version__ = "{version}"\n'.encode()


def record(members: Mapping[str, bytes], itself: str) -> bytes:
    """Write the list of a wheel's members with their hashes."""
    lines = []
    for member, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{member},sha256={digest},{len(content)}")
    return "\n".join([*lines, f"{itself},,", ""]).encode()


def noise(size: int, seed: int) -> bytes:
    """Return bytes that no compression makes less, the same for the same seed."""
    source = random.Random(seed)  # it gives 256 MB at once, at most
    return b"".join(source.randbytes(min(CHUNK, size - begin)) for begin in range(0, size, CHUNK))


def padded(content: bytes, length: int) -> Iterator[bytes]:
    """Yield the content, and so many newlines after it as make that length, a piece at a time."""
    yield content
    for begin in range(len(content), length, CHUNK):
        yield b"\n" * min(CHUNK, length - begin)
