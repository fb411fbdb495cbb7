"""Uploads to hosted indices: which files are taken, what is read in them, and what everything else is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from tests.helpers.distributions import Distribution, core_metadata, sdist, wheel
from tests.helpers.hostile_archives import HOSTILE, METADATA, two_parts, zipped
from tests.helpers.upload_forms import address, submit, upload

from wheelgate.testing.site import Answer, Site

JSON = {"Accept": "application/json"}
SIMPLE = {"Accept": "application/vnd.pypi.simple.v1+json"}


@dataclass(frozen=True, slots=True)
class Place:
    """An index, and who may upload to it."""

    site: Site
    path: str
    auth: tuple[str, str]

    def upload(self, dist: Distribution, **changed: str) -> Answer:
        """Upload a file."""
        return upload(self.site, self.path, dist, self.auth, **changed)

    def submit(self, **fields: str) -> Answer:
        """Send a form without a file."""
        return submit(self.site, self.path, self.auth, **fields)

    def docs(self, dist: Distribution, **changed: str) -> Answer:
        """Upload a zip as documentation."""
        return self.upload(dist, **{":action": "doc_upload", "sha256_digest": "", **changed})

    def page(self, project: str = "demo") -> Any:
        """Return the simple page of a project."""
        return self.site.request("GET", f"/{self.path}/+simple/{project}/", headers=SIMPLE).json

    def names(self, project: str = "demo") -> list[str]:
        """Return the names of a project's files."""
        return [file["filename"] for file in self.page(project).get("files", ())]

    def data(self, version: str = "1.0", project: str = "demo") -> Any:
        """Return the data of a version."""
        return self.site.request("GET", f"/{self.path}/{project}/{version}", headers=JSON).result

    def get(self, path: str) -> Answer:
        """Read something below the index."""
        return self.site.request("GET", f"/{self.path}/{path}")


@pytest.fixture
def place(shared: Site, fresh: str) -> Place:
    """Return a new index that files may be replaced on."""
    return new_place(shared, fresh, {})


@pytest.fixture
def frozen(shared: Site, fresh: str) -> Place:
    """Return a new index that keeps what it has."""
    return new_place(shared, f"{fresh}-frozen", {"volatile": False})


def new_place(site: Site, name: str, config: Mapping[str, Any]) -> Place:
    """Make an index of root's, who may upload to it."""
    assert site.request("PUT", f"/root/{name}", {"acl_upload": ["root"], **config}, auth=("root", "")).status == 200
    return Place(site, f"root/{name}", ("root", ""))


TAKEN = {
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
    "sdist of old": sdist("My.Pkg", filename="My.Pkg-1.0.tar.gz"),
    "sdist with dashes": sdist("my-pkg", filename="my-pkg-1.0.tar.gz"),
    "sdist with a dash in its version": sdist("demo", "1.0-1", filename="demo-1.0-1.tar.gz"),
    "sdist with a name that ends in a number": sdist("demo-2", "1.0", filename="demo-2-1.0.tar.gz"),
    "sdist as a zip": zipped([("demo-1.0/PKG-INFO", METADATA)], "demo-1.0.zip"),
    "another spelling of the version": wheel("demo", "1.0.0-alpha", filename="demo-1.0.0a0-py3-none-any.whl"),
    "metadata 1.0": wheel("demo", metadata=b"Metadata-Version: 1.0\nName: demo\nVersion: 1.0\n"),
    "metadata 2.6": wheel("demo", metadata=b"Metadata-Version: 2.6\nName: demo\nVersion: 1.0\nImport-Name: demo\n"),
    "metadata of the future": wheel("demo", metadata=b"Metadata-Version: 2.9\nName: demo\nVersion: 1.0\nNew: x\n"),
    "a link within": sdist("demo", links={"demo-1.0/README": "docs/../pyproject.toml"}),
    "an sdist in two parts": two_parts(),
}


@pytest.mark.parametrize("dist", TAKEN.values(), ids=TAKEN)
def test_files_are_taken(place: Place, dist: Distribution) -> None:
    """What build tools make, and made, is listed under its own name and served as it came."""
    done = place.upload(dist)

    assert (done.status, done.content) == (200, b"")
    assert place.names(dist.name.lower().replace(".", "-")) == [dist.filename]
    assert place.get(address(dist)).content == dist.content


