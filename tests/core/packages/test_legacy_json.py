"""The legacy JSON of projects and versions, for hosted projects, and the alias of the simple pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.helpers.distributions import core_metadata, sdist, wheel
from tests.helpers.upload_forms import upload

from wheelgate.testing.site import Site

ROOT = ("root", "")
APP = wheel(
    "My.App",
    "1.10",
    requires_python=">=3.8",
    metadata=core_metadata(
        "My.App",
        "1.10",
        summary="What it does",
        requires_python=">=3.8",
        requires_dist=["requests>=2"],
        more=[
            "Project-URL: Home, https://app.example/home",
            "Classifier: Topic :: Utilities",
            "License: MIT",
            "Provides-Extra: fast",
            "License-File: LICENSE",
            "License-File: licenses/NOTICE",
        ],
    ),
)
SOURCE, OLDER, EARLY, YANKED = (
    sdist("My.App", "1.10"),
    wheel("My.App", "1.9"),
    wheel("My.App", "2.0a1"),
    wheel("My.App", "3.0"),
)


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a server on which ``root/dev`` inherits from ``root/base``, and both have versions of a project."""
    with Site(tmp_path_factory.mktemp("hosting") / "server") as site:
        site.request("PUT", "/root/base", {}, auth=ROOT)
        site.request("PUT", "/root/dev", {"bases": "root/base"}, auth=ROOT)
        site.request("PUT", "/root/private", {"acl_read": ["root"]}, auth=ROOT)
        for index, dist in (
            ("base", OLDER),
            ("base", EARLY),
            ("base", YANKED),
            ("dev", APP),
            ("dev", SOURCE),
            ("private", APP),
        ):
            assert upload(site, f"root/{index}", dist, auth=ROOT).status == 200
        site.request("PATCH", "/root/base/my-app/3.0", {"yanked": True, "reason": "it breaks"}, auth=ROOT)
        yield site


def described(site: Site, address: str) -> dict[str, Any]:
    """Return a document."""
    answer = site.request("GET", f"/root/dev/pypi/{address}/json")
    assert answer.status == 200, answer.content
    assert answer.headers["content-type"] == "application/json"
    document: dict[str, Any] = answer.json
    return document


def files(entries: list[dict[str, Any]]) -> dict[str, str]:
    """Return the URLs of files by name."""
    return {entry["filename"]: entry["url"] for entry in entries}


def test_a_project_has_its_newest_version_and_all_files(hosting: Site) -> None:
    """``info`` describes the newest version that is neither a pre-release nor yanked; ``releases`` has all files."""
    document = described(hosting, "my-app")

    info = document["info"]
    assert (info["name"], info["version"], info["summary"]) == ("My.App", "1.10", "What it does")
    assert (info["requires_python"], info["requires_dist"]) == (">=3.8", ["requests>=2"])
    assert info["project_urls"] == {"Home": "https://app.example/home"}
    assert (info["classifiers"], info["license"]) == (["Topic :: Utilities"], "MIT")
    assert info["provides_extra"] == ["fast"]
    assert info["license_files"] == ["LICENSE", "licenses/NOTICE"]
    assert (info["yanked"], info["downloads"]["last_day"]) == (False, -1)
    assert {version: len(entries) for version, entries in document["releases"].items()} == {
        "1.9": 1,
        "1.10": 2,
        "2.0a1": 1,
        "3.0": 1,
    }
    assert document["urls"] == document["releases"]["1.10"]
    assert document["vulnerabilities"] == []


def test_a_file_is_described_and_can_be_downloaded(hosting: Site) -> None:
    """Each file has its kind, digests, size, times and an absolute URL, on the index that holds it."""
    wheel_entry, sdist_entry = sorted(described(hosting, "my-app/1.10")["urls"], key=lambda entry: entry["packagetype"])
    (older,) = described(hosting, "my-app/1.9")["urls"]

    assert (wheel_entry["packagetype"], wheel_entry["python_version"]) == ("bdist_wheel", "py3")
    assert (sdist_entry["packagetype"], sdist_entry["python_version"]) == ("sdist", "source")
    assert (wheel_entry["digests"]["sha256"], wheel_entry["size"]) == (APP.sha256, len(APP.content))
    assert wheel_entry["requires_python"] == ">=3.8"
    assert wheel_entry["upload_time_iso_8601"].startswith(wheel_entry["upload_time"])
    for entry, dist, index in ((wheel_entry, APP, "dev"), (sdist_entry, SOURCE, "dev"), (older, OLDER, "base")):
        assert entry["url"].startswith(f"http://localhost/root/{index}/+f/")
        assert hosting.request("GET", entry["url"].removeprefix("http://localhost")).content == dist.content


