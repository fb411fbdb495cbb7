"""Wheels and sdists for tests: real ones, byte for byte the same each time, or broken ones."""

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
"""Seconds since 1970: the time of every member. A zip file cannot store a time before 1980."""
CHUNK_BYTES = 1 << 20
"""Bytes that are made at once."""

BACKEND = '''"""A build backend that needs nothing but Python, so that no build needs an index."""

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
SETUP = "from setuptools import setup\n\nsetup(name='{name}', version='{version}', packages=['{package}'])\n"
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
        """The digest of the file, in hexadecimal digits."""
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
    """Return core metadata; ``more`` has further lines."""
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
        name: the project, in any spelling; the file's name has the normalised one.
        version: the version of the project.
        tag: the tags at the end of the file's name, with a build number in front if wanted.
        summary: the summary in the metadata.
        requires_python: the supported versions of Python; empty for any.
        requires_dist: the requirements of the project.
        size: bytes of additional content that does not compress.
        seed: another seed gives another content of the same name and size.
        metadata: replaces the right metadata.
        filename: replaces the right name of the file.
        more: further members by name; a name may be as hostile as ``../../evil.py``.
        bomb: bytes that ``METADATA`` is padded to; they compress to almost nothing.
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
            entry.compress_type = zipfile.ZIP_STORED if len(content) > CHUNK_BYTES else zipfile.ZIP_DEFLATED
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
    """Make an sdist (``.tar.gz``) that builds without any index.

    Args:
        name: as for a wheel.
        version: as for a wheel.
        summary: as for a wheel.
        requires_python: as for a wheel.
        requires_dist: as for a wheel.
        size: as for a wheel.
        seed: as for a wheel.
        metadata: replaces the right ``PKG-INFO``.
        filename: as for a wheel.
        more: as for a wheel; members of the project are below ``NAME-VERSION/``.
        links: symbolic links with their targets; ``NAME-VERSION/PKG-INFO`` replaces that file.
        bomb: bytes that ``PKG-INFO`` is padded to.
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
    for link in links or {}:
        members.pop(link, None)
    paddings = {f"{stem}/PKG-INFO": bomb}
    archive = tar_archive(members, links or {}, paddings, compression=0 if size else 6)
    return Distribution(filename or f"{stem}.tar.gz", archive, written, name, version, requires_python)


def old_sdist(name: str, version: str = "1.0") -> Distribution:
    """Make an sdist that only ``setup.py`` describes, as old installers need it; it uses no syntax of Python 3."""
    metadata = core_metadata(name, version, summary="made for a test")
    package = package_name(name)
    stem = f"{package}-{version}"
    members = {
        f"{stem}/PKG-INFO": metadata,
        f"{stem}/setup.py": SETUP.format(name=name, version=version, package=package).encode(),
        f"{stem}/{package}/__init__.py": source(version),
    }
    return Distribution(f"{stem}.tar.gz", tar_archive(members, {}, {}, compression=6), metadata, name, version)


def tar_archive(
    members: Mapping[str, bytes], links: Mapping[str, str], paddings: Mapping[str, int], compression: int
) -> bytes:
    """Write a ``.tar.gz``: links with their targets, and members padded with zeros to a length in bytes."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", compression, buffer, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member, target in links.items():
            link = tarfile.TarInfo(member)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
        for member, content in members.items():
            entry = tarfile.TarInfo(member)
            padding = paddings.get(member, 0)
            entry.size, entry.mtime = max(len(content), padding), LONG_AGO
            # addfile wants a file to read from (since Python 3.13); a bomb is too large to be one.
            header = entry.tobuf(archive.format, archive.encoding, archive.errors)
            packed.write(header)
            for chunk in padded(content, padding):
                packed.write(chunk)
            fill = -entry.size % tarfile.BLOCKSIZE
            packed.write(bytes(fill))
            archive.offset += len(header) + entry.size + fill
    return buffer.getvalue()


def package_name(name: str) -> str:
    """Return a project's name as in file names and imports."""
    return re.sub(r"[-_.]+", "_", name).lower()


def source(version: str, seed: int = 0) -> bytes:
    """Return a module with its version in ``__version__``."""
    return f'"""Distribution for a test (seed {seed})."""\n\n__version__ = "{version}"\n'.encode()


def record(members: Mapping[str, bytes], itself: str) -> bytes:
    """Return the list of a wheel's members with their hashes."""
    lines = []
    for member, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{member},sha256={digest},{len(content)}")
    return "\n".join([*lines, f"{itself},,", ""]).encode()


def noise(size: int, seed: int) -> bytes:
    """Return bytes that do not compress, the same for the same seed."""
    generator = random.Random(seed)  # returns at most 256 MB at once
    return b"".join(generator.randbytes(min(CHUNK_BYTES, size - begin)) for begin in range(0, size, CHUNK_BYTES))


def padded(content: bytes, length: int) -> Iterator[bytes]:
    """Yield the content, then newlines up to the length, a chunk at a time."""
    yield content
    for begin in range(len(content), length, CHUNK_BYTES):
        yield b"\n" * min(CHUNK_BYTES, length - begin)
