"""The releases on a simple index (PEP 503, PEP 691), read by a mirror of it in a temporary server.

So its pages, hashes and limits are those of every mirror, and nothing of it is visible before it is added.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO
from urllib.parse import quote, urlsplit, urlunsplit

from wheelgate.errors import BadInput, Conflict, NotFound
from wheelgate.moving.adding.offers import Offer, upload_time
from wheelgate.packages import File, PackageSource, Project, Redirect, StoredFile, normalize
from wheelgate.server import Server
from wheelgate.services.opened_server import OpenedServer
from wheelgate.values import ROOT, Index

DOWNLOAD_POLL_SECONDS = 0.02
"""Pause between two looks at a download."""
MIRROR_TYPE = "mirror"
"""The index type that reads a simple index; a plugin provides it."""


class SimpleIndex:
    """A simple index as a source."""

    def __init__(self, opened: OpenedServer, url: str, login: tuple[str, str] | None, projects: Sequence[str]) -> None:
        """Add the mirror to a temporary server.

        Args:
            opened: the temporary server.
            url: the URL that one would give to ``pip --index-url``.
            login: name and password, if the index needs them.
            projects: the names of the projects to read; none stands for all that the index lists.

        Raises:
            BadInput: the URL is malformed, or contains a login of its own.
            Forbidden: this server may not connect to its host.
            Conflict: the plugin for mirrors is not installed.
        """
        kind = next((each for each in opened.index_types if each.name == MIRROR_TYPE), None)
        if kind is None or kind.packages is None:
            raise Conflict("--from-simple needs the plugin 'mirror', which is left out")
        config = {"mirror_url": with_login(url, login), "volatile": True, "mirror_cache_expiry": -1}
        opened.server.outgoing.policy.check_url(url)
        self._server: Server = opened.server
        self._source: PackageSource = kind.packages
        self._index = Index(ROOT, "source", MIRROR_TYPE, config)
        self._names = [normalize(name) for name in projects]
        with opened.server.database.transaction():
            opened.server.indices.create(self._index)

    def names(self) -> Iterable[str]:
        """Return the names of the projects to read.

        Raises:
            BackendUnavailable: the index does not answer, or does not list its projects.
        """
        return self._names or self._source.projects(self._index).names

    def offers(self, name: str) -> list[Offer]:
        """Return the files of a project.

        Raises:
            NotFound: the index does not have it.
            BackendUnavailable: the index does not answer, or its page cannot be used.
        """
        project = self._source.project(self._index, name)
        if project is None:
            raise NotFound(f"the index has no project '{name}'")
        return [self._offer(project, file) for file in project.files]

    def _offer(self, project: Project, file: File) -> Offer:
        return Offer(
            file.name,
            project.name,
            file.version,
            partial(self._opened, project.name, file),
            file.hashes.get("sha256", ""),
            bool(file.hashes),
            upload_time(file.upload_time),
            file.requires_python or "",
            file.yanked,
            partial(self._source.provenance, self._index, file.path) if file.provenance else None,
        )

    @contextmanager
    def _opened(self, project: str, file: File) -> Iterator[BinaryIO]:
        """Download and verify a file, and remove it from the temporary server at the end."""
        found = self._source.open(self._index, file.path)
        if isinstance(found, Redirect):
            raise Conflict("the mirror does not download it")
        if not isinstance(found, StoredFile):
            while not found.available()[1]:
                time.sleep(DOWNLOAD_POLL_SECONDS)
            found = found.stored()
        with self._server.files.open(found) as content:
            yield content
        with self._server.database.transaction():
            self._source.delete(self._index, project, path=file.path)


def with_login(url: str, login: tuple[str, str] | None) -> str:
    """Return a URL with a login in it, as ``mirror_url`` has it.

    Raises:
        BadInput: the URL is malformed, or has a login already, which other users of this machine could see.
    """
    try:
        parts = urlsplit(url)
        malformed = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        malformed = True
    if malformed or not url.isprintable() or " " in url:
        raise BadInput("--from-simple: expected the URL of a simple index, such as https://packages.example/simple/")
    if "@" in parts.netloc:
        raise BadInput("--from-simple: the URL has a login; use --username and --password-stdin instead")
    if login is None:
        return url
    name, password = (quote(part, safe="") for part in login)
    return urlunsplit(parts._replace(netloc=f"{name}:{password}@{parts.netloc}"))
