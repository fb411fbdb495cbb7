"""Fixtures of these tests: servers without sockets, and mirrors of a real upstream."""

from __future__ import annotations

from typing import Any

import pytest
from tests.helpers.commands import run  # noqa: F401
from tests.helpers.distributions import Distribution
from tests.helpers.postgres import postgres  # noqa: F401
from tests.helpers.s3 import object_store  # noqa: F401
from tests.helpers.simple_pages import SIMPLE_JSON
from tests.helpers.sites import fresh, numbers, serve, serve_shared, shared, site, template  # noqa: F401
from tests.helpers.upstream import Upstream, upstream  # noqa: F401

from wheelgate.packages import normalize
from wheelgate.testing.site import Response, Site

ROOT = ("root", "")


class Mirror:
    """A mirror on a site, with the requests that installers send."""

    def __init__(self, on: Site, path: str, **config: Any) -> None:
        self.site = on
        self.path = path
        created = on.request("PUT", path, {"type": "mirror", **config}, auth=ROOT)
        assert created.status == 200, created.content

    def set(self, **config: Any) -> None:
        """Change its configuration."""
        assert self.site.request("PATCH", self.path, config, auth=ROOT).status == 200

    def page(self, name: str = "") -> Response:
        """Return the answer for a project's page, or for the list of all projects."""
        return self.site.request(
            "GET", f"{self.path}/+simple/{name}{'/' if name else ''}", headers={"Accept": SIMPLE_JSON}
        )

    def names(self) -> list[str]:
        """Return the names of all projects."""
        return [entry["name"] for entry in self.page().json["projects"]]

    def files(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the files on a project's page by name."""
        answer = self.page(name)
        assert answer.status == 200, answer.content
        return {entry["filename"]: entry for entry in answer.json["files"]}

    def address(self, dist: Distribution) -> str:
        """Return the address of a file on its project's page."""
        url: str = self.files(normalize(dist.name))[dist.filename]["url"]
        return self.path + url.removeprefix("../..")

    def get(self, dist: Distribution, suffix: str = "") -> Response:
        """Download a file, or the metadata or provenance next to it."""
        return self.site.request("GET", self.address(dist) + suffix)

    def refresh(self, name: str) -> None:
        """Make the mirror ask its upstream again."""
        assert self.site.request("POST", f"{self.path}/+simple/{name}/refresh").status == 302


@pytest.fixture
def mirror(shared: Site, fresh: str, upstream: Upstream) -> Mirror:  # noqa: F811
    """Return a new mirror that asks its upstream at every request."""
    mirror = Mirror(shared, f"/root/{fresh}", mirror_url=upstream.url, mirror_cache_expiry=0)
    # The upstream of an earlier test may have had the same port, which then has a pause; a refresh ends it.
    mirror.refresh("any")
    return mirror
