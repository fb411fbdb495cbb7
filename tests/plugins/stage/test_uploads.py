"""Uploads to hosted indices: accepted files, the metadata read from them, and the reasons of refusals."""

from __future__ import annotations

import base64
import hashlib
import json
import stat
import tarfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.helpers.distributions import Distribution, core_metadata, sdist, wheel
from tests.helpers.hostile_archives import (
    GOOD,
    HOSTILE,
    METADATA,
    entry,
    large_records,
    patched,
    streamed,
    tarred,
    with_entry,
    zipped,
)
from tests.helpers.target_indices import TargetIndex
from tests.helpers.upload_forms import address

ACCEPTED = {
    "wheel": wheel("demo"),
    "wheel of a project with a dash": wheel("My.Pkg"),
    "wheel with a build number": wheel("demo", tag="1-py3-none-any"),
    "wheel for many": wheel("demo", tag="py2.py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64"),
    "wheel for a browser": wheel("demo", tag="cp313-cp313-pyemscripten_2025_0_wasm32"),
    "wheel variant": wheel("demo", tag="cp313-cp313-linux_x86_64-x86_64_v3"),
    "wheel variant with a build number": wheel("demo", tag="2-cp313-cp313-linux_x86_64-cu128"),
    "local version": wheel("demo", "1.0+cpu.avx"),
    "epoch": wheel("demo", "1!2.0"),
    "old spelling of the name": wheel("Demo", filename="Demo-1.0-py3-none-any.whl"),
    "sdist": sdist("my-pkg"),
    "sdist with an old name": sdist("My.Pkg", filename="My.Pkg-1.0.tar.gz"),
    "sdist with dashes": sdist("my-pkg", filename="my-pkg-1.0.tar.gz"),
    "sdist with a dash in its version": sdist("demo", "1.0-1", filename="demo-1.0-1.tar.gz"),
    "sdist with a name that ends in a number": sdist("demo-2", "1.0", filename="demo-2-1.0.tar.gz"),
    "sdist as a zip": zipped([("demo-1.0/PKG-INFO", METADATA)], "demo-1.0.zip"),
    "another spelling of the version": wheel("demo", "1.0.0-alpha", filename="demo-1.0.0a0-py3-none-any.whl"),
    "metadata 1.0": wheel("demo", metadata=b"Metadata-Version: 1.0\nName: demo\nVersion: 1.0\n"),
    "metadata 2.6": wheel("demo", metadata=b"Metadata-Version: 2.6\nName: demo\nVersion: 1.0\nImport-Name: demo\n"),
    "metadata of the future": wheel("demo", metadata=b"Metadata-Version: 2.9\nName: demo\nVersion: 1.0\nNew: x\n"),
    "metadata of a version that never existed": wheel("demo", metadata=METADATA.replace(b": 2.1", b": 1.3")),
    "a link within": sdist("demo", links={"demo-1.0/README": "docs/../pyproject.toml"}),
    "a link to a link": sdist("demo", links={"demo-1.0/a": "pyproject.toml", "demo-1.0/b": "a"}),
    "a tar with a dot": tarred([], {"./demo-1.0/PKG-INFO": METADATA, "./demo-1.0/a": b""}),
    "a hard link": tarred([entry("demo-1.0/a"), entry("demo-1.0/b", tarfile.LNKTYPE, "demo-1.0/a")]),
    "a wheel from a pipe": streamed(),
    "a wheel with large records": large_records(4),
    "a wheel with a comment": replace(GOOD, content=patched(20, b"\2\0").content + b"ab"),
    "a wheel with folders": with_entry("demo/data/", stat.S_IFDIR | 0o755),
}