@pytest.mark.parametrize(
    ("address", "version", "yanked"),
    [
        ("my-app/1.9", "1.9", None),
        ("my-app/1.9.0", "1.9", None),
        ("my-app/v2.0.alpha.1", "2.0a1", None),
        ("my-app/3.0", "3.0", "it breaks"),
    ],
)
def test_a_version_has_its_own_files_only(hosting: Site, address: str, version: str, yanked: str | None) -> None:
    """A version can be spelled in every way that PEP 440 counts as the same."""
    document = described(hosting, address)

    assert (document["info"]["version"], document["info"]["yanked_reason"]) == (version, yanked)
    assert document["info"]["yanked"] is (yanked is not None)
    assert list(files(document["urls"])) == [f"my_app-{version}-py3-none-any.whl"]
    assert "releases" not in document


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/root/dev/pypi/My.App/json", 302, "../my-app/json"),
        ("/root/dev/pypi/My.App/1.9/json", 302, "../../my-app/1.9/json"),
        ("/root/dev/pypi/absent/json", 404, None),
        ("/root/dev/pypi/my-app/9.9/json", 404, None),
        ("/root/private/pypi/my-app/json", 401, None),
        ("/root/absent/pypi/my-app/json", 401, None),
        ("/root/dev/pypi", 404, None),
        ("/root/dev/pypi/1.0", 404, None),
    ],
)
def test_other_addresses(hosting: Site, path: str, status: int, location: str | None) -> None:
    """Names are redirected to their normalised form; an absent index looks like a private one."""
    answer = hosting.request("GET", path)

    assert (answer.status, answer.headers.get("location")) == (status, location)


def test_a_project_may_have_the_name_pypi(hosting: Site) -> None:
    """A project called ``pypi`` and its versions keep their addresses."""
    named = wheel("pypi", "1.0")
    assert upload(hosting, "root/base", named, auth=ROOT).status == 200

    assert list(hosting.request("GET", "/root/base/pypi").result) == ["1.0"]
    assert hosting.request("GET", "/root/base/pypi/1.0").result["version"] == "1.0"
    assert hosting.request("GET", "/root/base/pypi/pypi/json").json["info"]["version"] == "1.0"


INSTALLER = {"Accept": "application/vnd.pypi.simple.v1+json, text/html; q=0.1", "User-Agent": "pip/26.0"}


@pytest.mark.parametrize("headers", [INSTALLER, {}], ids=["installer", "any client"])
@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/root/dev/simple", "+simple/"),
        ("/root/dev/simple/", "../+simple/"),
        ("/root/dev/simple/my-app", "../+simple/my-app/"),
        ("/root/dev/simple/my-app/", "../../+simple/my-app/"),
    ],
)
def test_simple_is_an_alias(hosting: Site, path: str, location: str, headers: dict[str, str]) -> None:
    """The address of the simple pages on other servers leads to the right one."""
    answer = hosting.request("GET", path, headers=headers)

    assert (answer.status, answer.headers.get("location")) == (302, location)


def test_a_project_may_have_the_name_simple(hosting: Site) -> None:
    """Clients that are no installers reach a project called ``simple``; installers find it below ``+simple``."""
    assert upload(hosting, "root/base", wheel("simple", "1.0"), auth=ROOT).status == 200

    assert list(hosting.request("GET", "/root/base/simple").result) == ["1.0"]
    assert hosting.request("GET", "/root/base/simple/1.0").result["version"] == "1.0"
    assert hosting.request("GET", "/root/base/+simple/simple/", headers=INSTALLER).status == 200
