"""All the wiring, readable from top to bottom: settings and plugins in, an ASGI application out."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from typing import Any

import falcon.asgi

from wheelgate.config import Config
from wheelgate.errors import BadInput, Forbidden
from wheelgate.files.sending import FileReader
from wheelgate.http.answers import JSON_TYPE, CommonHeaders
from wheelgate.http.errors import ErrorHandlers
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.proxy_headers import ProxyHeaders
from wheelgate.http.require_login import RequireLogin
from wheelgate.http.router import MergedResource, Router
from wheelgate.identity.authentication import Authentication
from wheelgate.identity.external_users import Presence
from wheelgate.identity.groups import Groups
from wheelgate.identity.identify import Identifier
from wheelgate.identity.limiter import Limiter
from wheelgate.identity.sessions import Sessions
from wheelgate.identity.tokens import Tokens
from wheelgate.plugin_host.discovery import Implementation, Plugins, in_order, refuse_own
from wheelgate.plugin_host.events import Events
from wheelgate.plugin_host.vetoes import Objections
from wheelgate.resources.api import ApiResource
from wheelgate.resources.files import FileResource
from wheelgate.resources.indices import IndexResource
from wheelgate.resources.login import LoginResource, LogoutResource
from wheelgate.resources.openapi import OpenApiResource
from wheelgate.resources.plugin_routes import add_plugin_routes
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
from wheelgate.resources.why import WhyResource
from wheelgate.rights.decision import Rights
from wheelgate.rights.indices import IndexRights
from wheelgate.rights.permissions import CORE_PERMISSIONS
from wheelgate.server import Server
from wheelgate.services.indices import Indices
from wheelgate.services.packages.inheritance import Inheritance
from wheelgate.services.packages.merging import IndexMerger
from wheelgate.services.packages.page_cache import PageCache
from wheelgate.services.packages.page_renderer import PageRenderer
from wheelgate.services.packages.sources import Sources
from wheelgate.services.passwords import Passwords
from wheelgate.services.principals import Principals
from wheelgate.services.provisioning import Provisioning, autocreating_authenticators
from wheelgate.services.releases.uploads import Uploads
from wheelgate.services.users import Users
from wheelgate.store.access import StoreAccess
from wheelgate.store.cached_users import CachedUsers
from wheelgate.store.database import Database
from wheelgate.store.group_commit import GroupCommit
from wheelgate.store.keys import derive_key
from wheelgate.store.server_state import ServerState
from wheelgate.threads.pool import Pool, Provider
from wheelgate.values import Principal, RequestInfo, Token

VERSION = metadata.version("wheelgate")

AUTHENTICATOR_BUDGET = 5.0
POLICY_BUDGET = 1.0
ROUTE_BUDGET = 30.0
SENDING_THREADS = 8
PUSHING_THREADS = 4
GATHERING = 0.001
"""Seconds that an upload waits for others, as the files of one release come; the disk takes longer than that."""
CORE_FEATURES = (
    "push-no-docs",
    "push-only-docs",
    "push-register-project",
    "server-keyvalue-parsing",
    "yank",
    "why",
    "project-status",
)


class Application:
    """What a worker runs: the ASGI application, and what has to be closed after it."""

    def __init__(self, config: Config, plugins: Plugins) -> None:
        """Open the database, let the plugins bring their parts, and put everything together.

        Raises:
            StartupError: a plugin fails, or two of them want the same place.
        """
        database = Database(config.database_url)
        database.open()
        server = Server(config, database)
        server.users = plugins.only("wheelgate_user_store", "a store of users", needed=True, server=server)
        server.indices = plugins.only("wheelgate_index_store", "a store of indices", needed=True, server=server)
        state = ServerState(database)

        self._database = database
        self.server = server
        self.files = server.files
        self._hashing = Pool("hashing", config["hash-concurrency"], niceness=10)
        # SQLite takes one writer at a time; more threads would only wait for each other.
        self._storing = Pool("store", 1 if database.kind == "sqlite" else 4)
        self._events = Events(server, plugins.implementations("wheelgate_on_event"))

        instant = database.instant and server.users.instant and server.indices.instant
        access = StoreAccess(database, self._storing, instant=instant)
        access.serial = database.serial()
        self._access = access
        cached_users = CachedUsers(server.users, access)

        secret = config.secret_path.read_bytes()
        sessions = Sessions(secret, state.uuid, config["session-lifetime"])
        authenticators = ordered_providers(
            plugins, "wheelgate_authenticators", config["auth-order"], "--auth-order", server, AUTHENTICATOR_BUDGET
        )
        handlers = ordered_providers(
            plugins, "wheelgate_token_handlers", (), "", server, AUTHENTICATOR_BUDGET, self._storing
        )
        group_sources = ordered_providers(
            plugins, "wheelgate_group_sources", (), "", server, AUTHENTICATOR_BUDGET, self._storing
        )
        extractors = ordered_providers(
            plugins,
            "wheelgate_credential_extractors",
            config["extractor-order"],
            "--extractor-order",
            server,
            POLICY_BUDGET,
        )
        authentication = Authentication(authenticators, self._hashing, Limiter(), derive_key(secret, "remembered"))
        groups = Groups(group_sources, [each.name for each, _ in authenticators if not each.local])

        types = [kind for _, kind in plugins.collect("wheelgate_index_types", lambda kind: kind.name, server=server)]
        indices = Indices(server.indices, server.users, types)
        keepers = plugins.implementations("wheelgate_forget_principal")
        server.forget_principal = Principals(server, indices, keepers).forget
        users = Users(server.users, indices, cached_users, server.forget_principal)
        provisioning = Provisioning(
            server,
            users,
            indices,
            access,
            asked_hooks(plugins, "wheelgate_provision_user", AUTHENTICATOR_BUDGET),
            autocreating_authenticators(config["autocreate-users"], [each.name for each, _ in authenticators]),
            self._events.announce,
        )
        remembered = derive_key(secret, "remembered tokens")
        tokens = Tokens(handlers, cached_users, access, remembered, self._tell_of_use)
        presence = Presence(authenticators)
        identifier = Identifier(
            extractors,
            authentication,
            sessions,
            tokens,
            groups,
            presence,
            provisioning.provision,
            cached_users,
            state,
            access,
        )

        brought = plugins.collect("wheelgate_permissions", lambda permission: permission.name)
        own = {permission.name for permission in CORE_PERMISSIONS}
        refuse_own(brought, "permission", own, lambda permission: permission.name)
        permissions = [*CORE_PERMISSIONS, *(permission for _, permission in brought)]
        self.rights = rights = Rights(
            server,
            permissions,
            asked_hooks(plugins, "wheelgate_check_permission", POLICY_BUDGET),
            asked_hooks(plugins, "wheelgate_filter_visible", POLICY_BUDGET),
        )
        proxy_headers = ProxyHeaders(config["trusted-proxy"], config["outside-url"])

        self._sources = Sources(types)
        inheritance = Inheritance(indices, self._sources, access)
        hide = config["private-indices"] == "hide"
        index_rights = IndexRights(rights, inheritance, server.indices, access, hide=hide)
        context = HandlerContext(proxy_headers, identifier, rights, index_rights, access, self._events)
        self._sending = Pool("sending", SENDING_THREADS)
        self._pushing = Pool("pushes", PUSHING_THREADS)
        together = database.kind == "sqlite" and server.files.backend.instant
        self._uploading = (
            GroupCommit("uploads", access.within_transaction, gather=GATHERING, niceness=10) if together else None
        )
        reader = FileReader(server.files.backend, self._sending)
        server.files.set_sources(
            [kind.packages for kind in types if kind.packages is not None], indices.all_have_packages
        )
        hasher = plugins.only("wheelgate_password_hasher", "a password hasher", needed=False, server=server)
        objections = Objections(server, plugins.implementations("wheelgate_check_password"), BadInput)
        passwords = Passwords(hasher, objections, loopback=config.loopback)
        server.hash_password = passwords.hash
        uploadable = Objections(server, plugins.implementations("wheelgate_check_upload"), Forbidden)
        features = [*CORE_FEATURES, *(feature for _, answer in plugins.ask("wheelgate_features") for feature in answer)]

        middleware = [RequireLogin(context)] if config["require-login"] else []
        app: falcon.asgi.App[Any, Any] = falcon.asgi.App(media_type=JSON_TYPE, router=Router(), middleware=middleware)
        app.req_options.strip_url_path_trailing_slash = True
        ErrorHandlers([extractor.scheme for extractor, _ in extractors if extractor.scheme]).install(app)

        api = ApiResource(context, indices, features)
        providers = [provider for _, provider in (*extractors, *authenticators, *handlers, *group_sources)]
        app.add_route("/", RootResource(context, server.users, server.indices, access))
        app.add_route("/+api", api)
        app.add_route("/{user}/+api", api)
        app.add_route("/{user}/{index}/+api", api)
        app.add_route("/+login", LoginResource(context, identifier, authentication, sessions))
        app.add_route("/+logout", LogoutResource(context, sessions, state))
        app.add_route("/+authcheck", AuthCheckResource(context, require_login=config["require-login"]))
        app.add_route(
            "/+status", StatusResource(context, versions(plugins), plugins.found, providers, details(config, state))
        )
        routes = [(name, route) for name, answer in plugins.ask("wheelgate_routes", server=server) for route in answer]
        app.add_route("/+openapi", OpenApiResource(types, routes, VERSION))
        user_resource = UserResource(context, users, indices, access, sessions, self._hashing, passwords)
        change_access = ChangeAccess(context, indices, self._sources)
        file_resource = MergedResource(
            FileResource(context, inheritance, self._sources, access, reader, self._sending),
            FileChangesResource(change_access, self._sources, server.files),
        )
        app.add_route("/{user}/{index}/+f/{first}/{second}/{name}", file_resource)
        app.add_route("/{user}/{index}/+e/{folder}/{name}", file_resource)
        app.add_route("/{user}", user_resource)
        app.add_route("/{user}/{index}/+simple/{project}/refresh", RefreshResource(context))
        merger = IndexMerger(self._sources)
        self._pages = PageCache(access, PageRenderer(merger))
        simple = SimplePages(context, self._pages, absolute=config["absolute-urls"])
        app.add_route("/{user}/{index}/+simple", SimpleListResource(context, simple))
        app.add_route("/{user}/{index}/+simple/{project}", SimpleProjectResource(context, simple))
        app.add_route("/{user}/{index}/+why/{project}", WhyResource(context, merger))
        shown = ProjectResource(context, merger)
        app.add_route("/{user}/{index}/{project}", MergedResource(shown, ProjectChangesResource(change_access)))
        app.add_route(
            "/{user}/{index}/{project}/{version}", MergedResource(shown, VersionChangesResource(change_access))
        )
        pushes = PushResource(context, indices, self._sources, server.files, server.outgoing, uploadable, self._pushing)
        uploads = Uploads(server.files, self._sources, access, uploadable, config["max-upload"], self._uploading)
        app.add_route(
            "/{user}/{index}",
            MergedResource(
                IndexResource(context, users, indices, self._sources),
                UploadResource(context, indices, uploads, pushes),
                pushes,
            ),
        )
        add_plugin_routes(
            app,
            context,
            [
                (plugin, route, Provider(f"{plugin}{route.path}", ROUTE_BUDGET, instant=False))
                for plugin, route in routes
            ],
            frozenset(permission.name for permission in permissions),
        )
        self.asgi = CommonHeaders(app, VERSION, state.uuid, access)

    def _tell_of_use(self, token: Token, info: RequestInfo) -> None:
        """Tell the plugins that a token is in use."""
        self._events.announce("TokenUsed", Principal(token.username), info, token.username, {"token": token.id})

    def sweep(self) -> None:
        """Remove files that a crash has left. Before any worker of the server's folder begins."""
        self.files.sweep()

    def close(self) -> None:
        """End what is under way and close the database."""
        if self._uploading is not None:
            self._uploading.close()
        self._access.close()
        self._storing.close()
        self._hashing.close()
        self._events.close()
        self._sources.close()
        self._pages.close()
        self._sending.close()
        self._pushing.close()
        self.files.close()
        self._database.close()


