"""The view of one caller, answered on the event loop while a thread waits."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from wheelgate.errors import NotFound, Refusal
from wheelgate.identity.identify import Caller
from wheelgate.packages import is_project_name, normalize
from wheelgate.plugin_host.budgets import ROUTE_SECONDS
from wheelgate.rights.indices import READ
from wheelgate.server_view import (
    IndexAnswer,
    IndexView,
    Listing,
    ProjectFiles,
    ProjectView,
    ServerView,
    UserView,
    VersionView,
)
from wheelgate.services.indices import index_not_found
from wheelgate.services.packages.explaining import explain
from wheelgate.services.packages.inheritance import Resolution
from wheelgate.services.packages.legacy_json import matching_version
from wheelgate.services.packages.merging import MergedProject
from wheelgate.services.packages.page_cache import projects_stamp
from wheelgate.services.packages.version_metadata import version_metadata
from wheelgate.services.packages.versions import indices_in_history
from wheelgate.values import FORBIDDEN_IN_TEXT, Resource, User, Verdict
from wheelgate.views.package_values import answers_of, files_of, views_of_versions
from wheelgate.views.paging import check_limit, plain_part, visible_part
from wheelgate.views.sources_of_views import ViewSources

T = TypeVar("T")

READABLE = Verdict(allowed=True, reason="you may read it", plugin="core")


class CallerView(ServerView):
    """Answers for one caller."""

    def __init__(self, sources: ViewSources, caller: Caller) -> None:
        """Take the parts; call it on the event loop that handles the request."""
        self._sources = sources
        self._context = sources.context
        self._caller = caller
        self._loop = asyncio.get_running_loop()

    def users(self, prefix: str = "", after: str = "", limit: int = 50) -> Listing[UserView]:
        """Return users; see :class:`ServerView`, also for the other methods."""
        check_limit(limit)
        return self._wait(self._users(prefix, after, limit))

    def user(self, name: str) -> UserView:
        """Return one user."""
        return self._wait(self._user(name))

    def indices(self, owner: str, prefix: str = "", after: str = "", limit: int = 50) -> Listing[IndexView]:
        """Return indices of a user."""
        check_limit(limit)
        found = self.user(owner).indices
        by_name = {index.name: index for index in found}
        part = plain_part(sorted(by_name), prefix, after, limit)
        return replace_entries(part, [by_name[name] for name in part.entries])

    def readable(self) -> tuple[str, ...]:
        """Return the paths of the readable indices."""
        return self._wait(self._all_readable())

    def index(self, path: str) -> IndexView:
        """Return an index."""
        resolution = self._wait(self._find(path, ""))
        view = self._sources.index_view(resolution.index)
        return replace(view, inherits=tuple(resource.path for resource in resolution.lineage[1:]))

    def projects(self, path: str, prefix: str = "", after: str = "", limit: int = 100) -> Listing[ProjectView]:
        """Return the projects of an index."""
        check_limit(limit)
        index = self._wait(self._find(path, None)).index
        names = self._sources.project_names(index)
        if names is None:
            return Listing((), None)
        part = plain_part(names, prefix, after, limit)
        return replace_entries(part, [self._sources.project_view(index, name) for name in part.entries])

    def project_counts(self, paths: Sequence[str]) -> Mapping[str, int]:
        """Return the number of projects of indices."""
        resolutions = self._wait(self._readable(paths))
        lists = {found.index.path: self._sources.project_names(found.index) for found in resolutions}
        return {path: len(names) for path, names in lists.items() if names is not None}

    def releases(self, path: str, project: str) -> tuple[VersionView, ...]:
        """Return the versions of a project."""
        found, hidden = self._wait(self._releases(path, project_name(project)))
        return views_of_versions(found, hidden)

    def metadata(self, path: str, project: str, version: str) -> Mapping[str, Any]:
        """Return the metadata of a version."""
        return self._wait(self._metadata(path, project_name(project), version))

    def files(self, path: str, project: str) -> ProjectFiles:
        """Return the files of a project."""
        return files_of(self._wait(self._project(path, project_name(project))))

    def serves(self, path: str, projects: Sequence[str]) -> frozenset[str]:
        """Return which projects an index serves."""
        names = [normalize(project) for project in projects if is_project_name(project)]
        readable = self._wait(self._readable_projects(path, names))
        return frozenset(name for name, resolution in readable if self._sources.hosts(resolution, name))

    def why(self, path: str, project: str) -> tuple[IndexAnswer, ...]:
        """Explain the part of each index in a project."""
        return answers_of(self._wait(self._why(path, project_name(project))))

    def stamp(self, path: str, project: str = "") -> object:
        """Return a value that changes with a project."""
        name = project_name(project) if project else ""
        resolution = self._wait(self._find(path, name or None))
        return resolution.index, projects_stamp(resolution, name)

    def may(self, permission: str, resource: Resource) -> Verdict:
        """Return whether the caller has a permission."""
        return self._wait(self._may(permission, resource))

    def _wait(self, asking: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the event loop while this thread waits."""
        if is_on_event_loop():
            asking.close()
            raise RuntimeError("'view' waits for the event loop: use it in threads only, such as those of routes")
        return asyncio.run_coroutine_threadsafe(asking, self._loop).result(ROUTE_SECONDS)

    async def _users(self, prefix: str, after: str, limit: int) -> Listing[UserView]:
        context = self._context
        await context.require(self._caller, "user_list", Resource("server"))
        names = await context.read_stores(self._sources.user_names)
        if context.rights.hides_nothing("user_read"):
            part = plain_part(names, prefix, after, limit)
        else:
            part = await visible_part(names, prefix, after, limit, self._visible_users)
        users = await context.read_stores(self._sources.users_of, part.entries)
        return replace_entries(part, await self._with_indices(users))

    async def _visible_users(self, names: Sequence[str]) -> list[str]:
        resources = [Resource("user", name, name) for name in names]
        seen = await self._context.rights.visible(self._caller.principal, "user_read", resources)
        return [name for name, is_visible in zip(names, seen, strict=True) if is_visible]

    async def _user(self, name: str) -> UserView:
        await self._context.require(self._caller, "user_read", Resource("user", name, name))
        if FORBIDDEN_IN_TEXT.search(name):
            raise NotFound(f"no user {name!a}")
        user = await self._context.read_stores(self._sources.user_of, name)
        (view,) = await self._with_indices([user])
        return view

    async def _with_indices(self, users: Sequence[User]) -> list[UserView]:
        """Return users with those of their indices that the caller may read."""
        owned = await self._context.read_stores(self._sources.owned_by, [user.name for user in users])
        if not await self._context.read_stores(self._context.index_rights.all_public):
            owned = await self._context.index_rights.visible(self._caller, owned)
        views: dict[str, list[IndexView]] = {user.name: [] for user in users}
        for index in sorted(owned, key=lambda index: index.name):
            views[index.owner].append(self._sources.index_view(index))
        return [UserView(user, tuple(views[user.name])) for user in users]

    async def _all_readable(self) -> tuple[str, ...]:
        found = await self._context.read_stores(self._sources.all_indices)
        if not await self._context.read_stores(self._context.index_rights.all_public):
            found = await self._context.index_rights.visible(self._caller, found)
        return tuple(index.path for index in found)

    async def _find(self, path: str, project: str | None) -> Resolution:
        """Return an index that the caller may read; ``project`` is as in :class:`Resource`."""
        owner, _, name = path.partition("/")
        if "/" in name or FORBIDDEN_IN_TEXT.search(path):
            raise index_not_found(owner, name)
        return await self._context.index_rights.find(self._caller, owner, name, project=project)

    async def _readable(self, paths: Sequence[str]) -> list[Resolution]:
        """Return the indices whose whole list of projects the caller may read."""
        found = []
        for path in paths:
            with suppress(Refusal):  # the others are counted all the same
                found.append(await self._find(path, None))
        return found

    async def _readable_projects(self, path: str, names: Sequence[str]) -> list[tuple[str, Resolution]]:
        """Return the projects that the caller may read on an index that it may read."""
        await self._find(path, "")
        found = []
        for name in names:
            with suppress(Refusal):  # a token may be for some of the projects
                found.append((name, await self._find(path, name)))
        return found

    async def _releases(self, path: str, name: str) -> tuple[Any, frozenset[str]]:
        resolution = await self._find(path, name)
        try:
            found = await self._sources.merger.releases(resolution, name)
        except NotFound as absence:
            raise NotFound(f"no project '{name}'", remembered_until=absence.remembered_until) from None
        others = indices_in_history(found) - {resolution.index.path}
        return found, await self._context.index_rights.unnamed(self._caller, others)

    async def _project(self, path: str, name: str) -> MergedProject:
        return await self._sources.merger.project(await self._find(path, name), name)

    async def _metadata(self, path: str, name: str, version: str) -> Mapping[str, Any]:
        page = await self._project(path, name)
        found = matching_version(page.versions, version)
        if not found:
            raise NotFound(f"project {name} has no version {ascii(version)[1:-1][:200]}")
        return await version_metadata(self._sources.sources, page, found)

    async def _why(self, path: str, name: str) -> Mapping[str, Any]:
        return await explain(self._sources.merger, await self._find(path, name), name)

    async def _may(self, permission: str, resource: Resource) -> Verdict:
        rights = self._context.rights
        if not rights.is_known(permission):
            raise ValueError(f"no plugin defines the permission '{permission}'")
        if resource.kind == "index" and permission != "index_create":
            owner, name = str(resource.owner), resource.name
            found = await self._context.index_rights.find(self._caller, owner, name, permission, resource.project)
            if permission == READ:
                return READABLE
            resource = replace(resource, config=found.index.config)
        return await rights.decide(self._caller.principal, permission, resource)


def replace_entries(part: Listing[Any], entries: Sequence[T]) -> Listing[T]:
    """Return a part of a list with other entries."""
    return Listing(tuple(entries), part.total, part.previous, part.next)


def project_name(text: str) -> str:
    """Return the normalised name of a project. Raise ``NotFound`` if no project can have such a name."""
    if not is_project_name(text):
        raise NotFound(f"no project '{ascii(text)[1:-1][:200]}'")
    return normalize(text)


def is_on_event_loop() -> bool:
    """Return whether this thread runs an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
