"""Broken and hostile archives, each with the reason of its refusal."""

from __future__ import annotations

import gzip
import io
import random
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from tests.helpers.distributions import Distribution, core_metadata, sdist, wheel

GOOD = wheel("demo")
GOOD_SDIST = sdist("demo")
METADATA = core_metadata("demo", "1.0")
DIST_INFO = "demo-1.0.dist-info/METADATA"
WHEEL_FILE = "demo-1.0.dist-info/WHEEL"
PKG_INFO = "demo-1.0/PKG-INFO"


def zipped(
    entries: list[tuple[str, bytes]], filename: str = GOOD.filename, compression: int = zipfile.ZIP_DEFLATED
) -> Distribution:
    """Make a zip of these entries; two may have the same name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            if name in archive.NameToInfo:
                del archive.NameToInfo[name]  # to avoid a warning
            archive.writestr(info, content)
    return Distribution(filename, buffer.getvalue(), METADATA, "demo", "1.0")


def tarred(entries: list[tarfile.TarInfo], contents: Mapping[str, bytes] = {PKG_INFO: METADATA}) -> Distribution:
    """Make a ``.tar.gz`` of these entries, followed by regular files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            archive.addfile(entry)
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return Distribution(GOOD_SDIST.filename, buffer.getvalue(), METADATA, "demo", "1.0")


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """Make an entry without content."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def gzipped(content: bytes) -> Distribution:
    """Make a ``.tar.gz`` of any content."""
    return replace(GOOD_SDIST, content=gzip.compress(content, 1, mtime=0))


def two_parts() -> Distribution:
    """Make an sdist of two gzip files in a row: some readers stop after the first."""
    content = tar_bytes()
    return replace(GOOD_SDIST, content=gzip.compress(content[:700], mtime=0) + gzip.compress(content[700:], mtime=0))


def directory(names: Iterable[str], size: int = 0) -> Distribution:
    """Make a wheel that consists of a directory only; its entries claim the given size."""
    entries = [(name.encode(), struct.pack("<4s2H2HHHIII5H2I", b"PK\1\2", *[0] * 8, size, *[0] * 7)) for name in names]
    # The length of the name is the first of the five short numbers.
    listed = b"".join(head[:28] + struct.pack("<H", len(name)) + head[30:] + name for name, head in entries)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, len(entries), len(entries), len(listed), 4, 0)
    return replace(GOOD, content=b"PK\3\4" + listed + end)


def many_in_wheel(count: int) -> Distribution:
    """Make a valid wheel with many empty files in one folder."""
    names = [f"demo/plugins/modules/a_module_with_a_name_of_common_length_{number}.py" for number in range(count)]
    files = [(DIST_INFO, METADATA), (WHEEL_FILE, b"Wheel-Version: 1.0\n"), *((name, b"") for name in names)]
    return zipped(files, compression=zipfile.ZIP_STORED)


def many_in_sdist(count: int) -> Distribution:
    """Make a valid sdist with many empty files, each with an extended header, as a long path needs one."""
    noise = random.Random(0).randbytes(4 << 20)  # or it would be compressed as strongly as only bombs are
    record = pax(b"path", b"demo-1.0/" + b"x" * 100)
    extra = header(b"%011o" % len(record), b"x") + record + header(b"00000000000", name=b"demo-1.0/x")
    return gzipped(header(b"%011o" % len(noise), name=b"demo-1.0/noise") + noise + extra * count + tar_bytes())


def tar_bytes() -> bytes:
    """Return the good sdist as an uncompressed tar."""
    return gzip.decompress(GOOD_SDIST.content)


def header(size: bytes, kind: bytes = b"0", name: bytes = b"demo-1.0/PKG-INFO") -> bytes:
    """Return the header of a tar's entry, with any size."""
    block = bytearray(512)
    block[: len(name)] = name
    block[100:108], block[108:116], block[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    block[124 : 124 + len(size)], block[136:148] = size, b"00000000000\0"
    block[156:157], block[257:265] = kind, b"ustar\00000"
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return bytes(block)


def pax(key: bytes, value: bytes) -> bytes:
    """Return a record of an extended header, padded to a full block."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length += 1
    record = str(length).encode() + rest
    return record + bytes(-len(record) % 512)


def extension(record: bytes, kind: bytes) -> bytes:
    """Return an extended header of one record, for the next entry (``x``) or for all that follow (``g``)."""
    key, _, value = record.partition(b"=")
    unpadded = pax(key, value).rstrip(b"\0")
    return header(b"%011o" % len(unpadded), kind) + pax(key, value)


def extended(content: bytes) -> Distribution:
    """Make a ``.tar.gz`` with an extended header."""
    filled = content + bytes(-len(content) % 512)
    return gzipped(header(b"%011o" % len(content), b"x") + filled + header(b"00000000000") + bytes(1024))


def patched(offset_from_end: int, value: bytes) -> Distribution:
    """Change the end of the good wheel's directory; 0 is the first byte of its last record."""
    content = bytearray(GOOD.content)
    place = len(content) - 22 + offset_from_end
    content[place : place + len(value)] = value
    return replace(GOOD, content=bytes(content))


def lying_length(length: int) -> Distribution:
    """Make a wheel whose directory gives a false length of its metadata."""
    content = bytearray(GOOD.content)
    central = content.rindex(b"PK\1\2", 0, content.rindex(DIST_INFO.encode()))
    struct.pack_into("<I", content, central + 24, length)
    return replace(GOOD, content=bytes(content))


def unlisted(entries: list[tuple[str, bytes]]) -> Distribution:
    """Make a zip whose directory lacks the last of these entries."""
    content = zipped(entries).content
    last = content.rindex(b"PK\1\2")
    end = bytearray(content[-22:])
    struct.pack_into("<2HI", end, 8, len(entries) - 1, len(entries) - 1, last - content.index(b"PK\1\2"))
    return replace(GOOD, content=content[:last] + bytes(end))


def with_entry(name: str, mode: int = 0, extra: bytes = b"", content: bytes = b"") -> Distribution:
    """Make the good wheel with one more entry."""
    buffer = io.BytesIO(GOOD.content)
    with zipfile.ZipFile(buffer, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr, info.extra = mode << 16, extra
        archive.writestr(info, content)
    return replace(GOOD, content=buffer.getvalue())


def name_field(name: str) -> bytes:
    """Return the extra field that gives an entry another name (APPNOTE.TXT, 4.6.9)."""
    return struct.pack("<2HBI", 0x7075, 5 + len(name), 1, 0) + name.encode()


def replaced(old: bytes, new: bytes, dist: Distribution = GOOD) -> Distribution:
    """Replace the first occurrence of bytes in a file."""
    assert old in dist.content
    return replace(dist, content=dist.content.replace(old, new, 1))


class Unseekable(io.RawIOBase):
    """A file that can only be written from its beginning to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()

    def writable(self) -> bool:
        """Allow writing."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Add bytes."""
        self.written += data
        return len(data)


def streamed() -> Distribution:
    """Make a wheel as tools write it into a pipe: the lengths come after the contents."""
    target = Unseekable()
    with zipfile.ZipFile(io.BytesIO(GOOD.content)) as source, zipfile.ZipFile(target, "w") as archive:
        for info in source.infolist():
            archive.writestr(info.filename, source.read(info))
    return replace(GOOD, content=bytes(target.written))


def large_records(count: int) -> Distribution:
    """Make the good wheel with ZIP64 records, which give this number of entries."""
    *_, size, start, _ = struct.unpack("<4s4H2IH", GOOD.content[-22:])
    record = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(GOOD.content) - 22, 1)
    return replace(GOOD, content=GOOD.content[:-22] + record + locator + GOOD.content[-22:])


def encrypted() -> Distribution:
    """Make a wheel whose metadata is marked as encrypted."""
    content = bytearray(GOOD.content)
    central = content.rindex(b"PK\1\2", 0, content.rindex(DIST_INFO.encode()))
    local = content.rindex(b"PK\3\4", 0, content.index(DIST_INFO.encode()))
    for place in (central + 8, local + 6):
        content[place] |= 1
    return replace(GOOD, content=bytes(content))


HOSTILE: dict[str, tuple[Callable[[], Distribution], str]] = {
    "an empty file": (lambda: replace(GOOD, content=b""), "not a zip file"),
    "text": (lambda: replace(GOOD, content=b"hello" * 100), "not a zip file"),
    "an sdist with the name of a wheel": (lambda: replace(GOOD, content=GOOD_SDIST.content), "not a zip file"),
    "cut": (lambda: replace(GOOD, content=GOOD.content[:-100]), "not a zip file"),
    "something before it": (lambda: replace(GOOD, content=b"MZ" + GOOD.content), "not a zip file"),
    "no metadata": (lambda: zipped([("demo/__init__.py", b"")]), "no NAME-VERSION.dist-info/METADATA"),
    "metadata too deep": (lambda: zipped([(f"x/{DIST_INFO}", METADATA)]), "no NAME-VERSION.dist-info/METADATA"),
    "empty zip": (lambda: zipped([]), "no NAME-VERSION.dist-info/METADATA"),
    "metadata twice": (
        lambda: zipped([(DIST_INFO, METADATA), ("demo-2.0.dist-info/METADATA", METADATA)]),
        "more than one NAME-VERSION.dist-info/METADATA",
    ),
    "one name twice": (lambda: zipped([(DIST_INFO, METADATA), (DIST_INFO, METADATA)]), "the same name"),
    "metadata of another project": (
        lambda: zipped([("other-1.0.dist-info/METADATA", METADATA)]),
        "belongs to another project",
    ),
    "climbing out": (lambda: wheel("demo", more={"../../evil.py": b""}), "leads out of"),
    "climbing in the middle": (lambda: wheel("demo", more={"demo/../../evil.py": b""}), "leads out of"),
    "absolute": (lambda: wheel("demo", more={"/etc/evil": b""}), "leads out of"),
    "a drive of Windows": (lambda: wheel("demo", more={"C:evil": b""}), "on Windows"),
    "backslash": (lambda: wheel("demo", more={"..\\evil": b""}), "on Windows"),
    "too many folders": (lambda: wheel("demo", more={"a/" * 60 + "b": b""}), "more than 50 nested folders"),
    "long name": (lambda: wheel("demo", more={"a" * 1001: b""}), "more than 1000 characters"),
    "bomb in the metadata": (lambda: wheel("demo", bomb=5 << 20), "metadata is longer"),
    "bomb next to the metadata": (lambda: directory(["demo/zeros"], 80 << 20), "more than 100 times its size"),
    "bzip2": (lambda: zipped([(DIST_INFO, METADATA)], compression=zipfile.ZIP_BZIP2), "not every installer reads"),
    "lzma": (lambda: zipped([(DIST_INFO, METADATA)], compression=zipfile.ZIP_LZMA), "not every installer reads"),
    "encrypted": (lambda: encrypted(), "is encrypted"),
    "a directory with a false length": (lambda: lying_length(10), "another length, checksum or compression"),
    "a directory with too great a length": (lambda: lying_length(1000), "another length, checksum or compression"),
    "a directory with a false position": (
        lambda: patched(16, b"\xff\xff\xff\x7f"),
        "its directory is not where",
    ),
    "a directory with a false size": (lambda: patched(12, b"\xff\xff\xff\x7f"), "its directory is not where"),
    "a directory without its entries": (lambda: patched(12, b"\x00\x00\x00\x00"), "its directory is not where"),
    "a count that is false": (lambda: patched(8, b"\x02\x00\x02\x00"), "counts 2 entries, but its directory has 4"),
    "a part of several disks": (lambda: patched(8, b"\x02\x00"), "on several disks"),
    "two records that differ": (lambda: large_records(3), "contradict each other"),
    "two zips in a row": (lambda: replace(GOOD, content=GOOD.content * 2), "two zip files in a row"),
    "bytes after the end": (lambda: replace(GOOD, content=GOOD.content + b"x"), "bytes after its end"),
    "a zip in the comment": (
        lambda: replace(GOOD, content=patched(20, struct.pack("<H", len(GOOD.content))).content + GOOD.content),
        "two zip files in a row",
    ),
    "an entry that the directory lacks": (
        lambda: unlisted([(DIST_INFO, METADATA), (WHEEL_FILE, b""), ("demo/evil.py", b"")]),
        "between its entries that its directory does not list",
    ),
    "a second METADATA that the directory lacks": (
        lambda: unlisted([(DIST_INFO, METADATA), (WHEEL_FILE, b""), (DIST_INFO, METADATA)]),
        "between its entries that its directory does not list",
    ),
    "another name in front of the content": (
        lambda: replaced(b"demo/__init__.py", b"demo/__evil__.py"),
        "another name in its own header",
    ),
    "another name in an extra field": (
        lambda: with_entry("demo/a.py", extra=name_field("demo/b.py")),
        "another name",
    ),
    "another name in an extra field in front of the content": (
        lambda: replaced(
            name_field("demo/a.py"),
            name_field("demo/b.py"),
            with_entry("demo/a.py", extra=name_field("demo/a.py")),
        ),
        "another name",
    ),
    "a broken extra field": (lambda: with_entry("demo/a.py", extra=b"\1\2\xff\xff"), "extra field"),
    "code with a wrong checksum": (
        lambda: replaced(b"good = 1", b"evil = 1", with_entry("demo/a.py", content=b"good = 1")),
        "a wrong checksum",
    ),
    "a wrong checksum after the content": (
        lambda: replaced(b"PK\7\10", b"PK\7\7", streamed()),
        "another length or checksum behind its content",
    ),
    "names that differ in case only": (lambda: with_entry("demo/__INIT__.py"), "the same file on some systems"),
    "names that look the same": (
        lambda: zipped([("demo/\u00e9", b""), ("demo/e\u0301", b"")]),
        "the same file on some systems",
    ),
    "a file that is a folder": (lambda: with_entry("demo/__init__.py/a"), "is a file and a folder"),
    "a dot before the metadata": (lambda: with_entry(f"./{DIST_INFO}"), "an empty part or '.'"),
    "an empty part": (lambda: with_entry("demo//a.py"), "an empty part or '.'"),
    "metadata of another version": (
        lambda: zipped([("demo-2.0.dist-info/METADATA", METADATA), ("demo-2.0.dist-info/WHEEL", b"")]),
        "belongs to another version",
    ),
    "a folder of another version beside it": (
        lambda: with_entry("demo-2.0.dist-info/RECORD"),
        "a second folder with metadata, 'demo-2.0.dist-info'",
    ),
    "no WHEEL": (lambda: zipped([(DIST_INFO, METADATA)]), "has no demo-1.0.dist-info/WHEEL"),
    "a link": (lambda: with_entry("demo/link", stat.S_IFLNK | 0o777), "is a link or a device"),
    "a device": (lambda: with_entry("demo/null", stat.S_IFCHR | 0o666), "is a link or a device"),
    "zip: another folder": (
        lambda: zipped([(PKG_INFO, METADATA), ("other/setup.py", b"")], "demo-1.0.zip"),
        "is not in its folder 'demo-1.0'",
    ),
    "tar: an empty file": (lambda: replace(GOOD_SDIST, content=b""), "not a .tar.gz file"),
    "tar: text": (lambda: replace(GOOD_SDIST, content=b"hello" * 100), "not a .tar.gz file"),
    "tar: not compressed": (lambda: replace(GOOD_SDIST, content=tar_bytes()), "not a .tar.gz file"),
    "tar: cut": (lambda: replace(GOOD_SDIST, content=GOOD_SDIST.content[:-60]), "not a .tar.gz file"),
    "tar: damaged": (
        lambda: replace(GOOD_SDIST, content=GOOD_SDIST.content[:-8] + b"\0" * 8),
        "not a .tar.gz file",
    ),
    "tar: damaged after the tar": (
        lambda: replace(GOOD_SDIST, content=gzip.compress(tar_bytes() + bytes(3 << 20))[:-8] + b"\0" * 8),
        "not a .tar.gz file",
    ),
    "tar: cut before compression": (lambda: gzipped(tar_bytes()[:700]), "not a .tar.gz file"),
    "tar: gzip of text": (lambda: gzipped(b"hello" * 1000), "not a .tar.gz file"),
    "tar: endless file name in the gzip header": (
        lambda: replace(GOOD_SDIST, content=b"\x1f\x8b\x08\x08\0\0\0\0\0\xff" + b"x" * (3 << 20)),
        "not a .tar.gz file",
    ),
    "tar: no PKG-INFO": (lambda: tarred([], {"demo-1.0/setup.py": b""}), "no NAME-VERSION/PKG-INFO"),
    "tar: PKG-INFO too deep": (lambda: tarred([], {"demo-1.0/src/PKG-INFO": METADATA}), "no NAME-VERSION/PKG-INFO"),
    "tar: PKG-INFO without a folder": (lambda: tarred([], {"PKG-INFO": METADATA}), "no NAME-VERSION/PKG-INFO"),
    "tar: PKG-INFO twice": (
        lambda: tarred([entry(PKG_INFO)], {PKG_INFO: METADATA}),
        "more than one NAME-VERSION/PKG-INFO",
    ),
    "tar: another folder": (lambda: sdist("demo", more={"other/setup.py": b""}), "not in its folder 'demo-1.0'"),
    "tar: PKG-INFO in another case": (lambda: tarred([], {"demo-1.0/pkg-info": METADATA}), "not a regular file"),
    "tar: a chain of links out": (
        lambda: sdist("demo", links={"demo-1.0/a/b/up": "../..", "demo-1.0/a/b/out": "up/../.."}),
        "behind its link 'demo-1.0/a/b/up'",
    ),
    "tar: a file behind a link": (
        lambda: sdist("demo", links={"demo-1.0/link": "demo"}, more={"demo-1.0/link/evil.py": b""}),
        "behind its link 'demo-1.0/link'",
    ),
    "tar: a file behind a link in another case": (
        lambda: sdist("demo", links={"demo-1.0/Link": "demo"}, more={"demo-1.0/link/evil.py": b""}),
        "behind its link 'demo-1.0/Link'",
    ),
    "tar: a file in the place of a link": (
        lambda: tarred([entry("demo-1.0/link", tarfile.SYMTYPE, "a")], {PKG_INFO: METADATA, "demo-1.0/link": b""}),
        "behind its link 'demo-1.0/link'",
    ),
    "tar: a folder that is a link": (
        lambda: tarred([entry("demo-1.0", tarfile.SYMTYPE, "demo-1.0")]),
        "behind its link 'demo-1.0'",
    ),
    "tar: a link of Windows": (lambda: sdist("demo", links={"demo-1.0/evil": "..\\..\\x"}), "leads out"),
    "tar: a hard link to nothing": (
        lambda: tarred([entry("demo-1.0/hard", tarfile.LNKTYPE, "demo-1.0/later")]),
        "a hard link to something that is no file before it",
    ),
    "tar: a second compressed part": (lambda: two_parts(), "bytes after the end of its compressed content"),
    "tar: bytes after the end": (
        lambda: replace(GOOD_SDIST, content=GOOD_SDIST.content + b"x"),
        "bytes after the end of its compressed content",
    ),
    "tar: a second tar after the end": (lambda: gzipped(tar_bytes() * 2), "something follows its end"),
    "tar: a broken header": (
        lambda: gzipped(tar_bytes().rstrip(b"\0").ljust(20_480, b"\0") + b"x" * 512),
        "something follows its end",
    ),
    "tar: a broken header as its end": (
        lambda: gzipped(header(b"00000000000") + b"x" * 512),
        "one of its headers is broken",
    ),
    "tar: a length in an extended header": (lambda: extended(pax(b"size", b"4096")), "gives a length"),
    "tar: a folder named PKG-INFO": (lambda: tarred([entry(PKG_INFO, tarfile.DIRTYPE)], {}), "not a regular file"),
    "tar: a link named PKG-INFO": (
        lambda: sdist("demo", links={PKG_INFO: "setup.py"}),
        "not a regular file",
    ),
    "tar: a link out": (lambda: sdist("demo", links={"demo-1.0/evil": "../../etc/passwd"}), "leads out"),
    "tar: an absolute link": (lambda: sdist("demo", links={"demo-1.0/evil": "/etc/passwd"}), "leads out"),
    "tar: a link into another folder": (lambda: sdist("demo", links={"demo-1.0/evil": ".."}), "leads out"),
    "tar: a hard link out": (
        lambda: tarred([entry("demo-1.0/evil", tarfile.LNKTYPE, "../evil")]),
        "link to '../evil' leads out of",
    ),
    "tar: climbing out": (lambda: sdist("demo", more={"../evil.py": b""}), "leads out of"),
    "tar: absolute": (lambda: sdist("demo", more={"/etc/evil": b""}), "leads out of"),
    "tar: a device": (lambda: tarred([entry("demo-1.0/null", tarfile.CHRTYPE)]), "neither a file nor a folder"),
    "tar: a pipe": (lambda: tarred([entry("demo-1.0/pipe", tarfile.FIFOTYPE)]), "neither a file nor a folder"),
    "tar: bomb in PKG-INFO": (lambda: sdist("demo", bomb=5 << 20), "PKG-INFO is longer"),
    "tar: bomb next to PKG-INFO": (
        lambda: gzipped(header(b"%011o" % (80 << 20), name=b"demo-1.0/zeros") + bytes(80 << 20)),
        "more than 100 times its size",
    ),
    "tar: many entries in few bytes": (
        lambda: gzipped(header(b"00000000000", name=b"demo-1.0/x") * 2000),
        "fewer than 10 bytes each",
    ),
    "tar: many records for each entry": (
        lambda: gzipped(b"".join(extension(b"a" * n + b"=b", b"g") for n in range(1, 150))),
        "more than 100 records",
    ),
    "tar: a negative length": (
        lambda: gzipped(header(b"\xff" * 11 + b"\x00") + bytes(1024)),
        "negative length",
    ),
    "tar: an enormous length": (
        lambda: gzipped(header(b"77777777777", b"x") + bytes(1024)),
        "the length of one of its headers",
    ),
    "tar: a chain of headers": (
        lambda: gzipped((header(b"00000001000", b"x") + pax(b"a", b"b")) * 3000),
        "not a .tar.gz file",
    ),
    "tar: headers that take hours": (lambda: extended(b"1" * 60_000), "a number of 100 digits"),
    "tar: a record that takes hours": (lambda: extended(pax(b"path", b"1" * 60_000)), "a number of 100 digits"),
    "tar: records within records": (lambda: extended(b"2 " * 30_000 + b"="), "does not conform to POSIX"),
    "tar: a record without length": (lambda: extended(b"0 a=b\n"), "does not conform to POSIX"),
    "tar: a record without length after another": (lambda: extended(b"6 a=b\n0 a=b\n"), "does not conform to POSIX"),
    "tar: a record shorter than its key": (lambda: extended(b"4 a\n5 b=\n"), "does not conform to POSIX"),
    "tar: a record beyond the end": (lambda: extended(b"99 a=b\n"), "does not conform to POSIX"),
    "tar: a sparse file": (lambda: extended(pax(b"GNU.sparse.major", b"1")), "a sparse file"),
    "tar: a sparse file in the old format": (
        lambda: gzipped(header(b"00000000000", b"S") + bytes(1024)),
        "a sparse file",
    ),
}
"""By the fault: a function that makes the archive, and a part of the refusal."""

TOO_LARGE: dict[str, tuple[Callable[[], Distribution], str]] = {
    "many entries": (lambda: directory(f"{number:x}" for number in range(101)), "more than 100 entries"),
    "an enormous directory": (
        lambda: directory(f"{number:0900}" for number in range(5000)),
        "its directory has more than 19200 bytes",
    ),
    "tar: many entries": (
        lambda: gzipped(header(b"00000000000", name=b"demo-1.0/x") * 101),
        "more than 100 entries",
    ),
    "tar: endless headers": (
        lambda: gzipped((header(b"00000060000", b"L") + bytes(0o60000) + header(b"00000000000")) * 20),
        "its headers have more than 204800 bytes",
    ),
}
"""The same for archives beyond the limits of ``--max-archive-entries 100``."""
