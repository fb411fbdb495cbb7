"""What an index says about a project: its versions, their files, and what belongs to these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from wheelgate_client.packages import requirements as specs
from wheelgate_client.server import config_values as values
from wheelgate_client.server import urls
from wheelgate_client.session import Session

NOT_INHERITED = "?ignore_bases="
RESULT = "toxresult"
FILE = "releasefile"


@dataclass(frozen=True, slots=True)
class Link:
    """A file of a release, documentation, or the result of a test run."""

    rel: str
    """``releasefile``, ``doczip`` or ``toxresult``."""
    href: str
    sha256: str | None
    for_href: str | None
    """The file that was tested."""

    @property
    def filename(self) -> str:
        """The name of the file, without anything that would lead elsewhere."""
        return unquote(urlsplit(self.href).path).rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a project, and its links in the order of their file names."""

    version: str
    links: tuple[Link, ...]
    shadowed: tuple[Link, ...]
    """Links of the same version on a base of the index, which nobody gets because this index has the version too."""

    @property
    def files(self) -> list[Link]:
        """What people install."""
        return [link for link in self.links if link.rel == FILE]

    def results(self, file: Link) -> list[Link]:
        """Return the results of the tests that the file went through, the latest last."""
        return [link for link in self.links if link.rel == RESULT and _path(link.for_href or "") == _path(file.href)]


def of_project(session: Session, index: str, name: str, query: str = "") -> list[Release]:
    """Ask for the versions of a project, the newest first.

    Raises:
        ClientError: if the index has no such project, or the server does not answer.
    """
    url = f"{urls.join(index, specs.normalised(name))}/{query}"
    versions = values.objects(session.api.get(url).result("projectconfig"))
    return [_release(version, versions[version]) for version in sorted(versions, key=specs.age, reverse=True)]


def matching(text: str) -> tuple[str, Callable[[Release], bool]]:
    """Return the name of the project that is meant, and what tells whether a release is.

    Raises:
        ClientError: if the text does not say.
    """
    requirement = specs.wanted(text)
    return requirement.name, lambda release: specs.allows(requirement, release.version)


def _release(version: str, data: dict[str, Any]) -> Release:
    shadowing = data.get("+shadowing")
    below = [item for item in shadowing if isinstance(item, dict)] if isinstance(shadowing, list) else []
    return Release(version, _links(data), tuple(link for item in below for link in _links(item)))


def _links(data: dict[str, Any]) -> tuple[Link, ...]:
    return tuple(sorted(_each_link(data.get("+links")), key=lambda link: (link.filename, link.href)))


def _each_link(found: object) -> Iterator[Link]:
    for link in found if isinstance(found, list) else ():
        if isinstance(link, dict) and isinstance(link.get("href"), str):
            hashes = link.get("hashes")
            sha256 = hashes.get("sha256") if isinstance(hashes, dict) else None
            yield Link(str(link.get("rel")), link["href"], _text(sha256), _text(link.get("for_href")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _path(url: str) -> str:
    """Return what two addresses of one file have in common, whether they name the server or not."""
    return unquote(urlsplit(url).path).lstrip("/")