NAMES = [
    ("demo-1.0.txt", "'demo-1.0.txt' is not a valid archive name: upload a wheel (.whl) or an sdist (.tar.gz)"),
    ("demo-1.0.exe", "installers for Windows are no longer taken (PEP 527)"),
    ("demo-1.0-py3.11.egg", "eggs are no longer taken (PEP 715)"),
    ("demo-1.0.tar.bz2", "is not a valid archive name"),
    ("demo-1.0.WHL", "is not a valid archive name"),
    (".whl", "is not a valid archive name"),
    ("../demo-1.0-py3-none-any.whl", "is not a valid archive name"),
    ("a/demo-1.0-py3-none-any.whl", "is not a valid archive name"),
    ("demo-1.0-py3-none-any.whl\\x", "is not a valid archive name"),
    ("d\u00e9mo-1.0-py3-none-any.whl", "is not a valid archive name"),
    (f"demo-1.0-py3-none-{'a' * 240}.whl", "is not a valid archive name"),
    ("demo-1.0.whl", "NAME-VERSION-PYTHON-ABI-PLATFORM.whl"),
    ("demo-1.0-py3-none-any-a-b-c.whl", "NAME-VERSION-PYTHON-ABI-PLATFORM.whl"),
    ("demo-1.0-py3-none-any-VARIANT.whl", "NAME-VERSION-PYTHON-ABI-PLATFORM.whl"),
    ("demo-1.0-.-none-any.whl", "NAME-VERSION-PYTHON-ABI-PLATFORM.whl"),
    ("demo-1.0-" + ".".join("a" * 20) + "-" + ".".join("b" * 20) + "-" + ".".join("c" * 20) + ".whl", "NAME-VERSION-P"),
    ("other-1.0-py3-none-any.whl", "does not match project name 'demo'"),
    ("demo_x-1.0-py3-none-any.whl", "does not match project name 'demo'"),
    ("demo-2.0-py3-none-any.whl", "does not contain version '1.0'"),
    ("demo-1.0+local-py3-none-any.whl", "does not contain version '1.0'"),
    ("other-1.0.tar.gz", "does not match project name 'demo'"),
    ("demo.tar.gz", "does not match project name 'demo'"),
    ("demo-2.0.tar.gz", "does not contain version '1.0'"),
    ("demo-1.0.tar.gz.tar.gz", "does not contain version '1.0'"),
    ("demo-.tar.gz", "does not contain version '1.0'"),
]


@pytest.mark.parametrize(("filename", "sentence"), NAMES, ids=[name[:40] for name, _ in NAMES])
def test_names_are_refused(place: Place, filename: str, sentence: str) -> None:
    """A name that is no wheel's or sdist's, or that of another project or version, is refused with the reason."""
    refused = place.upload(replace(wheel("demo"), filename=filename))

    assert refused.status == 400
    assert sentence in refused.message
    assert place.names() == []


