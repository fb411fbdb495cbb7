"""Digests in the links of HTML pages (PEP 503): every form that installers read is verified, and none is dropped."""

from __future__ import annotations

import hashlib
import json

import pytest
from tests.helpers import distributions
from tests.helpers.simple_pages import SIMPLE_JSON
from tests.helpers.upstream import Fault, Upstream
from tests.plugins.mirror.conftest import Mirror

WHEEL = distributions.wheel("abc", "1.0")
SHA256, MD5 = WHEEL.sha256, hashlib.md5(WHEEL.content, usedforsecurity=False).hexdigest()
OTHER = "0" * 64


def link(upstream: Upstream, fragment: str, attributes: str = "", more: str = "") -> None:
    """Let the page of the project have a link with this fragment, and more."""
    upstream.add(WHEEL)
    text = f'<html><a href="../../files/{WHEEL.filename}{fragment}" {attributes}>{WHEEL.filename}</a>{more}</html>'
    upstream.faults["/simple/abc/"] = Fault(body=text.encode(), headers={"Content-Type": "text/html"})


READ = {
    "alone": ("#sha256={sha256}", {"sha256": SHA256}),
    "before others": ("#sha256={sha256}&amp;egg=abc&subdirectory=x", {"sha256": SHA256}),
    "after egg": ("#egg=abc-1.0&sha256={sha256}", {"sha256": SHA256}),
    "after subdirectory": ("#subdirectory=a/b&amp;sha256={sha256}", {"sha256": SHA256}),
    "a trailing blank": ("#sha256={sha256} ", {"sha256": SHA256}),
    "blanks everywhere": ("# egg = abc & sha256 = {sha256} ", {"sha256": SHA256}),
    "a line break": ("#sha256={sha256}\n", {"sha256": SHA256}),
    "an encoded blank": ("#sha256={sha256}%20", {"sha256": SHA256}),
    "percent-encoded": ("#egg%3Dabc%26sha256%3D{sha256}", {"sha256": SHA256}),
    "capitals": ("#SHA256={SHA256}", {"sha256": SHA256}),
    "a second fragment": ("#egg=abc#sha256={sha256}", {"sha256": SHA256}),
    "two hashes": ("#md5={md5}&sha256={sha256}", {"md5": MD5, "sha256": SHA256}),
    "the same twice": ("#sha256={sha256}&sha256={SHA256}", {"sha256": SHA256}),
    "md5 only": ("#egg=abc&md5={md5}", {"md5": MD5}),
    "none": ("#egg=abc&subdirectory=x", {}),
    "an empty one": ("#sha256=", {}),
}


@pytest.mark.parametrize(("fragment", "hashes"), READ.values(), ids=READ)
def test_a_digest_is_read_wherever_it_stands(
    mirror: Mirror, upstream: Upstream, fragment: str, hashes: dict[str, str]
) -> None:
    """The page of the mirror has all digests of a link."""
    link(upstream, fragment.format(sha256=SHA256, SHA256=SHA256.upper(), md5=MD5))
    assert mirror.files("abc")[WHEEL.filename]["hashes"] == hashes
    assert mirror.get(WHEEL).content == WHEEL.content


VERIFIED = {name: fragment for name, (fragment, hashes) in READ.items() if hashes}


@pytest.mark.parametrize("fragment", VERIFIED.values(), ids=VERIFIED)
def test_another_file_is_not_passed_on(mirror: Mirror, upstream: Upstream, fragment: str) -> None:
    """A file that does not match a digest of its link is refused."""
    link(upstream, fragment.format(sha256=OTHER, SHA256=OTHER, md5=OTHER[:32]))

    assert mirror.get(WHEEL).status == 502


INVALID = {
    "too short": "#sha256=12",
    "not hexadecimal": "#egg=abc&md5=" + "x" * 32,
    "followed by text": "#sha256={sha256};egg=abc",
    "one of two": "#sha256={sha256}&md5=12",
    "two that differ": "#sha256={sha256}&sha256=" + OTHER,
}


@pytest.mark.parametrize("fragment", INVALID.values(), ids=INVALID)
@pytest.mark.parametrize("more", ["", f'<a href="../../files/{WHEEL.filename}"></a>'], ids=["alone", "twice"])
def test_a_file_with_an_invalid_digest_is_left_out(
    mirror: Mirror, upstream: Upstream, fragment: str, more: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A text in place of a digest is not a file without digests, since that could be any file; the log names it."""
    link(upstream, fragment.format(sha256=SHA256), more=more)

    answer = mirror.page("abc")

    assert answer.status == 502
    assert f"so these files are left out: '{WHEEL.filename}'" in caplog.text
    port = upstream.root.rsplit(":", 1)[1].strip("/")
    for path in (f"+e/http_127.0.0.1_{port}_files", f"+f/{SHA256[:3]}/{SHA256[3:16]}"):
        assert mirror.site.request("GET", f"{mirror.path}/{path}/{WHEEL.filename}").status in (404, 502)


def test_json_does_not_replace_a_file_with_an_invalid_digest(mirror: Mirror, upstream: Upstream) -> None:
    """A second entry of that name, without hashes, is left out too."""
    entries = [{"filename": "abc-1.0.zip", "url": "x", "hashes": hashes} for hashes in ({"sha256": "12"}, {})]
    body = json.dumps({"name": "abc", "files": entries}).encode()
    upstream.faults["/simple/abc/"] = Fault(body=body, headers={"Content-Type": SIMPLE_JSON})

    assert mirror.files("abc") == {}


METADATA_SHA256 = hashlib.sha256(WHEEL.metadata).hexdigest()
METADATA = {
    "with a digest": "sha256={sha256}",
    "in capitals": " SHA256={SHA256} ",
    "with two": "md5=" + "1" * 32 + "&sha256={sha256}",
}


@pytest.mark.parametrize("value", METADATA.values(), ids=METADATA)
@pytest.mark.parametrize(("sha256", "status"), [(METADATA_SHA256, 200), (OTHER, 502)], ids=["right", "wrong"])
def test_the_digest_of_metadata_is_read_too(
    mirror: Mirror, upstream: Upstream, value: str, sha256: str, status: int
) -> None:
    """Metadata next to a file is verified if the link has its digest, in any form."""
    given = value.format(sha256=sha256, SHA256=sha256.upper())
    link(upstream, f"#sha256={SHA256}", f'data-core-metadata="{given}"')

    assert mirror.files("abc")[WHEEL.filename]["core-metadata"] == {"sha256": sha256}
    assert mirror.get(WHEEL, ".metadata").status == status


@pytest.mark.parametrize("value", ["sha256=12", "md5=" + "1" * 32, "sha256={sha256};x", "false"])
def test_metadata_that_cannot_be_verified_is_left_out(mirror: Mirror, upstream: Upstream, value: str) -> None:
    """Installers then read the metadata in the file itself."""
    link(upstream, f"#sha256={SHA256}", f'data-dist-info-metadata="{value.format(sha256=SHA256)}"')

    assert "core-metadata" not in mirror.files("abc")[WHEEL.filename]
    assert mirror.get(WHEEL, ".metadata").status == 404
