"""Unpacking of sdists, with and without the extraction filters that Python has from 3.11.4 on."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from wheelgate_client.errors import ClientError
from wheelgate_client.packages.unpacking import unpack_sdist

Member = tuple[tarfile.TarInfo, bytes]


@pytest.fixture(params=["filters of Python", "own checks"], autouse=True)
def _python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test as on a Python with extraction filters and as on one without."""
    if request.param == "own checks":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    elif not hasattr(tarfile, "data_filter"):
        pytest.skip("this Python has no extraction filters")


def member(name: str, content: bytes = b"", **attributes: object) -> Member:
    """Return a member of a tar archive, a regular file unless the attributes say otherwise."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, content


def tar(path: Path, *members: Member) -> Path:
    """Write a tar archive."""
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return path


def test_files_and_folders_are_unpacked(tmp_path: Path) -> None:
    """Contents and executable bits are kept, but write permission for others and setuid bits are not."""
    archive = tar(
        tmp_path / "abc-1.0.tar.gz",
        member("./abc-1.0", type=tarfile.DIRTYPE, mode=0o700),
        member("./abc-1.0/PKG-INFO", b"Name: abc\n", mode=0o666),
        member("./abc-1.0/deep/down/run.sh", b"#!/bin/sh\n", mode=0o6777),
        member("./abc-1.0/PKG-INFO", b"Name: later\n", mode=0o644),
    )

    folder = unpack_sdist(archive, tmp_path / "source")

    assert folder == tmp_path / "source" / "abc-1.0"
    assert (folder / "PKG-INFO").read_bytes() == b"Name: later\n"
    assert (folder / "deep" / "down" / "run.sh").stat().st_mode & 0o7777 == 0o755
    assert (folder / "PKG-INFO").stat().st_mode & 0o7777 == 0o644


LONG_NAME = "abc-1.0/" + "/".join(["folder"] * 40) + "/é.txt"


@pytest.mark.parametrize("file_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_of_tar_is_unpacked(tmp_path: Path, file_format: int) -> None:
    """Headers for long names do not become files."""
    name = "abc-1.0/x.txt" if file_format == tarfile.USTAR_FORMAT else LONG_NAME
    with tarfile.open(tmp_path / "abc-1.0.tar.bz2", "w:bz2", format=file_format) as archive:
        info, content = member(name, b"content")
        archive.addfile(info, io.BytesIO(content))

    unpack_sdist(tmp_path / "abc-1.0.tar.bz2", tmp_path / "source")

    assert [path.relative_to(tmp_path / "source").as_posix() for path in tmp_path.glob("source/**/*.txt")] == [name]


@pytest.mark.parametrize(
    "evil",
    [
        pytest.param(member("../evil.txt"), id="parent"),
        pytest.param(member("abc-1.0/../../evil.txt"), id="parent inside"),
        pytest.param(member("abc-1.0/x", type=tarfile.SYMTYPE, linkname="/etc/passwd"), id="absolute link"),
        pytest.param(member("abc-1.0/x", type=tarfile.SYMTYPE, linkname="../../evil"), id="link that leads out"),
        pytest.param(member("abc-1.0/x", type=tarfile.LNKTYPE, linkname="../evil"), id="hard link that leads out"),
        pytest.param(member("abc-1.0/x", type=tarfile.LNKTYPE, linkname="/etc/passwd"), id="absolute hard link"),
        pytest.param(member("abc-1.0/x", type=tarfile.CHRTYPE, devmajor=1, devminor=3), id="device"),
        pytest.param(member("abc-1.0/x", type=tarfile.BLKTYPE), id="block device"),
        pytest.param(member("abc-1.0/x", type=tarfile.FIFOTYPE), id="pipe"),
    ],
)
def test_dangerous_members_are_refused(tmp_path: Path, evil: Member) -> None:
    """The error names the archive, and nothing is written outside of the target."""
    (tmp_path / "inside").mkdir()
    archive = tar(tmp_path / "abc-1.0.tar.gz", member("abc-1.0/a.txt"), evil)

    with pytest.raises(ClientError, match=r"^abc-1\.0\.tar\.gz cannot be unpacked: "):
        unpack_sdist(archive, tmp_path / "inside" / "source")

    assert {path.name for path in tmp_path.iterdir()} == {"abc-1.0.tar.gz", "inside"}
    assert [path.name for path in (tmp_path / "inside").iterdir()] == ["source"]


def test_a_path_through_a_link_leads_nowhere(tmp_path: Path) -> None:
    """A file below a link to another folder is not written to that folder."""
    (tmp_path / "outside").mkdir()
    link = member("abc-1.0/x", type=tarfile.SYMTYPE, linkname=str(tmp_path / "outside"))
    archive = tar(tmp_path / "abc-1.0.tar.gz", link, member("abc-1.0/x/evil.txt"))

    with pytest.raises(ClientError, match="cannot be unpacked"):
        unpack_sdist(archive, tmp_path / "source")

    assert not list((tmp_path / "outside").iterdir())


def test_an_absolute_path_stays_inside(tmp_path: Path) -> None:
    """Python drops the leading slash; the client's own checks refuse the archive."""
    target = tmp_path / "elsewhere" / "evil.txt"
    archive = tar(tmp_path / "abc-1.0.tar.gz", member(str(target)))

    try:
        unpack_sdist(archive, tmp_path / "source")
    except ClientError as error:
        assert "cannot be unpacked" in str(error)  # noqa: PT017 - both are fine

    assert not target.exists()


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "abc-1.0/../../evil.txt"])
def test_a_zip_archive_stays_inside(tmp_path: Path, name: str) -> None:
    """Every member ends up below the target."""
    with zipfile.ZipFile(tmp_path / "abc-1.0.zip", "w") as archive:
        archive.writestr("abc-1.0/PKG-INFO", "Name: abc\n")
        archive.writestr(name, "evil")

    folder = unpack_sdist(tmp_path / "abc-1.0.zip", tmp_path / "source")

    assert (folder / "PKG-INFO").read_text() == "Name: abc\n"
    assert {path.name for path in tmp_path.iterdir()} == {"abc-1.0.zip", "source"}


