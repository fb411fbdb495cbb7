"""The legacy JSON of projects on a mirror."""

from __future__ import annotations

import json

import pytest
from tests.helpers import distributions
from tests.helpers.loop_steps import MAX_STEPS_ON_LOOP, steps_on_loop
from tests.helpers.simple_pages import SIMPLE_JSON
from tests.helpers.upstream import Fault, Upstream
from tests.plugins.mirror.conftest import Mirror


def test_a_mirrored_project_is_described_with_few_requests(mirror: Mirror, upstream: Upstream) -> None:
    """The server asks the upstream for the page, and for the metadata of the newest version only."""
    for version in ("1.0", "1.1", "2.0"):
        upstream.add(distributions.wheel("abc", version, summary=f"Summary of {version}"))
    upstream.add(distributions.sdist("abc", "1.0"))
    mirror.set(mirror_cache_expiry=3600)

    document = mirror.site.request("GET", f"{mirror.path}/pypi/abc/json").json

    assert (document["info"]["version"], document["info"]["summary"]) == ("2.0", "Summary of 2.0")
    assert {version: len(files) for version, files in document["releases"].items()} == {"1.0": 2, "1.1": 1, "2.0": 1}
    assert upstream.count() == 2


def test_files_are_listed_if_their_metadata_are_missing(mirror: Mirror, upstream: Upstream) -> None:
    """If the upstream does not send the metadata, ``info`` has what the page says."""
    made = upstream.add(distributions.wheel("abc", "1.0", requires_python=">=3.9"), metadata_sha256="0" * 64)

    document = mirror.site.request("GET", f"{mirror.path}/pypi/abc/1.0/json").json

    assert (document["info"]["name"], document["info"]["requires_python"]) == ("abc", ">=3.9")
    assert [entry["digests"]["sha256"] for entry in document["urls"]] == [made.sha256]


@pytest.mark.parametrize(
    "path",
    [
        *(pytest.param(path, marks=pytest.mark.slow) for path in ("abc", "abc/1.7", "pypi/abc/1.7/json")),
        "pypi/abc/json",
    ],
)
def test_large_projects_are_described_in_a_thread(mirror: Mirror, upstream: Upstream, path: str) -> None:
    """The event loop does not describe the files of a large project itself, in legacy JSON or in devpi's."""
    names = [f"abc-1.{number}.tar.gz" for number in range(2000)]
    files = [{"filename": name, "url": name, "hashes": {}} for name in names]
    page = {"meta": {"api-version": "1.0"}, "name": "abc", "files": files}
    upstream.faults["/simple/abc/"] = Fault(body=json.dumps(page).encode(), headers={"Content-Type": SIMPLE_JSON})

    steps, answer = steps_on_loop(lambda: mirror.site.request("GET", f"{mirror.path}/{path}"))

    assert answer.status == 200
    assert steps < MAX_STEPS_ON_LOOP
