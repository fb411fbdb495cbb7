"""Versions of a project as JSON, with and without the bases of the index."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.core.packages.conftest import Shelved
from tests.helpers.memory_indices import project

from wheelgate.packages import LogEntry, Release, ReleaseFile, StoredFile

AT = datetime(2026, 11, 23, 0, 2, 46, 999, tzinfo=UTC)
SHA = "ab" * 32
WHEEL = "+f/aba/bababababab/abc-1.0+x-py3-none-any.whl"


def release(version: str, *links: ReleaseFile, **metadata: Any) -> Release:
    """Return a release."""
    return Release("Abc", version, {"name": "Abc", "version": version, **metadata}, links)


@pytest.fixture
def dev(shelved: Shelved) -> Shelved:
    """Return a server on which ``root/dev`` inherits from ``root/base``, and ``root/old`` had its files before."""
    shelved.index("old")
    links = (
        ReleaseFile(
            "releasefile",
            WHEEL,
            StoredFile(SHA, 5),
            {"sha256": SHA, "md5": "11"},
            (
                LogEntry("upload", "alice", AT, "root/old"),
                LogEntry("push", None, AT, "root/dev", src="root/old"),
                LogEntry("overwrite", "alice", AT, "root/dev", count=2),
            ),
        ),
        ReleaseFile("toxresult", f"{WHEEL}.toxresult-1", StoredFile(SHA, 5), {"sha256": SHA}, for_path=WHEEL),
        ReleaseFile("doczip", "+e/x/abc 1.zip", None),
    )
    shelved.index("base")
    shelved.index("dev", bases=["base"])
    shelved.near.put("root/dev", "abc", project("abc", "abc-1.0.tar.gz"))
    shelved.near.put("root/base", "abc", project("abc", "abc-1.0.tar.gz", "abc-2.0.tar.gz"))
    shelved.near.put_releases("root/dev", "abc", release("1.0+x", *links, summary="Mine", keywords=""))
    shelved.near.put_releases("root/base", "abc", release("1.0+x", summary="Other"), release("2.0"))
    return shelved


WHOLE = {
    "name": "Abc",
    "version": "1.0+x",
    "summary": "Mine",
    "keywords": "",
    "+links": [
        {
            "rel": "releasefile",
            "hash_spec": f"sha256={SHA}",
            "hashes": {"sha256": SHA, "md5": "11"},
            "href": f"http://pypi.example:8080/root/dev/{WHEEL}",
            "log": [
                {"what": "upload", "who": "alice", "when": [2026, 11, 23, 0, 2, 46], "dst": "root/old"},
                {"what": "push", "who": None, "when": [2026, 11, 23, 0, 2, 46], "dst": "root/dev", "src": "root/old"},
                {"what": "overwrite", "who": "alice", "when": [2026, 11, 23, 0, 2, 46], "dst": "root/dev", "count": 2},
            ],
        },
        {
            "rel": "toxresult",
            "hash_spec": f"sha256={SHA}",
            "hashes": {"sha256": SHA},
            "href": f"http://pypi.example:8080/root/dev/{WHEEL}.toxresult-1",
            "for_href": f"http://pypi.example:8080/root/dev/{WHEEL}",
        },
        {
            "rel": "doczip",
            "hash_spec": "",
            "hashes": {},
            "href": "http://pypi.example:8080/root/dev/+e/x/abc%201.zip",
        },
    ],
}
SHADOWED = {"+shadowing": [{"name": "Abc", "version": "1.0+x", "summary": "Other"}]}
INHERITED = {"name": "Abc", "version": "2.0"}


@pytest.mark.parametrize(
    ("path", "kind", "result"),
    [
        ("abc", "projectconfig", {"1.0+x": WHOLE | SHADOWED, "2.0": INHERITED}),
        ("abc/", "projectconfig", {"1.0+x": WHOLE | SHADOWED, "2.0": INHERITED}),
        ("abc?ignore_bases=", "projectconfig", {"1.0+x": WHOLE}),
        ("abc/1.0+x", "versiondata", WHOLE | SHADOWED),
        ("abc/1.0+x/", "versiondata", WHOLE | SHADOWED),
        ("abc/1.0+x?ignore_bases=", "versiondata", WHOLE),
        ("abc/2.0", "versiondata", INHERITED),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "*/*"])
def test_versions(dev: Shelved, path: str, kind: str, result: object, accept: str) -> None:
    """The first index that has a version gives its data, which contains that of the others; URLs are absolute."""
    answer = dev.get(f"/root/dev/{path}", accept, {"Host": "pypi.example:8080"})

    assert answer.json == {"result": result, "type": kind}
    assert answer.headers["content-type"] == "application/json"


def test_versions_of_bases_can_be_left_out(dev: Shelved) -> None:
    """A request that ignores the bases gets 404 for projects that only bases have."""
    assert dev.get("/root/dev/abc/2.0?ignore_bases=", "application/json").status == 404


@pytest.mark.parametrize("opened", [True, False])
def test_hidden_versions(shelved: Shelved, opened: bool) -> None:
    """Versions of a mirror are hidden like its files."""
    shelved.far.put(shelved.index("mirror", "far"), "abc", project("abc", "abc-9.tar.gz"))
    whitelist = "abc" if opened else ""
    shelved.near.put(
        shelved.index("dev", bases=["mirror"], mirror_whitelist=whitelist), "abc", project("abc", "abc-1.tar.gz")
    )

    assert list(shelved.get("/root/dev/abc", "application/json").result) == (["1", "9"] if opened else ["1"])