@pytest.mark.parametrize(
    ("filename", "content", "complaint"),
    [
        pytest.param("abc-1.0.tar.gz", b"no archive", "cannot be unpacked: ", id="no tar archive"),
        pytest.param("abc-1.0.zip", b"no archive", "cannot be unpacked: ", id="no zip archive"),
        pytest.param("abc-1.0.tar.gz", None, "is not an sdist: it contains 2 folders instead of one", id="two folders"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, filename: str, content: bytes | None, complaint: str) -> None:
    """The error names the file and the reason."""
    archive = tmp_path / filename
    if content is None:
        tar(archive, member("a/x"), member("b/x"))
    else:
        archive.write_bytes(content)

    with pytest.raises(ClientError, match=f"^{filename} {complaint}"):
        unpack_sdist(archive, tmp_path / "source")


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_archive_is_no_traceback(tmp_path: Path, damage: str) -> None:
    """The result is an error of the client, or a folder where the damage does not matter."""
    archive = tar(tmp_path / "abc-1.0.tar.gz", member("abc-1.0/PKG-INFO", b"Name: abc\n"))
    whole = archive.read_bytes()
    refusals = 0
    for position in range(len(whole)):
        rest = b"" if damage == "cut" else bytes([whole[position] ^ 0xFF]) + whole[position + 1 :]
        archive.write_bytes(whole[:position] + rest)
        try:
            assert unpack_sdist(archive, tmp_path / f"source{position}").is_dir()
        except ClientError:
            refusals += 1

    assert refusals > len(whole) / 2


def test_a_name_with_a_null_byte_is_refused(tmp_path: Path) -> None:
    """No file system has such a name."""
    archive = tar(tmp_path / "abc-1.0.tar.gz", member("abc-1.0/x", pax_headers={"path": "abc-1.0/x\0y"}))

    with pytest.raises(ClientError, match="cannot be unpacked"):
        unpack_sdist(archive, tmp_path / "source")
