"""A server with packages in memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.memory_indices import Shelves, ShelvesPlugin
from tests.helpers.sites import ROOT_BEHIND_PROXY, Serve
from tests.helpers.upstream import upstream  # noqa: F401

from wheelgate.testing.site import Response, Site

ROOT = ("root", "")
JSON = "application/vnd.pypi.simple.v1+json"


@dataclass
class Shelved:
    """A server with the index types ``near`` (like a stage) and ``far`` (like a mirror)."""

    site: Site
    plugin: ShelvesPlugin = field(default_factory=ShelvesPlugin)

    @property
    def near(self) -> Shelves:
        """The packages of indices that are asked first."""
        return self.plugin.near

    @property
    def far(self) -> Shelves:
        """The packages of indices that are asked last."""
        return self.plugin.far

    def index(self, name: str, kind: str = "near", **config: Any) -> str:
        """Create an index of root, with bases by name; return its path."""
        if "bases" in config:
            config["bases"] = [f"root/{base}" for base in config["bases"]]
        created = self.site.request("PUT", f"/root/{name}", {"type": kind, **config}, auth=self.root)
        assert created.status == 200, created.content
        return f"root/{name}"

    @property
    def root(self) -> tuple[str, str]:
        """Root, as ``auth`` takes it."""
        return ROOT if self.site.config.loopback else ROOT_BEHIND_PROXY

    def get(self, path: str, accept: str = JSON, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
        """Send a GET request."""
        return self.site.request("GET", path, headers={"Accept": accept, **(headers or {})}, **more)

    def files(self, index: str, project: str = "abc") -> list[str]:
        """Return the files of a project's page, each with the index in its URL."""
        page = self.get(f"/root/{index}/+simple/{project}/")
        assert page.status == 200, page.content
        return [f"{file['filename']} {owner(file['url'], index)}" for file in page.json["files"]]


def owner(url: str, asked: str) -> str:
    """Return the name of the index that a relative URL on a page leads to."""
    before = url.partition("+f/")[0]
    return asked if before == "../../" else before.removeprefix("../../../").rstrip("/")


@pytest.fixture(scope="module")
def lasting(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelved]:
    """Return a server with packages in memory for all tests of a file; each test uses its own names."""
    folder = tmp_path_factory.mktemp("lasting") / "server"
    shutil.copytree(template, folder)
    plugin = ShelvesPlugin()
    with Site(folder, extra={"shelves": plugin}) as site:
        yield Shelved(site, plugin)


@pytest.fixture
def build(serve: Serve) -> Callable[..., Shelved]:
    """Return a function that starts a server with packages in memory, with options and further plugins."""

    def start(extra: Mapping[str, Any] | None = None, **options: Any) -> Shelved:
        plugin = ShelvesPlugin()
        return Shelved(serve(extra={"shelves": plugin, **(extra or {})}, **options), plugin)

    return start


@pytest.fixture
def shelved(build: Callable[..., Shelved]) -> Shelved:
    """Return a server with packages in memory."""
    return build()
