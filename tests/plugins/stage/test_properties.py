"""Properties of the checks of uploads: all spellings of a name or version are equal, and no input breaks a check."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.version import Version
from tests.helpers.distributions import Distribution, sdist, wheel
from tests.helpers.hostile_archives import GOOD, GOOD_SDIST, METADATA, tar_bytes

from wheelgate.errors import BadInput
from wheelgate.packages import ReceivedFile, StoredFile, UploadForm, normalize, version_key
from wheelgate_stage.filenames import parse_filename, parse_version
from wheelgate_stage.inspection import inspect_upload
from wheelgate_stage.limits import ArchiveLimits
from wheelgate_stage.metadata import parse_project
from wheelgate_stage.upload_checks import UploadChecks

NO_DEADLINE = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)
VERSIONS = st.from_regex(
    r"([0-9]{1,2}!)?[0-9]{1,3}(\.[0-9]{1,3}){0,3}((a|b|rc)[0-9]{1,2})?(\.post[0-9]{1,2})?(\.dev[0-9]{1,2})?(\+[a-z0-9]{1,4})?",
    fullmatch=True,
)
SEPARATORS = st.sampled_from(["-", "_", ".", "--", "_."])


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder for received files."""
    with TemporaryDirectory() as name:
        yield Path(name)


def outcome(folder: Path, content: bytes, filename: str, **fields: str) -> str:
    """Check an upload; return ``ok`` or the refusal."""
    path = folder / "upload"
    path.write_bytes(content)
    form = UploadForm(
        {":action": ["file_upload"], "name": ["demo"], "version": ["1.0"]}
        | {key: [text] for key, text in fields.items()},
        filename,
    )
    try:
        received = ReceivedFile(str(path), StoredFile("0" * 64, len(content)), {"sha256": "0" * 64})
        inspect_upload(form, received, None, UploadChecks(ArchiveLimits(1000)))
    except BadInput as refused:
        return refused.message
    return "ok"


def spelt(name: str, separator: str, upper: bool) -> str:
    """Return another spelling of a normalised name."""
    spelling = name.replace("-", separator)
    return spelling.upper() if upper else spelling


@NO_DEADLINE
@given(NAMES, SEPARATORS, st.booleans())
def test_all_spellings_of_a_name_are_one_project(name: str, separator: str, upper: bool) -> None:
    """Case and separators do not matter (PEP 503), and a normalised name is its own normalised form."""
    project = parse_project(name)

    assert parse_project(spelt(project, separator, upper)) == project == normalize(name)


@NO_DEADLINE
@given(VERSIONS)
def test_all_spellings_of_a_version_are_one(text: str) -> None:
    """A version equals its PEP 440 form, with trailing zeros and with a leading ``v`` too."""
    version = parse_version(text)
    release, sign, local = str(version).partition("+")
    padded = release + ".0" + sign + local if release.replace(".", "").isdigit() else str(version)

    assert version_key(text) == version_key(str(version)) == version_key(f"v{version}") == version_key(padded)


@NO_DEADLINE
@given(NAMES, VERSIONS, SEPARATORS, st.booleans())
def test_every_sdist_name_is_accepted(name: str, version: str, separator: str, upper: bool) -> None:
    """Every spelling of an sdist's name has the same identity, and matches no other version."""
    project = parse_project(name)
    parsed = Version(version)
    right = parse_filename(f"{project.replace('-', '_')}-{parsed}.tar.gz", project, parsed)
    found = parse_filename(f"{spelt(project, separator, upper)}-{version}.tar.gz", project, parsed)

    assert found == right
    with pytest.raises(BadInput):
        parse_filename(f"{project}-{version}.tar.gz", project, Version(f"{parsed.major + 1}!7.7.7"))


@NO_DEADLINE
@given(NAMES, VERSIONS, st.lists(st.sampled_from(["py2", "py3", "cp39", "cp313"]), min_size=1, max_size=3, unique=True))
def test_every_wheel_name_is_accepted(name: str, version: str, tags: list[str]) -> None:
    """The order of compressed tags and the spelling of name and version do not matter."""
    project = parse_project(name)
    parsed = Version(version)
    made = wheel(project, str(parsed), tag=f"{'.'.join(tags)}-none-any").filename
    other = f"{project.upper().replace('-', '.')}-{version}-{'.'.join(reversed(tags))}-none-any.whl"

    assert parse_filename(made, project, parsed) == parse_filename(other, project, parsed)


@NO_DEADLINE
@given(st.text(max_size=60), st.sampled_from(["", ".whl", ".tar.gz", ".zip"]))
def test_no_file_name_breaks_the_check(folder: Path, stem: str, suffix: str) -> None:
    """Any text as a file name is refused with a message."""
    assert outcome(folder, GOOD.content, stem + suffix) != "ok"


@NO_DEADLINE
@given(
    st.dictionaries(
        st.sampled_from(["name", "version", "attestations", "md5_digest", "keywords"]), st.text(max_size=40)
    )
)
def test_no_field_breaks_the_check(folder: Path, fields: dict[str, str]) -> None:
    """Any text in any field is accepted, or refused with a message."""
    assert outcome(folder, GOOD.content, GOOD.filename, **fields)


@pytest.mark.parametrize("dist", [GOOD, GOOD_SDIST], ids=["wheel", "sdist"])
def test_no_bytes_break_the_check(dist: Distribution, folder: Path) -> None:
    """Any bytes instead of an archive are refused with a message."""

    @NO_DEADLINE
    @given(st.binary(max_size=3000))
    def check(content: bytes) -> None:
        assert outcome(folder, content, dist.filename) != "ok"

    check()


EDITS = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=6)), min_size=1, max_size=6)


def edited(content: bytes, edits: list[tuple[float, bytes]]) -> bytes:
    """Return the content with some bytes overwritten."""
    changed = bytearray(content)
    for where, new in edits:
        place = int(where * (len(content) - 1))
        changed[place : place + len(new)] = new
    return bytes(changed)


@NO_DEADLINE
@given(EDITS)
def test_no_damage_of_a_wheel_breaks_the_check(folder: Path, edits: list[tuple[float, bytes]]) -> None:
    """A wheel with some changed bytes is accepted, or refused with a message."""
    assert outcome(folder, edited(GOOD.content, edits), GOOD.filename)


@NO_DEADLINE
@given(EDITS)
def test_no_damage_of_an_sdist_breaks_the_check(folder: Path, edits: list[tuple[float, bytes]]) -> None:
    """A tar with some bytes changed before compression is accepted, or refused with a message."""
    content = gzip.compress(edited(tar_bytes(), edits), 1)

    assert outcome(folder, content, GOOD_SDIST.filename)


@NO_DEADLINE
@given(st.binary(max_size=300), st.sampled_from([wheel, sdist]), st.booleans())
def test_no_metadata_breaks_the_check(
    folder: Path, content: bytes, make: Callable[..., Distribution], appended: bool
) -> None:
    """Any bytes as core metadata, alone or after valid lines, are accepted, or refused with a message."""
    dist = make("demo", metadata=METADATA.rstrip() + b"\n" + content if appended else content)

    assert outcome(folder, dist.content, dist.filename)
