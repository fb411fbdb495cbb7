"""The releases of a project on an index: their files, documentation and test results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from wheelgate_client.context import ClientContext
from wheelgate_client.packages import requirements
from wheelgate_client.packages.digests import Digest, link_digests
from wheelgate_client.server import json_values, urls

WITHOUT_BASES = "?ignore_bases="
TOX_RESULT = "toxresult"
RELEASE_FILE = "releasefile"


@dataclass(frozen=True, slots=True)
class ReleaseLink:
    """A file of a release, documentation, or the result of a test run."""

    rel: str
    """``releasefile``, ``doczip`` or ``toxresult``."""
    href: str
    digests: tuple[Digest, ...]
    """All digests that the index gives."""
    for_href: str | None
    """The tested file, for a test result."""

    @property
    def filename(self) -> str:
        """The name of the file, without directories."""
        return unquote(urlsplit(self.href).path).rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class ProjectRelease:
    """One version of a project, and its links in the order of their file names."""

    version: str
    links: tuple[ReleaseLink, ...]
    shadowed: tuple[ReleaseLink, ...]
    """Links of the same version on a base of the index, which this index hides."""

    @property
    def files(self) -> list[ReleaseLink]:
        """The sdists and wheels."""
        return [link for link in self.links if link.rel == RELEASE_FILE]

    def tox_results(self, file: ReleaseLink) -> list[ReleaseLink]:
        """Return the links to the test results of the file, the latest last."""
        return [
            link
            for link in self.links
            if link.rel == TOX_RESULT and _decoded_path(link.for_href or "") == _decoded_path(file.href)
        ]


def fetch_releases(context: ClientContext, index: str, name: str, query: str = "") -> list[ProjectRelease]:
    """Ask for the releases of a project, the newest first.

    Raises:
        ClientError: if the index has no such project, or the request fails.
    """
    url = f"{urls.join(index, requirements.normalize_name(name))}/{query}"
    versions = json_values.objects_by_name(context.api.get(url).result("projectconfig"))
    return [
        _release(version, versions[version])
        for version in sorted(versions, key=requirements.version_sort_key, reverse=True)
    ]


def release_filter(text: str) -> tuple[str, Callable[[ProjectRelease], bool]]:
    """Return the name of the project in ``text``, and a function that tells whether ``text`` allows a release.

    Raises:
        ClientError: if the text is not a requirement.
    """
    requirement = requirements.parse_requirement(text)
    return requirement.name, lambda release: requirements.allows_version(requirement, release.version)


def _release(version: str, data: dict[str, Any]) -> ProjectRelease:
    shadowing = data.get("+shadowing")
    below = [item for item in shadowing if isinstance(item, dict)] if isinstance(shadowing, list) else []
    return ProjectRelease(version, _links(data), tuple(link for item in below for link in _links(item)))


def _links(data: dict[str, Any]) -> tuple[ReleaseLink, ...]:
    return tuple(sorted(_parse_links(data.get("+links")), key=lambda link: (link.filename, link.href)))


def _parse_links(found: object) -> Iterator[ReleaseLink]:
    for link in found if isinstance(found, list) else ():
        if isinstance(link, dict) and isinstance(link.get("href"), str):
            for_href = link.get("for_href")
            yield ReleaseLink(
                str(link.get("rel")),
                link["href"],
                link_digests(link),
                for_href if isinstance(for_href, str) else None,
            )


def _decoded_path(url: str) -> str:
    """Return the part of a URL that stays the same, whether it names the server or not."""
    return unquote(urlsplit(url).path).lstrip("/")