@pytest.mark.parametrize(("make", "sentence"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_archives_are_refused(place: Place, make: Callable[[], Distribution], sentence: str) -> None:
    """A broken or hostile archive is refused with the reason, and nothing of it is kept or shown."""
    dist = make()

    refused = place.upload(dist)

    assert refused.status == 400
    assert sentence in refused.message
    assert dist.filename in refused.message
    assert place.names() == []
    assert place.get(address(dist)).status == 404


CONTENTS = [
    (b"", "no Metadata-Version"),
    (b"\xff\xfe\x00", "no Metadata-Version"),
    (b"Metadata-Version: 3.0\nName: demo\nVersion: 1.0\n", "no Metadata-Version between 1.0 and 2.6, but '3.0'"),
    (b"Metadata-Version: 2.1\nVersion: 1.0\n", "give the name '' in place of 'demo'"),
    (b"Metadata-Version: 2.1\nName: other\nVersion: 1.0\n", "give the name 'other' in place of 'demo'"),
    (b"Metadata-Version: 2.1\nName: demo\nName: demo\nVersion: 1.0\n", "give the name '' in place of 'demo'"),
    (b"Metadata-Version: 2.1\nName: demo\nVersion: 2.0\n", "give the version '2.0' in place of '1.0'"),
    (b"Metadata-Version: 2.1\nName: demo\nVersion: one\n", "'one' is not a version"),
    (b"Metadata-Version: 2.1\nName: demo\n", "'' is not a version"),
    (core_metadata("demo", "1.0", requires_python="3 or so"), "'3 or so' as Requires-Python"),
    (b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nSummary: a\0b\n", "'summary' holds signs that are no text"),
]


@pytest.mark.parametrize("make", [wheel, sdist])
@pytest.mark.parametrize(("content", "sentence"), CONTENTS, ids=[sentence[:40] for _, sentence in CONTENTS])
def test_metadata_must_agree(place: Place, make: Any, content: bytes, sentence: str) -> None:
    """What the archive says of itself must be what the upload says; else the answer tells both."""
    refused = place.upload(make("demo", metadata=content))

    assert refused.status == 400
    assert sentence in refused.message
    assert place.names() == []


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
    ({"sha256_digest": "0" * 64}, "does not have the sha256_digest that was given"),
    ({"md5_digest": "0" * 32}, "does not have the md5_digest that was given"),
    ({"blake2_256_digest": "0" * 64}, "does not have the blake2_256_digest that was given"),
    ({"md5_digest": "x" * 32}, "'md5_digest' must be a digest of 32 hexadecimal digits"),
    ({"sha256_digest": "0" * 63}, "'sha256_digest' must be a digest of 64 hexadecimal digits"),
    ({"attestations": "x"}, "the attestations cannot be used: they are no JSON"),
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
    ({":action": "explode"}, "action 'explode' not supported"),
]


@pytest.mark.parametrize(
    ("changed", "sentence"), FORMS, ids=[f"{next(iter(changed))}: {sentence[:30]}" for changed, sentence in FORMS]
)
def test_forms_are_refused(place: Place, changed: dict[str, str], sentence: str) -> None:
    """A form that cannot be meant is refused with a sentence that names the field."""
    refused = place.upload(wheel("demo"), **changed)

    assert refused.status == 400
    assert sentence in refused.message
    assert place.names() == []


def test_all_digests_are_checked_and_kept(place: Place) -> None:
    """Digests that fit are taken in either case of their letters, and shown with the version."""
    dist = wheel("demo")
    md5 = hashlib.md5(dist.content).hexdigest()
    blake = hashlib.blake2b(dist.content, digest_size=32).hexdigest()

    done = place.upload(dist, sha256_digest=dist.sha256.upper(), md5_digest=md5.upper(), blake2_256_digest=blake)

    assert done.status == 200
    assert place.data()["+links"][0]["hashes"] == {"sha256": dist.sha256, "md5": md5, "blake2_256": blake}


def test_a_page_says_what_is_in_the_file(place: Place) -> None:
    """Size, hash, time, Requires-Python and the metadata's hash stand on the page, the metadata beside the wheel."""
    dist = wheel("demo", requires_python=">=3.9,<4")
    place.upload(dist, requires_python=">=2.7")
    (file,) = place.page()["files"]

    assert file["hashes"] == {"sha256": dist.sha256}
    assert file["size"] == len(dist.content)
    assert file["requires-python"] == ">=3.9,<4"
    assert file["core-metadata"] == {"sha256": hashlib.sha256(dist.metadata).hexdigest()}
    assert place.get(f"{address(dist)}.metadata").content == dist.metadata


def test_an_sdist_has_no_metadata_beside_it(place: Place) -> None:
    """What an sdist says may change when it is built, so it is not promised (PEP 658)."""
    dist = sdist("demo")
    place.upload(dist)

    assert "core-metadata" not in place.page()["files"][0]
    assert place.get(f"{address(dist)}.metadata").status == 404


def test_attestations_become_the_provenance(place: Place) -> None:
    """Attestations are served beside the file, as they came, in the envelope that PEP 740 wants."""
    dist = wheel("demo")
    attestation = {
        "version": 1,
        "verification_material": {"certificate": "MII", "transparency_entries": [{}]},
        "envelope": {"statement": "e30=", "signature": "MEU="},
    }
    place.upload(dist, attestations=json.dumps([attestation]))
    served = place.get(f"{address(dist)}.provenance").json

    assert place.page()["files"][0]["provenance"].endswith(f"{address(dist)}.provenance")
    assert served["version"] == 1
    assert [bundle["attestations"] for bundle in served["attestation_bundles"]] == [[attestation]]


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
def test_a_second_spelling_is_the_same_file(frozen: Place, first: Distribution, second: Distribution) -> None:
    """On an index that keeps what it has, another spelling of a name is no way around that."""
    other = replace(second, content=(wheel if second.filename.endswith("whl") else sdist)("my.pkg", seed=1).content)
    frozen.upload(first)
    same = frozen.upload(replace(second, content=first.content))
    refused = frozen.upload(other)

    assert (same.status, same.content) == (200, b"Upload of identical file to non volatile index.\n")
    assert refused.status == 409
    assert f"{other.filename} already exists in non-volatile index" in refused.message
    assert first.filename in refused.message
    assert frozen.names("my-pkg") == [first.filename]


def test_files_that_differ_stand_side_by_side(frozen: Place) -> None:
    """Wheels of other tags or builds, and an sdist, are files of their own."""
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


def test_a_refused_upload_changes_no_version_data(frozen: Place) -> None:
    """If a file is refused because it is there, the version keeps the data that it had."""
    frozen.upload(wheel("demo"), summary="first")
    before = frozen.data()

    assert frozen.upload(wheel("demo", seed=1), summary="second").status == 409
    assert frozen.upload(wheel("demo"), summary="third").status == 200
    assert frozen.data() == before


def test_version_data_come_from_the_form_and_the_archive(place: Place) -> None:
    """What the form leaves out is read in the archive; what it says holds."""
    more = [
        "Author: Ann",
        "Classifier: A",
        "Classifier: B",
        "Keywords: x,y",
        "Project-URL: Home, https://demo.example/",
    ]
    place.upload(
        wheel("demo", metadata=core_metadata("demo", "1.0", summary="inside", more=more, description="Größe\n")),
        summary="outside",
        home_page="UNKNOWN",
    )
    data = place.data()

    assert (data["name"], data["version"], data["metadata_version"]) == ("demo", "1.0", "2.1")
    assert (data["summary"], data["author"], data["home_page"]) == ("outside", "Ann", "")
    assert (data["classifiers"], data["keywords"]) == (["A", "B"], "x,y")
    assert (data["project_urls"], data["description"].strip()) == (["Home, https://demo.example/"], "Größe")
    assert (data["requires_dist"], data["platform"], data["license"]) == ([], [], "")


def test_only_what_is_sent_again_is_replaced(place: Place) -> None:
    """To register a version once more changes the fields that the form has, and the spelling of the name."""
    place.submit(**{":action": "submit", "name": "demo", "version": "1.0", "summary": "a", "author": "b"})
    done = place.submit(**{":action": "submit", "name": "Demo", "version": "1.0.0", "summary": "c"})
    data = place.data()

    assert done.status == 200
    assert (data["name"], data["version"]) == ("Demo", "1.0")
    assert (data["summary"], data["author"]) == ("c", "b")
    assert place.page()["versions"] == ["1.0"]
    assert place.names() == []


DOCS = zipped([("index.html", b"<h1>Demo</h1>")], "anything.zip")


@pytest.mark.parametrize(
    ("changed", "version"),
    [({}, "1.0"), ({"version": "3.0"}, "3.0"), ({"version": None}, "2.0")],
    ids=["version", "new version", "no version"],
)
def test_documentation_belongs_to_a_version(place: Place, changed: dict[str, Any], version: str) -> None:
    """Documentation goes to the version that it names, or else to the latest, and replaces what was there."""
    for known in ("1.0", "2.0"):
        place.submit(**{":action": "submit", "name": "Demo", "version": known})
    fields = {":action": "doc_upload", "name": "Demo", "version": "1.0", **changed}
    fields = {key: value for key, value in fields.items() if value is not None}
    seen = []
    for dist in (DOCS, zipped([("index.html", b"<h1>More</h1>")])):
        done = place.docs(replace(dist, version=fields.get("version", "")), **fields)
        assert done.status == 200, done.content
        seen.append([link for link in place.data(version)["+links"] if link["rel"] == "doczip"])

    assert [len(links) for links in seen] == [1, 1]
    assert seen[1][0]["href"].endswith(f"/demo-{version}.doc.zip")
    assert seen[0][0]["href"] != seen[1][0]["href"]
    assert place.names() == []


@pytest.mark.parametrize(
    ("dist", "changed", "sentence"),
    [
        (DOCS, {"version": ""}, "doczip has no version and 'demo' has no releases to derive one from"),
        (DOCS, {"version": "UNKNOWN"}, "'' is not a version"),
        (replace(DOCS, content=b"x"), {}, "not a zip file that can be read"),
        (zipped([("../evil.html", b"")], "docs.zip"), {}, "own folder"),
    ],
    ids=["no version, no release", "unknown version", "no zip", "climbing out"],
)
def test_documentation_is_refused(place: Place, dist: Distribution, changed: dict[str, str], sentence: str) -> None:
    """Documentation that belongs to no version, or is no sound zip, is refused with a sentence."""
    refused = place.docs(dist, **changed)

    assert refused.status == 400
    assert sentence in refused.message


def test_documentation_stays_on_an_index_that_keeps_it(frozen: Place) -> None:
    """Where nothing is replaced, documentation is not either."""
    other = zipped([("index.html", b"<h1>More</h1>")])
    statuses = [frozen.docs(dist, name="demo", version="1.0").status for dist in (DOCS, DOCS, other)]

    assert statuses == [200, 200, 409]
