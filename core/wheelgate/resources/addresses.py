"""The URL map: every address of the server, with the resource that answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wheelgate.fields import IndexType
from wheelgate.files.sending import FileReader
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.router import MergedResource
from wheelgate.identity.wiring import Identity
from wheelgate.metrics.shared_memory import SharedNumbers
from wheelgate.plugin_host.circuit import CircuitBreaker
from wheelgate.plugin_host.discovery import InstalledPlugin
from wheelgate.plugin_host.vetoes import Vetoes
from wheelgate.providers import Route
from wheelgate.resources.api import ApiResource
from wheelgate.resources.can import CanResource
from wheelgate.resources.files import FileResource
from wheelgate.resources.health import HealthResource, ReadinessResource
from wheelgate.resources.indices import IndexResource
from wheelgate.resources.legacy_json import LegacyJsonResource
from wheelgate.resources.login import LoginResource, LogoutResource
from wheelgate.resources.metrics import MetricsResource
from wheelgate.resources.openapi import OpenApiResource
from wheelgate.resources.projects import ProjectResource
from wheelgate.resources.push import PushResource
from wheelgate.resources.refresh import RefreshResource
from wheelgate.resources.release_changes import (
    ChangeAccess,
    FileChangesResource,
    ProjectChangesResource,
    VersionChangesResource,
)
from wheelgate.resources.root import RootResource
from wheelgate.resources.simple import SimpleListResource, SimplePages, SimpleProjectResource
from wheelgate.resources.status import AuthCheckResource, StatusResource
from wheelgate.resources.upload import UploadResource
from wheelgate.resources.users import UserResource
from wheelgate.resources.whoami import WhoamiResource
from wheelgate.resources.why import WhyResource
from wheelgate.server import Server
from wheelgate.services.indices import Indices
from wheelgate.services.packages.inheritance import Inheritance
from wheelgate.services.packages.merging import IndexMerger
from wheelgate.services.packages.page_cache import PageCache
from wheelgate.services.packages.sources import Sources
from wheelgate.services.passwords import Passwords
from wheelgate.services.releases.uploads import Uploads
from wheelgate.services.users import Users
from wheelgate.store.access import StoreAccess
from wheelgate.threads.pool import ThreadPool


@dataclass(frozen=True, slots=True)
class ThreadPools:
    """The thread pools of request handlers, one for each kind of work."""

    hashing: ThreadPool
    sending: ThreadPool
    pushing: ThreadPool


@dataclass(frozen=True, slots=True)
class AccountServices:
    """The services that change users and indices."""

    users: Users
    indices: Indices
    passwords: Passwords


@dataclass(frozen=True, slots=True)
class PackageServices:
    """The services that read and change packages."""

    sources: Sources
    merger: IndexMerger
    inheritance: Inheritance
    pages: PageCache
    reader: FileReader
    vetoes: Vetoes
    uploads: Uploads


@dataclass(frozen=True, slots=True)
class ServerDescription:
    """The facts that the server publishes about itself."""

    version: str
    details: Mapping[str, Any]
    """Entries of ``/+status`` for callers with the permission ``status_read``."""
    plugins: Sequence[InstalledPlugin]
    breakers: Sequence[CircuitBreaker]
    features: Sequence[str]
    index_types: Sequence[IndexType]
    metrics: SharedNumbers
    """The numbers of all workers."""
    routes: Sequence[tuple[str, Route]]
    """The routes of plugins, each with the name of its plugin."""


def url_map(
    context: HandlerContext,
    server: Server,
    access: StoreAccess,
    identity: Identity,
    accounts: AccountServices,
    packages: PackageServices,
    description: ServerDescription,
    pools: ThreadPools,
) -> dict[str, object]:
    """Return the resource of each address template, without the addresses of plugins."""
    config, files, sources = server.config, server.files, packages.sources
    users, indices, passwords = accounts.users, accounts.indices, accounts.passwords
    sessions = identity.sessions
    change_access = ChangeAccess(context, indices, sources)

    api = ApiResource(context, indices, description.features)
    login = LoginResource(context, identity.identifier, identity.accounts, identity.authentication, sessions)
    authcheck = AuthCheckResource(context, require_login=config["require-login"])
    plugin_versions = {each.distribution: each.version for each in description.plugins}
    # Clients of devpi look for its server's name.
    versions = {"devpi-server": description.version, "wheelgate": description.version, **plugin_versions}
    status = StatusResource(context, versions, description.plugins, description.breakers, description.details)
    openapi = OpenApiResource(description.index_types, description.routes, description.version)
    user = UserResource(context, users, indices, access, sessions, pools.hashing, passwords)
    simple = SimplePages(context, packages.pages, absolute=config["absolute-urls"])
    project = ProjectResource(context, packages.merger)
    legacy_json = LegacyJsonResource(context, packages.merger, sources)
    file = FileResource(context, packages.inheritance, sources, access, packages.reader, pools.sending)
    stored = MergedResource(file, FileChangesResource(change_access, sources, files, server.packages))
    push = PushResource(context, indices, sources, files, server.outgoing, packages.vetoes, pools.pushing)
    upload = UploadResource(context, indices, packages.uploads, push)
    return {
        "/": RootResource(context, server.users, server.indices, access),
        "/+api": api,
        "/+login": login,
        "/+logout": LogoutResource(context, sessions, identity.state),
        "/+authcheck": authcheck,
        "/+status": status,
        "/+healthz": HealthResource(),
        "/+readyz": ReadinessResource(context, server.database, files.backend, pools.sending),
        "/+metrics": MetricsResource(context, description.metrics, description.version, config["metrics-from"]),
        "/+whoami": WhoamiResource(context),
        "/+can": CanResource(context, identity.accounts),
        "/+openapi": openapi,
        "/{user}": user,
        "/{user}/+api": api,
        "/{user}/{index}": MergedResource(IndexResource(context, users, indices, sources), upload, push),
        "/{user}/{index}/+api": api,
        "/{user}/{index}/+simple": SimpleListResource(context, simple),
        "/{user}/{index}/+simple/{project}": SimpleProjectResource(context, simple),
        "/{user}/{index}/+simple/{project}/refresh": RefreshResource(context, sources),
        "/{user}/{index}/+why/{project}": WhyResource(context, packages.merger),
        "/{user}/{index}/+f/{first}/{second}/{name}": stored,
        "/{user}/{index}/+e/{folder}/{name}": stored,
        "/{user}/{index}/pypi/{project}/json": legacy_json,
        "/{user}/{index}/pypi/{project}/{version}/json": legacy_json,
        "/{user}/{index}/{project}": MergedResource(project, ProjectChangesResource(change_access)),
        "/{user}/{index}/{project}/{version}": MergedResource(project, VersionChangesResource(change_access)),
    }
