"""Creates the ASGI application of a worker from the settings and the plugins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from importlib import metadata
from typing import Any, cast

import falcon.asgi
from falcon.routing import CompiledRouter

from wheelgate.config import Config
from wheelgate.errors import Forbidden, StartupError
from wheelgate.files.sending import FileReader
from wheelgate.http.answers import JSON_TYPE, ASGIApplication, CommonHeaders
from wheelgate.http.errors import ErrorHandlers
from wheelgate.http.exposure import ExposureGuard
from wheelgate.http.handler_context import HandlerContext
from wheelgate.http.in_process import InProcessApi
from wheelgate.http.measured_requests import MeasuredRequests
from wheelgate.http.outside_path import OutsidePath
from wheelgate.http.proxy_headers import ProxyHeaders
from wheelgate.http.require_login import RequireLogin
from wheelgate.http.router import Router
from wheelgate.http.untrusted_headers import UntrustedHeaders
from wheelgate.identity.wiring import Identity, LoginProviders, login_providers, wire_identity
from wheelgate.metrics.worker_metrics import WorkerMetrics, private_metrics
from wheelgate.outgoing.policy import AddressPolicy
from wheelgate.plugin_host import budgets
from wheelgate.plugin_host.block_collecting import PageBlocks
from wheelgate.plugin_host.circuit import BlockingCircuit, CircuitBreaker
from wheelgate.plugin_host.discovery import Implementation, Plugins, refuse_reserved
from wheelgate.plugin_host.events import Events
from wheelgate.plugin_host.jobs import Jobs
from wheelgate.plugin_host.vetoes import Vetoes
from wheelgate.providers import Page, Route
from wheelgate.resources.addresses import AccountServices, PackageServices, ServerDescription, ThreadPools, url_map
from wheelgate.resources.pages import ERROR_ADDRESS, ErrorPages, add_pages, collect_pages
from wheelgate.resources.plugin_calls import PluginCalls
from wheelgate.resources.plugin_routes import open_paths, plugin_resources
from wheelgate.rights.confirmation import Confirmation
from wheelgate.rights.decision import Rights
from wheelgate.rights.indices import IndexRights
from wheelgate.rights.permissions import CORE_PERMISSIONS
from wheelgate.server import Server
from wheelgate.services.opened_server import OpenedServer
from wheelgate.services.packages.inheritance import Inheritance
from wheelgate.services.packages.merging import IndexMerger
from wheelgate.services.packages.page_cache import PageCache
from wheelgate.services.packages.page_renderer import PageRenderer
from wheelgate.services.packages.sources import Sources
from wheelgate.services.provisioning import Provisioning, autocreating_authenticators
from wheelgate.services.releases.uploads import Uploads
from wheelgate.services.users import Users
from wheelgate.store.access import StoreAccess
from wheelgate.store.cached_users import CachedUsers
from wheelgate.store.database import Database
from wheelgate.store.group_commit import GroupCommit
from wheelgate.threads.pool import ThreadPool
from wheelgate.values import Permission
from wheelgate.views.sources_of_views import ViewSources

SERVER_VERSION = metadata.version("wheelgate")

SENDING_THREADS = 8
PUSHING_THREADS = 4
POSTGRESQL_THREADS = 4
"""SQLite gets one thread: it allows one writer at a time, and further threads would only wait for it."""
HASHING_NICENESS = 10
"""Added to the nice value of the threads that hash, so that the event loop comes first."""
UPLOAD_NICENESS = 10
"""The same for the thread that commits uploads."""
UPLOAD_GATHER_SECONDS = 0.001
"""Seconds that an upload waits for other files to share its commit with; the disk takes longer than that."""
MAX_WAITING_ROUTE_CALLS = 1000
"""Calls of one route that wait for a thread: unlike a login service, a route is not asked by every other request."""
CORE_FEATURES = (
    "push-no-docs",
    "push-only-docs",
    "push-register-project",
    "server-keyvalue-parsing",
    "yank",
    "why",
    "project-status",
    "whoami",
    "can",
)
"""Features of the HTTP API, which ``/+api`` lists for clients."""


ServerCheck = Callable[[Server], None]
"""Refuses a server whose stores are open, with an error, or warns about it."""


def no_check(server: Server) -> None:
    """Accept any server."""


class Application:
    """The ASGI application of a worker, with everything that the worker closes when it ends."""

    def __init__(
        self, config: Config, plugins: Plugins, check: ServerCheck = no_check, metrics: WorkerMetrics | None = None
    ) -> None:
        """Open the database, collect what the plugins provide, and put everything together.

        ``check`` gets the server as soon as its stores are open. ``metrics`` are those of the worker; without them, the
        application counts for itself. If a step fails, everything that is open is closed.

        Raises:
            StartupError: a plugin fails, or two plugins provide the same thing.
        """
        metrics = metrics or private_metrics()
        with ExitStack() as opening:
            opened = open_stores(config, plugins, opening)
            server = opened.server
            check(server)
            events = opening.enter_context(closing(Events(server, plugins.implementations("wheelgate_on_event"))))
            writers = 1 if server.database.kind == "sqlite" else POSTGRESQL_THREADS
            storing = opening.enter_context(closing(ThreadPool("store", writers)))
            pools = open_pools(config, opening)
            access = open_access(server, storing, opening)
            cached_users = CachedUsers(server.users, access)
            users = Users(server.users, opened.indices, cached_users, server.forget_principal)
            accounts = AccountServices(users, opened.indices, opened.passwords)
            providers = login_providers(plugins, server, storing)
            provisioning = make_provisioning(plugins, server, accounts, access, providers, events)
            parts = (providers, server, access, cached_users, pools.hashing, provisioning.provision)
            identity = wire_identity(*parts, events.announce, metrics.own)

            packages = open_packages(plugins, opened, access, pools, opening)
            jobs = opening.enter_context(closing(collect_jobs(plugins, server, events)))
            permissions = collect_permissions(plugins)
            rights, index_rights, confirmation = wire_rights(
                plugins, server, permissions, identity, packages.inheritance, access
            )
            proxy_headers = ProxyHeaders(config["trusted-proxy"], config["outside-url"])
            context = HandlerContext(
                proxy_headers, identity.identifier, rights, index_rights, confirmation, access, events
            )
            description = describe_server(plugins, opened, identity, providers, metrics)
            resources = url_map(context, server, access, identity, accounts, packages, description, pools)
            views = ViewSources(context, server.users, users, opened.indices, packages.merger, packages.sources)
            calls = PluginCalls(context, InProcessApi(), views, page_blocks(plugins, server))
            resources |= plugin_resources(calls, guarded_routes(description), {each.name for each in permissions})
            pages = add_pages(resources, collect_pages(plugins, server), calls)
            app = make_app(config, calls, make_router(resources), description, server.outgoing.policy)
            install_error_handlers(app, providers, calls, pages)

            self.server = server
            self.files = server.files
            self.rights = rights
            wrapped = wrap_app(app, identity.state.uuid, access, proxy_headers, index_rights)
            self.asgi = MeasuredRequests(wrapped, metrics.own, providers.breakers)
            self._events = events
            self.packages = packages
            self.indices = opened.indices
            self._jobs = jobs
            self._opened = opening.pop_all()

    def sweep(self) -> None:
        """Remove the leftovers of a crash; call it before any worker of the server starts."""
        self.files.sweep()

    def start_jobs(self) -> None:
        """Start the jobs of the plugins, in a worker that is about to serve requests."""
        self._jobs.start()

    def run_jobs(self) -> None:
        """Run each job of the plugins once, in this thread, after the listeners have got all events so far."""
        self._events.wait()
        self._jobs.run_once()

    def close(self) -> None:
        """Finish running work, and close everything that was opened, the last first."""
        self._opened.close()


def open_stores(config: Config, plugins: Plugins, opening: ExitStack) -> OpenedServer:
    """Open the database, and the stores and files of the server.

    Raises:
        StartupError: a store is missing, or a plugin fails.
    """
    database = Database(config.database_url, connections=connections_per_worker(config))
    opening.callback(database.close)
    database.open()
    opened = OpenedServer(config, plugins, database)
    opening.callback(opened.server.files.close)
    opening.callback(opened.server.deferred.close)
    return opened


def open_access(server: Server, pool: ThreadPool, opening: ExitStack) -> StoreAccess:
    """Create what reads and changes the stores for the event loop."""
    instant = server.database.instant and server.users.instant and server.indices.instant
    access = opening.enter_context(closing(StoreAccess(server.database, pool, instant=instant)))
    access.serial = server.database.serial()
    return access


def connections_per_worker(config: Config) -> int:
    """Return the connections to PostgreSQL that a worker may have.

    Raises:
        StartupError: not every worker could have one.
    """
    connections, workers = config["database-connections"], config["workers"]
    if connections < workers:
        raise StartupError(
            f"--database-connections {connections}: each of the {workers} workers needs one; allow more connections, "
            "or start fewer workers with --workers"
        )
    return int(connections) // int(workers)


def open_pools(config: Config, opening: ExitStack) -> ThreadPools:
    """Create the thread pools."""
    pools = ThreadPools(
        hashing=ThreadPool("hashing", config["hash-concurrency"], niceness=HASHING_NICENESS),
        sending=ThreadPool("sending", SENDING_THREADS),
        pushing=ThreadPool("pushes", PUSHING_THREADS),
    )
    for pool in (pools.pushing, pools.sending, pools.hashing):
        opening.callback(pool.close)
    return pools


def make_provisioning(
    plugins: Plugins,
    server: Server,
    accounts: AccountServices,
    access: StoreAccess,
    providers: LoginProviders,
    events: Events,
) -> Provisioning:
    """Create the service that creates users at their first login.

    Raises:
        StartupError: ``--autocreate-users`` names an authenticator that does not exist.
    """
    hooks = guarded_hooks(plugins, "wheelgate_provision_user", budgets.AUTHENTICATOR_SECONDS)
    creates = autocreating_authenticators(server.config["autocreate-users"], providers.authenticator_names)
    return Provisioning(server, accounts.users, accounts.indices, access, hooks, creates, events.announce)


def open_packages(
    plugins: Plugins, opened: OpenedServer, access: StoreAccess, pools: ThreadPools, opening: ExitStack
) -> PackageServices:
    """Create the services that read and change packages."""
    server = opened.server
    sources = Sources(opened.index_types)
    opening.callback(sources.close)
    merger = IndexMerger(sources)
    pages = PageCache(access, PageRenderer(merger))
    opening.callback(pages.close)
    commits = None
    # With several writers, or where storing a file takes long, uploads would only wait for each other.
    if server.database.kind == "sqlite" and server.files.backend.instant:
        commits = GroupCommit(
            "uploads", access.within_transaction, gather=UPLOAD_GATHER_SECONDS, niceness=UPLOAD_NICENESS
        )
        opening.callback(commits.close)
    vetoes = Vetoes(server, plugins.implementations("wheelgate_check_upload"), Forbidden)
    max_bytes = server.config["max-upload"]
    return PackageServices(
        sources=sources,
        merger=merger,
        inheritance=Inheritance(opened.indices, sources, access),
        pages=pages,
        reader=FileReader(server.files.backend, pools.sending),
        vetoes=vetoes,
        uploads=Uploads(server.files, sources, access, vetoes, max_bytes, commits),
    )


def collect_permissions(plugins: Plugins) -> list[Permission]:
    """Return the permissions of the core and of the plugins.

    Raises:
        StartupError: two permissions have the same name.
    """
    provided = plugins.collect("wheelgate_permissions", lambda permission: permission.name)
    reserved = {permission.name for permission in CORE_PERMISSIONS}
    refuse_reserved(provided, "permission", reserved, lambda permission: permission.name)
    return [*CORE_PERMISSIONS, *(permission for _, permission in provided)]


def page_blocks(plugins: Plugins, server: Server) -> PageBlocks:
    """Return what collects the blocks of plugins for pages."""
    return PageBlocks(server, guarded_hooks(plugins, "wheelgate_page_blocks", budgets.PAGE_BLOCK_SECONDS))


def collect_jobs(plugins: Plugins, server: Server, events: Events) -> Jobs:
    """Return the jobs of the plugins, which get their events from now on."""
    answers = plugins.ask("wheelgate_jobs", server=server)
    jobs = Jobs([(plugin, job) for plugin, answer in answers for job in answer])
    events.add(jobs.listeners())
    return jobs


def wire_rights(
    plugins: Plugins,
    server: Server,
    permissions: Sequence[Permission],
    identity: Identity,
    inheritance: Inheritance,
    access: StoreAccess,
) -> tuple[Rights, IndexRights, Confirmation]:
    """Create the services that decide about permissions: for the event loop, and for transactions."""
    policies = guarded_hooks(plugins, "wheelgate_check_permission", budgets.POLICY_SECONDS)
    filters = guarded_hooks(plugins, "wheelgate_filter_visible", budgets.POLICY_SECONDS)
    hide = server.config["private-indices"] == "hide"
    rights = Rights(server, permissions, policies, filters)
    index_rights = IndexRights(rights, inheritance, server.indices, access, hide=hide)
    blocking = Rights(server, permissions, [(policy, BlockingCircuit(breaker)) for policy, breaker in policies], ())
    confirmation = Confirmation(
        identity.renewal,
        blocking,
        IndexRights(blocking, inheritance, server.indices, access, hide=hide),
        inheritance,
        server.indices,
    )
    return rights, index_rights, confirmation


def describe_server(
    plugins: Plugins, opened: OpenedServer, identity: Identity, providers: LoginProviders, metrics: WorkerMetrics
) -> ServerDescription:
    """Collect the facts that the server publishes about itself."""
    server, config = opened.server, opened.server.config
    details = {
        "uuid": identity.state.uuid,
        "host": ",".join(config["host"]),
        "port": config["port"],
        "outside-url": config["outside-url"],
        "database": server.database.kind,
        "workers": config["workers"],
        "offline": config["offline"],
    }
    answers = plugins.ask("wheelgate_routes", server=server)
    return ServerDescription(
        version=SERVER_VERSION,
        details=details,
        plugins=plugins.found,
        breakers=providers.breakers,
        features=[*CORE_FEATURES, *(feature for _, answer in plugins.ask("wheelgate_features") for feature in answer)],
        index_types=opened.index_types,
        metrics=metrics.shared,
        routes=[(plugin, route) for plugin, answer in answers for route in answer],
    )


def make_router(resources: Mapping[str, object]) -> Router:
    """Return the router for the resources, which are given by their address templates.

    Raises:
        StartupError: the template of a plugin's route is malformed, or conflicts with another one.
    """
    try:
        return Router(resources)
    except ValueError as error:
        raise StartupError(str(error)) from None


def make_app(
    config: Config, calls: PluginCalls, router: Router, description: ServerDescription, policy: AddressPolicy
) -> falcon.asgi.App[Any, Any]:
    """Create the ASGI application, without its error handlers, and let plugins ask it."""
    context = calls.context
    middleware: list[ExposureGuard | RequireLogin] = [ExposureGuard(context, policy)] if policy.unlimited else []
    if config["require-login"]:
        middleware.append(RequireLogin(context, open_paths(description.routes)))
    # Falcon's type names its own router, but of any router it calls 'find' alone.
    app: falcon.asgi.App[Any, Any] = falcon.asgi.App(
        media_type=JSON_TYPE, router=cast("CompiledRouter", router), middleware=middleware
    )
    app.req_options.strip_url_path_trailing_slash = True
    calls.api.app = app
    return app


def install_error_handlers(
    app: falcon.asgi.App[Any, Any],
    providers: LoginProviders,
    calls: PluginCalls,
    pages: Mapping[str, tuple[str, Page]],
) -> None:
    """Let the application answer refusals and faults, in browsers with the page for errors if there is one."""
    schemes = [extractor.scheme for extractor, _ in providers.extractors if extractor.scheme]
    error_page = ErrorPages(*pages[ERROR_ADDRESS], calls) if ERROR_ADDRESS in pages else None
    ErrorHandlers(schemes, calls.context.server_url, error_page).install(app)


def wrap_app(
    app: falcon.asgi.App[Any, Any], uuid: str, access: StoreAccess, proxy_headers: ProxyHeaders, rights: IndexRights
) -> ASGIApplication:
    """Wrap the application in what concerns every request."""
    watched = UntrustedHeaders(app, proxy_headers)
    common = CommonHeaders(watched, SERVER_VERSION, uuid, access, proxy_headers, rights.all_public)
    return OutsidePath(common, proxy_headers) if proxy_headers.may_have_path else common


def guarded_hooks(plugins: Plugins, hook: str, budget_seconds: float) -> list[tuple[Implementation, CircuitBreaker]]:
    """Return the implementations of a hook that requests call, each with its circuit breaker."""
    return [
        (each, CircuitBreaker(each.plugin, budget_seconds, instant=each.instant))
        for each in plugins.implementations(hook)
    ]


def guarded_routes(description: ServerDescription) -> list[tuple[str, Route, CircuitBreaker]]:
    """Return the routes of plugins, each with its plugin and its circuit breaker."""
    return [(plugin, route, route_breaker(f"{plugin}{route.path}")) for plugin, route in description.routes]


def route_breaker(name: str) -> CircuitBreaker:
    """Return the circuit breaker of a route."""
    return CircuitBreaker(name, budgets.ROUTE_SECONDS, instant=False, max_waiting=MAX_WAITING_ROUTE_CALLS)