def ordered_providers(
    plugins: Plugins,
    hook: str,
    order: Sequence[str],
    option: str,
    server: Server,
    budget: float,
    storing: Pool | None = None,
) -> list[tuple[Any, Provider]]:
    """Collect the providers of a hook in their order, each with the way to call it.

    With ``storing``, those that ask the server's own database and nothing else do so in the threads that it has.
    """
    things = [thing for _, thing in plugins.collect(hook, lambda thing: thing.name, server=server)]
    found = []
    for thing in in_order(things, order, option):
        instant = getattr(thing, "instant", False)
        stored = not instant and (getattr(thing, "live", False) or getattr(thing, "local", False))
        pool = storing if stored else None
        found.append((thing, Provider(thing.name, budget, instant=instant, patient=False, pool=pool)))
    return found


def asked_hooks(plugins: Plugins, hook: str, budget: float) -> list[tuple[Implementation, Provider]]:
    """Collect the implementations of a hook that is asked again and again, each with the way to call it."""
    return [
        (implementation, Provider(implementation.plugin, budget, instant=implementation.instant))
        for implementation in plugins.implementations(hook)
    ]


def versions(plugins: Plugins) -> dict[str, str]:
    """Return the versions of this server and of the distributions that bring its plugins."""
    return {"wheelgate": VERSION, **{entry.distribution: entry.version for entry in plugins.found}}


def details(config: Config, state: ServerState) -> dict[str, Any]:
    """Return what ``/+status`` tells an administrator beyond the versions."""
    return {
        "uuid": state.uuid,
        "host": config["host"],
        "port": config["port"],
        "outside-url": config["outside-url"],
        "database": state.database.kind,
        "workers": config["workers"],
    }