@pytest.mark.parametrize("dist", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted_files(index: TargetIndex, dist: Distribution) -> None:
    """Files of present and past build tools are listed under their own names and served unchanged."""
    done = index.upload(dist)

    assert (done.status, done.content) == (200, b"")
    assert index.names(dist.name.lower().replace(".", "-")) == [dist.filename]
    assert index.get(address(dist)).content == dist.content


NAMES = [
    ("demo-1.0.txt", "'demo-1.0.txt' is not a valid archive name: upload a wheel (.whl) or an sdist (.tar.gz)"),
    ("demo-1.0.exe", "installers for Windows are no longer accepted (PEP 527)"),
    ("demo-1.0-py3.11.egg", "eggs are no longer accepted (PEP 715)"),
    ("demo-1.0-1.noarch.rpm", "packages for Linux distributions are no longer accepted (PEP 527)"),
    ("demo-1.0.tar.bz2", "sdists in other formats than .tar.gz are no longer accepted (PEP 527)"),
    ("demo-1.0.tgz", "the name of an sdist ends with .tar.gz (PEP 625)"),
    ("demo-1.0.linux-x86_64.tar.gz", "built tars (bdist_dumb) are no longer accepted (PEP 527)"),
    ("demo-1.0.win-amd64.zip", "built tars (bdist_dumb) are no longer accepted (PEP 527)"),
    ("demo-1.0.WHL", "its suffix is not in lower case"),
    (".whl", "and begin with a letter or digit"),
    ("../demo-1.0-py3-none-any.whl", "is not a valid archive name"),
    ("a/demo-1.0-py3-none-any.whl", "is not a valid archive name"),
    ("demo-1.0-py3-none-any.whl\\x", "is not a valid archive name"),
    ("d\u00e9mo-1.0-py3-none-any.whl", "is not a valid archive name"),
    (f"demo-1.0-py3-none-{'a' * 240}.whl", "is not a valid archive name"),
    ("demo-1.0.whl", "NAME-VERSION-PYTHON-ABI-PLATFORM.whl"),
    ("demo-1.0-py3-none-any-a-b-c.whl", "NAME-VERSION-PYTHON-ABI-PLATFORM.whl"),
    ("demo-1.0-py3-none-any-VARIANT.whl", "NAME-VERSION-PYTHON-ABI-PLATFORM.whl"),
    ("demo-1.0-.-none-any.whl", "NAME-VERSION-PYTHON-ABI-PLATFORM.whl"),
    (
        "demo-1.0-" + ".".join("a" * 20) + "-" + ".".join("b" * 20) + "-" + ".".join("c" * 20) + ".whl",
        "1000 combined tags",
    ),
    ("other-1.0-py3-none-any.whl", "does not match project name 'demo'"),
    ("demo_x-1.0-py3-none-any.whl", "does not match project name 'demo'"),
    ("demo-2.0-py3-none-any.whl", "does not contain version '1.0'"),
    ("demo-1.0+local-py3-none-any.whl", "gives the version '1.0+local', not '1.0'"),
    ("demo-1.0.1.tar.gz", "gives the version '1.0.1', not '1.0'"),
    ("other-1.0.tar.gz", "does not match project name 'demo'"),
    ("demo.tar.gz", "does not contain version '1.0'"),
    ("demo-2.0.tar.gz", "does not contain version '1.0'"),
    ("demo-1.0.tar.gz.tar.gz", "gives the version '1.0.tar.gz', not '1.0'"),
    ("demo-.tar.gz", "does not contain version '1.0'"),
]


@pytest.mark.parametrize(("filename", "sentence"), NAMES, ids=[name[:40] for name, _ in NAMES])
def test_refused_names(empty: TargetIndex, filename: str, sentence: str) -> None:
    """A name that no wheel or sdist can have, or of another project or version, is refused with the reason."""
    refused = empty.upload(replace(wheel("demo"), filename=filename))

    assert refused.status == 400
    assert sentence in refused.message
    assert empty.names() == []


@pytest.mark.parametrize(("make", "sentence"), HOSTILE.values(), ids=HOSTILE)
def test_refused_archives(empty: TargetIndex, make: Callable[[], Distribution], sentence: str) -> None:
    """A broken or hostile archive is refused with the reason, and nothing of it is stored or listed."""
    dist = make()

    refused = empty.upload(dist)

    assert refused.status == 400
    assert sentence in refused.message
    assert dist.filename in refused.message
    assert empty.names() == []
    assert empty.get(address(dist)).status == 404


CONTENTS = [
    (b"", "gives the Metadata-Version '' instead of one such as 2.1"),
    (b"\xff\xfe\x00", "is not UTF-8 in line 1"),
    (b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nAuthor: J\xfcrgen\n", "is not UTF-8 in line 4"),
    (b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\nGr\xf6\xdfe\n", "is not UTF-8 in line 5"),
    (b"Metadata-Version: 3.0\nName: demo\nVersion: 1.0\n", "gives the Metadata-Version '3.0'"),
    (b"Metadata-Version: 2.1\nVersion: 1.0\n", "gives the name '' instead of 'demo'"),
    (b"Metadata-Version: 2.1\nName: other\nVersion: 1.0\n", "gives the name 'other' instead of 'demo'"),
    (b"Metadata-Version: 2.1\nName: demo\nName: demo\nVersion: 1.0\n", "gives the field 'name' more than once"),
    (b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nversion: 2.0\n", "gives the field 'version' more than once"),
    (
        core_metadata("demo", "1.0", requires_python=">=3.9", more=["Requires-Python: >=3.13"]),
        "gives the field 'requires-python' more than once",
    ),
    (
        core_metadata("demo", "1.0", more=["Description: one"], description="another"),
        "gives the field 'description' more than once",
    ),
    (core_metadata("demo", "1.0", more=[f"X-{number}: a" for number in range(8000)]), "more than 5000 fields"),
    (core_metadata("demo", "1.0", more=["Classifier: a"] * 2001), "more than 2000 fields 'Classifier'"),
    (core_metadata("demo", "1.0", requires_dist=["a"] * 2001), "more than 2000 fields 'Requires-Dist'"),
    (core_metadata("demo", "1.0", more=["Summary: " + "a" * 256_001]), "'Summary' of more than 256000 characters"),
    (core_metadata("demo", "1.0", more=["Author: a", *[" b"] * 50_000]), "more than 50000 lines before"),
    (b"Metadata-Version: 2.1\nName: demo\nVersion: 2.0\n", "gives the version '2.0' instead of '1.0'"),
    (b"Metadata-Version: 2.1\nName: demo\nVersion: one\n", "'one' is not a version"),
    (b"Metadata-Version: 2.1\nName: demo\n", "'' is not a version"),
    *[
        (core_metadata("demo", "1.0", requires_python=value), f"{value!r} as Requires-Python")
        for value in ("3 or so", "banana", ">=three", "Python 3", ">=3.6 || >=4", ">=", "!")
    ],
    (
        b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nSummary: a\0b\n",
        "'summary' contains a character that is not valid in text",
    ),
]


@pytest.mark.parametrize("make", [wheel, sdist])
@pytest.mark.parametrize(("content", "sentence"), CONTENTS, ids=[sentence[-40:] for _, sentence in CONTENTS])
def test_metadata_must_match_the_form(
    empty: TargetIndex, make: Callable[..., Distribution], content: bytes, sentence: str
) -> None:
    """Name and version in the archive must match the form; otherwise the answer names both."""
    refused = empty.upload(make("demo", metadata=content))

    assert refused.status == 400
    assert sentence in refused.message
    assert empty.names() == []


def attestation(filename: str, sha256: object, statement: str = "", subject: str = "x") -> dict[str, Any]:
    """Return an attestation about a file, with a certificate that names a subject."""
    content = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": filename, "digest": {"sha256": sha256}}],
    }
    return {
        "version": 1,
        "verification_material": {
            "certificate": base64.b64encode(b"\x30\x82" + subject.encode() + b"\x30").decode(),
            "transparency_entries": [{}],
        },
        "envelope": {
            "statement": statement or base64.b64encode(json.dumps(content).encode()).decode(),
            "signature": "MEU=",
        },
    }


FORMS = [
    ({"name": ""}, "'' is not a project's name"),
    ({"name": "-demo"}, "'-demo' is not a project's name"),
    ({"name": "de mo"}, "'de mo' is not a project's name"),
    ({"name": "d\u00e9mo"}, "is not a project's name"),
    ({"name": "a" * 201}, "is not a project's name"),
    ({"version": ""}, "'' is not a version"),
    ({"version": "1.0 or so"}, "'1.0 or so' is not a version"),
    ({"version": "1" * 300}, "is not a version"),
    ({"summary": "a\0b"}, "the field 'summary' contains NUL"),
    ({"classifiers": "a\0b"}, "the field 'classifiers' contains NUL"),
    ({"sha256_digest": "0" * 64}, "does not match its sha256_digest"),
    ({"md5_digest": "0" * 32}, "does not match its md5_digest"),
    ({"blake2_256_digest": "0" * 64}, "does not match its blake2_256_digest"),
    ({"blake2_256_digest": "0" * 128}, "does not match its blake2_256_digest"),
    ({"blake2_256_digest": "0" * 96}, "'blake2_256_digest' must be a digest of 64 or 128 hexadecimal digits"),
    ({"md5_digest": "x" * 32}, "'md5_digest' must be a digest of 32 hexadecimal digits"),
    ({"sha256_digest": "0" * 63}, "'sha256_digest' must be a digest of 64 hexadecimal digits"),
    ({"attestations": "x"}, "the attestations cannot be used: they are not JSON"),
    ({"attestations": "{}"}, "a JSON list of 1 to 20"),
    ({"attestations": "[]"}, "a JSON list of 1 to 20"),
    ({"attestations": json.dumps([{}] * 21)}, "a JSON list of 1 to 20"),
    ({"attestations": "[[]]"}, "lacks version"),
    ({"attestations": '[{"version": 1, "verification_material": {}, "envelope": {}}]'}, "lacks version"),
    (
        {
            "attestations": json.dumps(
                [{"version": 2, "verification_material": {}, "envelope": {"statement": "", "signature": ""}}]
            )
        },
        "another version than 1",
    ),
    ({"attestations": json.dumps([attestation("demo-2.0-py3-none-any.whl", wheel("demo").sha256)])}, "another file"),
    ({"attestations": json.dumps([attestation("demo-1.0-py3-none-any.whl", "0" * 64)])}, "another file"),
    ({"attestations": json.dumps([attestation("demo-1.0-py3-none-any.whl", 1)])}, "another file"),
    ({"attestations": json.dumps([attestation("demo-1.0-py3-none-any.whl", "0" * 64, "W10=")])}, "another file"),
    ({"attestations": json.dumps([attestation("demo-1.0-py3-none-any.whl", "0" * 64, "?")])}, "another file"),
    ({":action": "explode"}, "action 'explode' not supported"),
]


@pytest.mark.parametrize(
    ("changed", "sentence"), FORMS, ids=[f"{next(iter(changed))}: {sentence[:30]}" for changed, sentence in FORMS]
)
def test_refused_forms(empty: TargetIndex, changed: dict[str, str], sentence: str) -> None:
    """An invalid form is refused with a message that names the field."""
    refused = empty.upload(wheel("demo"), **changed)

    assert refused.status == 400
    assert sentence in refused.message
    assert empty.names() == []


def test_all_digests_are_checked_and_shown(index: TargetIndex) -> None:
    """Digests in upper or lower case are accepted if they match, and shown in the version data."""
    dist = wheel("demo")
    md5 = hashlib.md5(dist.content).hexdigest()
    blake = hashlib.blake2b(dist.content, digest_size=32).hexdigest()

    done = index.upload(dist, sha256_digest=dist.sha256.upper(), md5_digest=md5.upper(), blake2_256_digest=blake)

    assert done.status == 200
    assert index.data()["+links"][0]["hashes"] == {"sha256": dist.sha256, "md5": md5, "blake2_256": blake}


def test_the_long_digest_of_setup_py_is_checked(index: TargetIndex) -> None:
    """``setup.py upload`` of Python 3.9 and later sends 512 bits of BLAKE2b in the field for 256."""
    dist = sdist("demo")

    done = index.upload(dist, sha256_digest="", blake2_256_digest=hashlib.blake2b(dist.content).hexdigest())

    assert (done.status, index.names()) == (200, [dist.filename])


def test_a_page_shows_facts_about_the_file(index: TargetIndex) -> None:
    """The page shows size, hash, Requires-Python and the hash of the metadata, which is served next to the wheel."""
    dist = wheel("demo", requires_python=">=3.9,<4")
    index.upload(dist, requires_python=">=2.7")
    (file,) = index.page()["files"]

    assert file["hashes"] == {"sha256": dist.sha256}
    assert file["size"] == len(dist.content)
    assert file["requires-python"] == ">=3.9,<4"
    assert file["core-metadata"] == {"sha256": hashlib.sha256(dist.metadata).hexdigest()}
    assert index.get(f"{address(dist)}.metadata").content == dist.metadata


def test_an_sdist_has_no_metadata_next_to_it(index: TargetIndex) -> None:
    """A build may change the metadata of an sdist, so the server does not serve it (PEP 658)."""
    dist = sdist("demo")
    index.upload(dist)

    assert "core-metadata" not in index.page()["files"][0]
    assert index.get(f"{address(dist)}.metadata").status == 404


@pytest.mark.parametrize(
    ("subject", "publisher"),
    [
        (
            "https://github.com/owner/repo.x/.github/workflows/release.yml@refs/tags/v1",
            {"kind": "GitHub", "claims": {}, "repository": "owner/repo.x", "workflow": "release.yml"},
        ),
        (
            "https://gitlab.com/group/sub/repo//.gitlab-ci.yml@refs/heads/main",
            {"kind": "GitLab", "claims": {}, "repository": "group/sub/repo", "workflow_filepath": ".gitlab-ci.yml"},
        ),
    ],
)
def test_attestations_become_the_provenance(index: TargetIndex, subject: str, publisher: dict[str, Any]) -> None:
    """Attestations are served unchanged next to the file, as a provenance of PEP 740 that verifiers can read."""
    dist = wheel("demo")
    sent = attestation(dist.filename.replace("1.0", "1.0.0"), dist.sha256, subject=subject)
    index.upload(dist, attestations=json.dumps([sent]))
    served = index.get(f"{address(dist)}.provenance").json

    assert index.page()["files"][0]["provenance"].endswith(f"{address(dist)}.provenance")
    assert served["version"] == 1
    assert served["attestation_bundles"] == [{"publisher": publisher, "attestations": [sent]}]


def test_attestations_of_an_unknown_publisher(index: TargetIndex) -> None:
    """Without a publisher that verifiers know, a file has no provenance."""
    dist = wheel("demo")
    sent = [attestation(dist.filename, dist.sha256, subject=subject) for subject in ("mail@elsewhere.example", "x")]

    assert index.upload(dist, attestations=json.dumps(sent)).status == 200
    assert index.get(f"{address(dist)}.provenance").status == 404
    assert not index.page()["files"][0].get("provenance")


SPELLINGS = [
    (wheel("my.pkg"), wheel("my.pkg", filename="My_Pkg-1.0-py3-none-any.whl")),
    (wheel("my.pkg"), wheel("my.pkg", filename="my_pkg-1.0.0-py3-none-any.whl")),
    (
        wheel("my.pkg", tag="py2.py3-none-any"),
        wheel("my.pkg", tag="py3.py2-none-any"),
    ),
    (sdist("my.pkg"), sdist("my.pkg", filename="my-pkg-1.0.tar.gz")),
    (sdist("my.pkg"), sdist("my.pkg", filename="My.Pkg-1.0.0.tar.gz")),
]


@pytest.mark.parametrize(("first", "second"), SPELLINGS, ids=[second.filename for _, second in SPELLINGS])
def test_a_second_spelling_is_the_same_file(frozen: TargetIndex, first: Distribution, second: Distribution) -> None:
    """A non-volatile index refuses another content under another spelling of a name."""
    other = replace(second, content=(wheel if second.filename.endswith("whl") else sdist)("my.pkg", seed=1).content)
    frozen.upload(first)
    same = frozen.upload(replace(second, content=first.content))
    refused = frozen.upload(other)

    assert (same.status, same.content) == (200, b"Upload of identical file to non volatile index.\n")
    assert refused.status == 409
    assert f"{other.filename} already exists in non-volatile index" in refused.message
    assert first.filename in refused.message
    assert frozen.names("my-pkg") == [first.filename]


def test_wheels_with_other_tags_are_other_files(frozen: TargetIndex) -> None:
    """Wheels with other tags or builds, and sdists, are separate files of a release."""
    dists = [
        wheel("demo"),
        wheel("demo", tag="1-py3-none-any"),
        wheel("demo", tag="2-py3-none-any"),
        wheel("demo", tag="cp313-cp313-linux_x86_64"),
        wheel("demo", tag="cp313-cp313-linux_x86_64-v2"),
        sdist("demo"),
        zipped([("demo-1.0/PKG-INFO", METADATA)], "demo-1.0.zip"),
    ]

    assert [frozen.upload(dist).status for dist in dists] == [200] * 7
    assert sorted(frozen.names()) == sorted(dist.filename for dist in dists)


def test_a_refused_upload_changes_no_version_data(frozen: TargetIndex) -> None:
    """An upload of an existing file, refused or identical, leaves the version data as it was."""
    frozen.upload(wheel("demo"), summary="first")
    before = frozen.data()

    assert frozen.upload(wheel("demo", seed=1), summary="second").status == 409
    assert frozen.upload(wheel("demo"), summary="third").status == 200
    assert frozen.data() == before


def test_version_data_comes_from_the_form_and_the_archive(index: TargetIndex) -> None:
    """The version data comes from the form; the archive supplies the fields that the form leaves out."""
    more = [
        "Author: Ann",
        "Classifier: A",
        "Classifier: B",
        "Keywords: x,y",
        "Project-URL: Home, https://demo.example/",
    ]
    index.upload(
        wheel("demo", metadata=core_metadata("demo", "1.0", summary="inside", more=more, description="Größe\n")),
        summary="outside",
        home_page="UNKNOWN",
    )
    data = index.data()

    assert (data["name"], data["version"], data["metadata_version"]) == ("demo", "1.0", "2.1")
    assert (data["summary"], data["author"], data["home_page"]) == ("outside", "Ann", "")
    assert (data["classifiers"], data["keywords"]) == (["A", "B"], "x,y")
    assert (data["project_urls"], data["description"].strip()) == (["Home, https://demo.example/"], "Größe")
    assert (data["requires_dist"], data["platform"], data["license"]) == ([], [], "")


def test_a_second_registration_replaces_only_its_fields(index: TargetIndex) -> None:
    """Registering a version again changes the fields in the form and the spelling of the name."""
    index.submit(**{":action": "submit", "name": "demo", "version": "1.0", "summary": "a", "author": "b"})
    done = index.submit(**{":action": "submit", "name": "Demo", "version": "1.0.0", "summary": "c"})
    data = index.data()

    assert done.status == 200
    assert (data["name"], data["version"]) == ("Demo", "1.0")
    assert (data["summary"], data["author"]) == ("c", "b")
    assert index.page()["versions"] == ["1.0"]
    assert index.names() == []


DOCS = zipped([("index.html", b"<h1>Demo</h1>")], "anything.zip")


@pytest.mark.parametrize(
    ("changed", "version"),
    [({}, "1.0"), ({"version": "3.0"}, "3.0"), ({"version": None}, "2.0")],
    ids=["version", "new version", "no version"],
)
def test_documentation_belongs_to_a_version(index: TargetIndex, changed: dict[str, Any], version: str) -> None:
    """Documentation belongs to the version in the form, or else to the latest, and replaces its predecessor."""
    for known in ("1.0", "2.0"):
        index.submit(**{":action": "submit", "name": "Demo", "version": known})
    fields = {":action": "doc_upload", "name": "Demo", "version": "1.0", **changed}
    fields = {key: value for key, value in fields.items() if value is not None}
    seen = []
    for dist in (DOCS, zipped([("index.html", b"<h1>More</h1>")])):
        done = index.docs(replace(dist, version=fields.get("version", "")), **fields)
        assert done.status == 200, done.content
        seen.append([link for link in index.data(version)["+links"] if link["rel"] == "doczip"])

    assert [len(links) for links in seen] == [1, 1]
    assert seen[1][0]["href"].endswith(f"/demo-{version}.doc.zip")
    assert seen[0][0]["href"] != seen[1][0]["href"]
    assert index.names() == []


@pytest.mark.parametrize(
    ("dist", "changed", "sentence"),
    [
        (DOCS, {"version": ""}, "doczip has no version and 'demo' has no releases to derive one from"),
        (DOCS, {"version": "UNKNOWN"}, "'' is not a version"),
        (replace(DOCS, content=b"x"), {}, "not a zip file that can be read"),
        (zipped([("../evil.html", b"")], "docs.zip"), {}, "own folder"),
    ],
    ids=["no version, no release", "unknown version", "not a zip", "climbing out"],
)
def test_refused_documentation(empty: TargetIndex, dist: Distribution, changed: dict[str, str], sentence: str) -> None:
    """Documentation without a version, or that is not a valid zip, is refused with the reason."""
    refused = empty.docs(dist, **changed)

    assert refused.status == 400
    assert sentence in refused.message


def test_documentation_is_not_replaced_on_a_non_volatile_index(frozen: TargetIndex) -> None:
    """A non-volatile index accepts the same documentation again, but refuses another."""
    other = zipped([("index.html", b"<h1>More</h1>")])
    statuses = [frozen.docs(dist, name="demo", version="1.0").status for dist in (DOCS, DOCS, other)]

    assert statuses == [200, 200, 409]
