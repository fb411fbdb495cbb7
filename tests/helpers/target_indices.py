"""Indices that tests upload to, with the login of a user who may, and fixtures that make them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from tests.helpers.distributions import Distribution
from tests.helpers.simple_pages import SIMPLE_JSON
from tests.helpers.upload_forms import submit, upload

from wheelgate.testing.site import Response, Site

ACCEPT_JSON = {"Accept": "application/json"}
ACCEPT_SIMPLE = {"Accept": SIMPLE_JSON}


@dataclass(frozen=True, slots=True)
class TargetIndex:
    """An index, with the login of a user who may upload to it."""

    site: Site
    path: str
    auth: tuple[str, str]

    def upload(self, dist: Distribution, **changed: str) -> Response:
        """Upload a file."""
        return upload(self.site, self.path, dist, self.auth, None, **changed)

    def submit(self, **fields: str) -> Response:
        """Register a version: send a form without a file."""
        return submit(self.site, self.path, self.auth, **fields)

    def docs(self, dist: Distribution, **changed: str) -> Response:
        """Upload a zip as documentation."""
        return self.upload(dist, **{":action": "doc_upload", "sha256_digest": "", **changed})

    def page(self, project: str = "demo") -> Any:
        """Return the simple page of a project."""
        return self.site.request("GET", f"/{self.path}/+simple/{project}/", headers=ACCEPT_SIMPLE).json

    def names(self, project: str = "demo") -> list[str]:
        """Return the names of a project's files."""
        return [file["filename"] for file in self.page(project).get("files", ())]

    def data(self, version: str = "1.0", project: str = "demo") -> Any:
        """Return the data of a version."""
        return self.site.request("GET", f"/{self.path}/{project}/{version}", headers=ACCEPT_JSON).result

    def get(self, path: str) -> Response:
        """Return the answer for a path below the index."""
        return self.site.request("GET", f"/{self.path}/{path}")


@pytest.fixture
def index(shared: Site, fresh: str) -> TargetIndex:
    """Return a new volatile index."""
    return new_index(shared, fresh, {})


@pytest.fixture(scope="module")
def empty(shared: Site, numbers: Iterator[int]) -> TargetIndex:
    """Return an index for all tests whose uploads are refused."""
    return new_index(shared, f"empty{next(numbers)}", {})


@pytest.fixture
def frozen(shared: Site, fresh: str) -> TargetIndex:
    """Return a new index that is not volatile."""
    return new_index(shared, f"{fresh}-frozen", {"volatile": False})


def new_index(site: Site, name: str, config: Mapping[str, Any]) -> TargetIndex:
    """Create an index of root, who may upload to it."""
    assert site.request("PUT", f"/root/{name}", {"acl_upload": ["root"], **config}, auth=("root", "")).status == 200
    return TargetIndex(site, f"root/{name}", ("root", ""))
