"""Where views read: the stores and the package sources, with caches that all callers share."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import suppress
from datetime import datetime

from wheelgate.caches import LruCache
from wheelgate.errors import NotFound
from wheelgate.http.handler_context import HandlerContext
from wheelgate.packages import PackageSource, Release, latest_version
from wheelgate.server_view import IndexView, ProjectView
from wheelgate.services.index_json import index_config
from wheelgate.services.indices import Indices
from wheelgate.services.packages.inheritance import Resolution
from wheelgate.services.packages.merging import IndexMerger
from wheelgate.services.packages.sources import Sources
from wheelgate.services.users import Users
from wheelgate.store.protocols import UserStore
from wheelgate.store.serial_cache import SerialCache
from wheelgate.values import Index, User

OWNER_CACHE_ENTRIES = 2000
"""Users whose indices are cached."""
PROJECT_CACHE_ENTRIES = 5000
"""Projects whose line in a list is cached; each takes some 500 bytes."""
LIST_CACHE_ENTRIES = 500
"""Indices whose list of projects is cached."""
MAX_CACHED_NAMES = 2000
"""Names in a list of projects; a longer one is read again each time."""
MAX_SUMMARY_CHARS = 500


class ViewSources:
    """Reads for all views. The methods may be called in any thread."""

    def __init__(
        self,
        context: HandlerContext,
        store: UserStore,
        users: Users,
        indices: Indices,
        merger: IndexMerger,
        sources: Sources,
    ) -> None:
        self.context = context
        self.merger = merger
        self.sources = sources
        self._store = store
        self._users = users
        self._indices = indices
        self._names: SerialCache[None, list[str]] = SerialCache(1)
        self._all: SerialCache[None, Sequence[Index]] = SerialCache(1)
        self._owned: SerialCache[str, list[Index]] = SerialCache(OWNER_CACHE_ENTRIES)
        self._lists: LruCache[str, tuple[Hashable, Sequence[str]]] = LruCache(LIST_CACHE_ENTRIES)
        self._projects: LruCache[tuple[str, str], tuple[Hashable, ProjectView]] = LruCache(PROJECT_CACHE_ENTRIES)

    def user_names(self) -> list[str]:
        """Return the names of all users, sorted."""
        serial = self.context.read_serial()
        return self._names.get_or_make(serial, None, lambda: sorted(user.name for user in self._store.list()))

    def user_of(self, name: str) -> User:
        """Return a user. Raise ``NotFound`` if there is none."""
        return self._users.get(name)

    def users_of(self, names: Sequence[str]) -> list[User]:
        """Return the users of these names, without those who were deleted in the meantime."""
        found = []
        for name in names:
            with suppress(NotFound):
                found.append(self._users.get(name))
        return found

    def owned_by(self, names: Sequence[str]) -> list[Index]:
        """Return the indices of some users."""
        serial = self.context.read_serial()
        found: list[Index] = []
        for name in names:
            owned = self._owned.get(serial, name)
            if owned is None:
                owned = self._indices.owned_by(name)
                self._owned.put(serial, name, owned)
            found += owned
        return found

    def all_indices(self) -> Sequence[Index]:
        """Return all indices, sorted by path."""
        return self._all.get_or_make(self.context.read_serial(), None, self._indices.list_all)

    def index_view(self, index: Index) -> IndexView:
        """Return an index as views show it."""
        source = self.sources.of(index)
        config = {key: value for key, value in index_config(index).items() if key != "type"}
        return IndexView(index.owner, index.name, index.type, config, source is not None and source.last)

    def project_names(self, index: Index) -> Sequence[str] | None:
        """Return the names of an index's own projects, sorted; None for a mirror, which would ask its upstream."""
        source = self.sources.of(index)
        if source is None:
            return ()
        if source.last:
            return None
        stamp = source.stamp(index)
        known = self._lists.get(index.path)
        if known is not None and known[0] == (index, stamp):
            return known[1]
        names = sorted(source.projects(index).names)
        if len(names) <= MAX_CACHED_NAMES:
            self._lists.put(index.path, ((index, stamp), names))
        return names

    def project_view(self, index: Index, name: str) -> ProjectView:
        """Return the line of a project in the list of its index."""
        source = self.sources.of(index)
        if source is None:
            return ProjectView(name, "", "", None)
        stamp = index.type, source.stamp(index, name)
        known = self._projects.get((index.path, name))
        if known is not None and known[0] == stamp:
            return known[1]
        view = view_of_project(index, name, source.releases(index, name))
        self._projects.put((index.path, name), (stamp, view))
        return view

    def hosts(self, resolution: Resolution, name: str) -> bool:
        """Return whether an index or one of its bases hosts a project; mirrors are not asked."""
        return any(
            not layer.source.last and has_project(layer.source, layer.index, name) for layer in resolution.layers
        )


def has_project(source: PackageSource, index: Index, name: str) -> bool:
    """Return whether an index has a project."""
    return source.project(index, name) is not None


def view_of_project(index: Index, name: str, releases: Sequence[Release]) -> ProjectView:
    """Return the line of a project."""
    by_version = {release.version: release for release in releases}
    yanked = {version for version, release in by_version.items() if release.metadata.get("yanked") is not None}
    latest = latest_version(by_version, yanked)
    summary = by_version[latest].metadata.get("summary") if latest else None
    uploads = [time for release in releases for time in upload_times(index, release)]
    return ProjectView(name, latest, str(summary or "")[:MAX_SUMMARY_CHARS], max(uploads, default=None))


def upload_times(index: Index, release: Release) -> list[datetime]:
    """Return when the files of a release came to an index; times on other indices may be hidden."""
    files = [file for file in release.files if file.rel == "releasefile"]
    return [entry.when for file in files for entry in file.log if entry.dst == index.path]
