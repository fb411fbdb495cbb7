"""What a plugin's route can read: users, indices and packages, as far as its caller may see them.

Every method of :class:`ServerView` answers for the caller of the request, as the HTTP API would: a private index does
not exist for those who may not read it, and a refusal has the API's sentence. All methods are synchronous. Call them in
threads only, such as those of routes, and not inside a transaction.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote

from wheelgate.packages import File, Release
from wheelgate.values import Resource, User, Verdict

T = TypeVar("T")

MAX_LISTING_ENTRIES = 200
"""Entries that one listing may have."""
UNQUOTED_IN_ADDRESS = "/+!@,=~"
"""Characters of a path that an address contains unquoted, apart from letters, digits and ``-._~``."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A part of a sorted list."""

    entries: tuple[T, ...]
    total: int | None
    """The entries of the whole list that the caller may see; None if plugins would have to be asked about each."""
    previous: str | None = None
    """The value of ``after`` for the part before this one; None if this is the first part."""
    next: str | None = None
    """The value of ``after`` for the next part; None if this is the last one."""


@dataclass(frozen=True, slots=True)
class IndexView:
    """An index that the caller may read."""

    owner: str
    name: str
    type: str
    config: Mapping[str, Any]
    """The configuration as the API shows it: without ``type``, and with asterisks in place of the secrets in URLs."""
    mirror: bool
    """Whether its packages come from an upstream, so that the server does not list them."""
    inherits: tuple[str, ...] = ()
    """The paths of all indices that it inherits from, in the order in which the server asks them."""

    @property
    def path(self) -> str:
        """The path of the index, ``owner/name``."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class UserView:
    """A user whom the caller may look at."""

    user: User
    indices: tuple[IndexView, ...]
    """The user's indices that the caller may read, sorted by name; without ``inherits``."""


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project in the list of a hosted index."""

    name: str
    """The normalised name."""
    latest: str
    """The version of :func:`wheelgate.packages.latest_version`."""
    summary: str
    last_upload: datetime | None
    """None if no file has a history."""


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file of a project, with the index that it comes from."""

    index: str
    """The path of the index, ``owner/name``."""
    file: File

    @property
    def address(self) -> str:
        """The quoted path of the file on this server; it begins with a slash."""
        return file_address(self.index, self.file.path)


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """A project with all files that installers get, as its simple page has them."""

    name: str
    files: tuple[ServedFile, ...]
    """In the order of the indices, and of each index the oldest version first. None of a quarantined project."""
    versions: tuple[str, ...]
    """All versions of all indices, also those without files."""
    status: str
    """One of :data:`wheelgate.packages.STATUSES`; that of the first index which has the project."""
    status_reason: str
    stale: bool
    """Whether an upstream does not answer, so that files may be missing."""
    until: float | None
    """When an index has to be asked again, in seconds since 1970; None if only changes matter."""
    held_back: tuple[tuple[str, str], ...]
    """Of each index that leaves out files: its path, and a clause that says which and why."""


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version of a project, with the data that each index has of it."""

    version: str
    index: str
    """The path of the first index that has it."""
    release: Release
    """What that index has. The history of the files does not name indices that the caller must not know of."""
    shadowed: tuple[tuple[str, Release], ...] = ()
    """What further indices have of the same version, by their paths."""


@dataclass(frozen=True, slots=True)
class IndexAnswer:
    """The part of one index in a project; see ``devpi why``."""

    index: str
    """The path of the index."""
    type: str
    state: str
    """``served``, ``hidden``, ``absent`` or ``unavailable``."""
    versions: tuple[str, ...]
    files: int
    reason: str
    absent_until: str | None = None
    """Until when the server remembers that an upstream does not have the project."""


class ServerView(Protocol):
    """Reads for the caller of a request.

    A method raises what the API answers with: ``NotFound``, ``NotAuthenticated``, ``Forbidden``, and
    ``BackendUnavailable`` if a database or an upstream does not answer. Lists begin after the entry ``after``, which
    need not exist, and hold at most ``limit`` entries that begin with ``prefix``. They raise ``ValueError`` if
    ``limit`` is not from 1 to :data:`MAX_LISTING_ENTRIES`. Every method raises ``RuntimeError`` on the event loop.
    """

    @abstractmethod
    def users(self, prefix: str = "", after: str = "", limit: int = 50) -> Listing[UserView]:
        """Return users, sorted by name, as ``GET /`` lists them."""

    @abstractmethod
    def user(self, name: str) -> UserView:
        """Return one user, as ``GET /{user}`` shows it."""

    @abstractmethod
    def indices(self, owner: str, prefix: str = "", after: str = "", limit: int = 50) -> Listing[IndexView]:
        """Return the indices of a user, sorted by name, as ``GET /{user}`` lists them; without ``inherits``."""

    @abstractmethod
    def readable(self) -> tuple[str, ...]:
        """Return the paths of all indices that the caller may read, sorted: what a search may look through.

        A token that is for some projects only may still not read the others there.
        """

    @abstractmethod
    def index(self, path: str) -> IndexView:
        """Return the index ``owner/name``. No upstream is asked."""

    @abstractmethod
    def projects(self, path: str, prefix: str = "", after: str = "", limit: int = 100) -> Listing[ProjectView]:
        """Return the own projects of the index ``path``, sorted by name, without those of its bases.

        The list of a mirror is empty, with a ``total`` of None: no upstream is asked.
        """

    @abstractmethod
    def project_counts(self, paths: Sequence[str]) -> Mapping[str, int]:
        """Return how many own projects each of these indices has.

        Mirrors are left out, and so are the indices whose list the caller may not read.
        """

    @abstractmethod
    def releases(self, path: str, project: str) -> tuple[VersionView, ...]:
        """Return all versions of a project on the index ``path`` and its bases, the newest first.

        ``project`` may be spelled in any way. A mirror knows little of a version: read its metadata with
        :meth:`metadata`.
        """

    @abstractmethod
    def metadata(self, path: str, project: str, version: str) -> Mapping[str, Any]:
        """Return the core metadata of a version, with the keys of version data; empty if there are none.

        They come from the first index that has any. Of a mirror, that may fetch the metadata of one file.
        """

    @abstractmethod
    def files(self, path: str, project: str) -> ProjectFiles:
        """Return the files of a project on the index ``path`` and its bases, as its simple page lists them."""

    @abstractmethod
    def serves(self, path: str, projects: Sequence[str]) -> frozenset[str]:
        """Return which of these projects the index ``path`` serves to the caller, by their normalised names.

        Only hosted indices are asked, and mirrors about nothing: they would have to ask their upstream.
        """

    @abstractmethod
    def why(self, path: str, project: str) -> tuple[IndexAnswer, ...]:
        """Explain the part of each index in a project, in the order in which the server asks them."""

    @abstractmethod
    def stamp(self, path: str, project: str = "") -> object:
        """Return a value that changes with every change of a project on the index ``path`` and its bases.

        Without a project it stands for the list of projects. Two stamps are equal only if nothing has changed that
        :meth:`releases`, :meth:`files` and :meth:`projects` show, but for what ``ProjectFiles.until`` announces. It is
        cheap: use it to keep what you have made of them.
        """

    @abstractmethod
    def may(self, permission: str, resource: Resource) -> Verdict:
        """Return whether the caller has a permission on a resource, and why.

        The configuration of an existing index is filled in. Raises ``ValueError`` if no plugin defines the permission.
        """


def file_address(index: str, path: str) -> str:
    """Return the quoted path of a file on this server, from the path of its index and its path below that."""
    return quote(f"/{index}/{path}", UNQUOTED_IN_ADDRESS)
