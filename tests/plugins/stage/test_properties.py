"""Properties of what reads uploads: names and versions mean what they mean in every spelling, and nothing breaks it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.version import Version
from tests.helpers.distributions import sdist, wheel
from tests.helpers.hostile_archives import GOOD, GOOD_SDIST, METADATA, tar_bytes

from wheelgate.errors import BadInput
from wheelgate.packages import ReceivedFile, StoredFile, UploadForm, normalize
from wheelgate_stage.filenames import parse_filename, parse_version, version_key
from wheelgate_stage.inspection import inspect_upload
from wheelgate_stage.metadata import parse_project

STEADY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)
VERSIONS = st.from_regex(
    r"([0-9]{1,2}!)?[0-9]{1,3}(\.[0-9]{1,3}){0,3}((a|b|rc)[0-9]{1,2})?(\.post[0-9]{1,2})?(\.dev[0-9]{1,2})?(\+[a-z0-9]{1,4})?",
    fullmatch=True,
)
SEPARATORS = st.sampled_from(["-", "_", ".", "--", "_."])


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder for files that are being received."""
    with TemporaryDirectory() as name:
        yield Path(name)


def told(folder: Path, content: bytes, filename: str, **fields: str) -> str:
    """Inspect an upload and return ``ok`` or the refusal."""
    path = folder / "draft"
    path.write_bytes(content)
    form = UploadForm(
        {":action": ["file_upload"], "name": ["demo"], "version": ["1.0"]}
        | {key: [text] for key, text in fields.items()},
        filename,
    )
    try:
        inspect_upload(form, ReceivedFile(str(path), StoredFile("0" * 64, len(content)), {"sha256": "0" * 64}), None)
    except BadInput as refused:
        return refused.message
    return "ok"


def spelt(name: str, separator: str, upper: bool) -> str:
    """Spell a normalised name in another way."""
    spelling = name.replace("-", separator)
    return spelling.upper() if upper else spelling


@STEADY
@given(NAMES, SEPARATORS, st.booleans())
def test_all_spellings_of_a_name_are_one_project(name: str, separator: str, upper: bool) -> None:
    """Case and separators do not matter (PEP 503), and the normalised name is one itself."""
    project = parse_project(name)

    assert parse_project(spelt(project, separator, upper)) == project == normalize(name)


@STEADY
@given(VERSIONS)
def test_all_spellings_of_a_version_are_one(text: str) -> None:
    """A version equals what PEP 440 writes in its place, with zeros at the end and a ``v`` before it too."""
    version = parse_version(text)
    release, sign, local = str(version).partition("+")
    padded = release + ".0" + sign + local if release.replace(".", "").isdigit() else str(version)

    assert version_key(text) == version_key(str(version)) == version_key(f"v{version}") == version_key(padded)


@STEADY
@given(NAMES, VERSIONS, SEPARATORS, st.booleans())
def test_every_sdist_name_is_read(name: str, version: str, separator: str, upper: bool) -> None:
    """However an sdist spells its name, it is the same file of the same project, and of no other version."""
    project = parse_project(name)
    parsed = Version(version)
    right = parse_filename(f"{project.replace('-', '_')}-{parsed}.tar.gz", project, parsed)
    found = parse_filename(f"{spelt(project, separator, upper)}-{version}.tar.gz", project, parsed)

    assert found == right
    with pytest.raises(BadInput):
        parse_filename(f"{project}-{version}.tar.gz", project, Version(f"{parsed.major + 1}!7.7.7"))


@STEADY
@given(NAMES, VERSIONS, st.lists(st.sampled_from(["py2", "py3", "cp39", "cp313"]), min_size=1, max_size=3, unique=True))
def test_every_wheel_name_is_read(name: str, version: str, tags: list[str]) -> None:
    """The order of compressed tags does not matter, nor how name and version are spelt."""
    project = parse_project(name)
    parsed = Version(version)
    made = wheel(project, str(parsed), tag=f"{'.'.join(tags)}-none-any").filename
    other = f"{project.upper().replace('-', '.')}-{version}-{'.'.join(reversed(tags))}-none-any.whl"

    assert parse_filename(made, project, parsed) == parse_filename(other, project, parsed)


@STEADY
@given(st.text(max_size=60), st.sampled_from(["", ".whl", ".tar.gz", ".zip"]))
def test_no_file_name_breaks_it(folder: Path, stem: str, suffix: str) -> None:
    """Any text as a file name is refused with a sentence."""
    assert told(folder, GOOD.content, stem + suffix) != "ok"


@STEADY
@given(
    st.dictionaries(
        st.sampled_from(["name", "version", "attestations", "md5_digest", "keywords"]), st.text(max_size=40)
    )
)
def test_no_field_breaks_it(folder: Path, fields: dict[str, str]) -> None:
    """Any text in any field is taken, or refused with a sentence."""
    assert told(folder, GOOD.content, GOOD.filename, **fields)


@pytest.mark.parametrize("dist", [GOOD, GOOD_SDIST], ids=["wheel", "sdist"])
def test_no_bytes_break_it(dist: object, folder: Path) -> None:
    """Any bytes in the place of an archive are refused with a sentence."""

    @STEADY
    @given(st.binary(max_size=3000))
    def check(content: bytes) -> None:
        assert told(folder, content, dist.filename) != "ok"  # type: ignore[attr-defined]

    check()


EDITS = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=6)), min_size=1, max_size=6)


def edited(content: bytes, edits: list[tuple[float, bytes]]) -> bytes:
    """Overwrite bytes at some places."""
    changed = bytearray(content)
    for where, new in edits:
        place = int(where * (len(content) - 1))
        changed[place : place + len(new)] = new
    return bytes(changed)


@STEADY
@given(EDITS)
def test_no_damage_of_a_wheel_breaks_it(folder: Path, edits: list[tuple[float, bytes]]) -> None:
    """A wheel with some bytes changed is taken, or refused with a sentence."""
    assert told(folder, edited(GOOD.content, edits), GOOD.filename)


@STEADY
@given(EDITS)
def test_no_damage_of_an_sdist_breaks_it(folder: Path, edits: list[tuple[float, bytes]]) -> None:
    """A tar with some bytes changed before it was packed is taken, or refused with a sentence."""
    content = gzip.compress(edited(tar_bytes(), edits), 1)

    assert told(folder, content, GOOD_SDIST.filename)


@STEADY
@given(st.binary(max_size=300), st.sampled_from([wheel, sdist]), st.booleans())
def test_no_metadata_break_it(folder: Path, content: bytes, make: object, begun: bool) -> None:
    """Any bytes as core metadata, alone or after good ones, are taken, or refused with a sentence."""
    dist = make("demo", metadata=METADATA.rstrip() + b"\n" + content if begun else content)  # type: ignore[operator]

    assert told(folder, dist.content, dist.filename)
