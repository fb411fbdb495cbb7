"""The contract: every hook that a plugin of the entry-point group ``wheelgate`` can implement.

A plugin is a module, or an object, registered under that group. It marks its functions with :data:`wheelgate.hookimpl`.
A function takes only the arguments that it needs, by their names; later versions may add some.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from wheelgate.options import Option
from wheelgate.values import Allow, Deny, Event, Index, Ok, Permission, Principal, Resource, UserDefaults

if TYPE_CHECKING:
    from wheelgate.config import Config
    from wheelgate.fields import IndexType
    from wheelgate.outgoing import Outgoing
    from wheelgate.page_blocks import Block
    from wheelgate.providers import (
        Authenticator,
        CredentialExtractor,
        GroupSource,
        Job,
        Page,
        PasswordHasher,
        Route,
        RouteRequest,
        TokenHandler,
    )
    from wheelgate.server import Server
    from wheelgate.state_sections import StateSection
    from wheelgate.store.database import Database
    from wheelgate.store.protocols import IndexStore, UserStore
    from wheelgate.subcommands import Command

SERVER_PLUGIN_GROUP = "wheelgate"

hookspec = pluggy.HookspecMarker(SERVER_PLUGIN_GROUP)
hookimpl = pluggy.HookimplMarker(SERVER_PLUGIN_GROUP)

Marked = TypeVar("Marked")


def instant(marked: Marked) -> Marked:
    """Promise that a function, or every method of a provider's class, answers from memory and never waits.

    The server then calls it on the event loop; without the promise it calls it in a thread with a time budget. Write it
    below ``@hookimpl`` on a function, and above the class of a provider.
    """
    marked.instant = True  # type: ignore[attr-defined]
    return marked


def about(*names: str) -> Callable[[Marked], Marked]:
    """Limit a ``wheelgate_check_permission`` to some permissions, or a ``wheelgate_on_event`` to some events.

    The server then does not call the function for any other, which saves the cost of the call: clients read pages far
    more often than they change anything. Write it below ``@hookimpl``.
    """

    def mark(marked: Marked) -> Marked:
        marked.about = frozenset(names)  # type: ignore[attr-defined]
        return marked

    return mark


@hookspec
def wheelgate_options() -> Iterable[Option]:  # type: ignore[empty-body]
    """Declare the plugin's settings.

    The first hook that is called, before the command line is read. If two options have the same name, or a setting is
    given that no plugin declares, the server does not start.
    """


@hookspec
def wheelgate_commands() -> Iterable[Command]:  # type: ignore[empty-body]
    """Add subcommands to ``devpi-server``.

    Called when the command line is read, right after the settings are declared. The program ends with an error if two
    commands have the same name, if a command has the name of one of the server's own, if an argument has the name of a
    setting, or if the function raises.
    """


@hookspec
def wheelgate_migrations() -> Path:  # type: ignore[empty-body]
    """Return the folder of the plugin's migrations: ``0001_what.py`` with ``up(migrator, db)`` each.

    Called at every start. Migrations that the database has not seen are applied in the order of their numbers, each in
    a transaction of its own. If the database has seen more migrations than the folder holds, the server does not start.
    """


@hookspec
def wheelgate_warnings(server: Server) -> Iterable[str]:  # type: ignore[empty-body]
    """Warn about dangerous settings, in one sentence each.

    Called once at every start, before the workers start. Each sentence becomes a line of the log. If the function
    raises, the server does not start.
    """


@hookspec
def wheelgate_user_store(  # type: ignore[empty-body]
    config: Config, database: Database, outgoing: Outgoing
) -> UserStore:
    """Return the user store.

    Called once per worker, before there is a ``server``. Exactly one plugin must return a store; block the bundled one
    with ``--no-plugin sql_store`` to use your own.
    """


@hookspec
def wheelgate_index_store(  # type: ignore[empty-body]
    config: Config, database: Database, outgoing: Outgoing
) -> IndexStore:
    """Return the index store.

    Called once per worker, after the user store is opened and before there is a ``server``. Exactly one plugin must
    return a store.
    """


@hookspec
def wheelgate_password_hasher(  # type: ignore[empty-body]
    config: Config, database: Database, outgoing: Outgoing
) -> PasswordHasher:
    """Return the hasher for the passwords of local users.

    Called once per worker, after the stores are opened and before there is a ``server``. At most one plugin may return
    a hasher; without one, users cannot have a password on this server.
    """


@hookspec
def wheelgate_index_types(server: Server) -> Iterable[IndexType]:  # type: ignore[empty-body]
    """Return index types, each with its keys and the source of its packages.

    Called once per worker. If two types have the same name, the server does not start.
    """


@hookspec
def wheelgate_first_indices(server: Server) -> Iterable[Index]:  # type: ignore[empty-body]
    """Return the indices that a new server has from its first start.

    Called once in the life of a server, when root is created, inside the transaction that creates the database; other
    threads do not see it yet. The owner of the indices must be root.
    """


@hookspec
def wheelgate_check_password(server: Server, username: str, password: str) -> str | None:
    """Return the reason why a new password is not good enough; None if it is good enough.

    Called for every new password, except that of ``--root-passwd`` at the first start. The server sends the first
    reason to the client with 400, so it must not contain the password. If the function raises or takes longer than 5 s,
    the server refuses the password.
    """


@hookspec
def wheelgate_credential_extractors(server: Server) -> Iterable[CredentialExtractor]:  # type: ignore[empty-body]
    """Return extractors, which find credentials in a request.

    Called once per worker. The server asks extractors in the order of ``--extractor-order``, then by rank and name. The
    first that finds credentials ends the search. An extractor that raises ends it, too: the credentials then count as
    malformed.
    """


@hookspec
def wheelgate_authenticators(server: Server) -> Iterable[Authenticator]:  # type: ignore[empty-body]
    """Return authenticators, which check credentials.

    Called once per worker. The server asks authenticators in the order of ``--auth-order``, then by rank and name,
    until one answers ``Ok`` or ``Reject``. One that raises or takes too long counts as ``Unavailable``; after five such
    failures in a row, or the first time that it takes too long, the server leaves it out for 30 s. An authenticator
    that is also a ``UserDirectory`` says which of its users still exist.
    """


@hookspec
def wheelgate_token_handlers(server: Server) -> Iterable[TokenHandler]:  # type: ignore[empty-body]
    """Return token handlers, which verify API tokens.

    Called once per worker. Only the handler whose prefix a secret has verifies it, and the secret never counts as a
    password. If two handlers have the same name or prefix, the server does not start. A handler that raises or takes
    too long counts as ``Unavailable``; after five such failures in a row the server leaves it out for 30 s.
    """


@hookspec
def wheelgate_group_sources(server: Server) -> Iterable[GroupSource]:  # type: ignore[empty-body]
    """Return group sources, which know the groups of users.

    Called once per worker. A user is in every group that any source names. The server asks a source with the name of an
    authenticator about the users of that authenticator only.
    """


@hookspec
def wheelgate_forget_principal(server: Server, principal: str) -> None:
    """Remove a user, or a ``:group``, that is being deleted from everything that the plugin stores.

    Called inside the transaction that deletes it, in the order of the plugins' names. The next user or group of that
    name must inherit nothing. If the function raises, nothing is deleted.
    """


@hookspec
def wheelgate_provision_user(server: Server, principal: Principal, ok: Ok) -> UserDefaults | None:
    """Return the profile and indices of a new user from an external login service, or None for no opinion.

    Called at the first login, before the user is created, in a thread, with the authenticator's answer;
    ``principal.credential`` is the name of the authenticator. Raise ``Forbidden`` to refuse: the server then does not
    create the user, who cannot log in. If the function raises anything else or takes longer than 5 s, the server
    refuses the login for now.
    """


@hookspec
def wheelgate_permissions() -> Iterable[Permission]:  # type: ignore[empty-body]
    """Return permissions that the plugin defines for its routes.

    Called once per worker. If two permissions have the same name, the server does not start.
    """


@hookspec
def wheelgate_check_permission(
    server: Server, principal: Principal, permission: str, resource: Resource
) -> Allow | Deny | None:
    """Return whether ``principal`` has ``permission`` on ``resource``, or None for no opinion.

    Called for every request that needs a permission, and for a change once more inside the transaction that records it:
    a right may have gone while the body arrived. So the function must not change the database, and other changes wait
    for its answer. One ``Deny`` refuses; otherwise one ``Allow`` grants; if no plugin has an opinion, the permission's
    default decides. If the function raises or takes longer than 1 s, that is a ``Deny``. For ``index_read`` the server
    asks about the index and about each index that it inherits from.
    """


@hookspec
def wheelgate_filter_visible(
    server: Server, principal: Principal, permission: str, resources: Sequence[Resource]
) -> Sequence[bool] | None:
    """Return which of ``resources`` the principal may see in a listing, or None for no opinion.

    Called for every listing, in place of one call per entry; the answer must agree with ``wheelgate_check_permission``.
    The server asks anonymous callers to log in for an index that they cannot see only if a plugin implements this hook
    or some index has an access list. An entry that any plugin hides is hidden, and every index that inherits from a
    hidden one is hidden, too. If the function raises, takes longer than 1 s, or answers for another
    number of resources, everything is hidden.
    """


@hookspec
def wheelgate_check_upload(
    server: Server, principal: Principal, index: Index, project: str, version: str
) -> str | None:
    """Return the reason why an index must not accept a release, or a file of one; None if it may.

    Called for every upload and every push to an index of this server, after the permission and the file have been
    checked and before anything is recorded; ``project`` is normalised (PEP 503). The server sends the first reason to
    the client with 403. If the function raises or takes longer than 5 s, the server refuses the upload.
    """


@hookspec
def wheelgate_state_sections(server: Server) -> Iterable[StateSection]:  # type: ignore[empty-body]
    """Return sections of the state file, which ``devpi-server plan``, ``apply`` and ``export-state`` read and write.

    Called by these three commands, which may run beside the server. If two sections have the same name, or the function
    raises, the command ends with an error. All sections change the server within one transaction, which ``plan`` rolls
    back: a section that keeps its data elsewhere must not write there.
    """


@hookspec
def wheelgate_routes(server: Server) -> Iterable[Route]:  # type: ignore[empty-body]
    """Return routes, which serve addresses below ``/+x/<plugin>``.

    Called once per worker. The server does not start if a route names neither a permission nor ``public=True``, or if
    there already is a route of that method and address.
    """


@hookspec
def wheelgate_page_blocks(  # type: ignore[empty-body]
    server: Server, place: str, subject: str, request: RouteRequest
) -> Iterable[Block]:
    """Return blocks, which pages show below their own content.

    Called for every page at one of the places ``overview``, ``user``, ``index``, ``project``, ``version`` and
    ``administration``. ``subject`` is what the page is about: the name of a user, ``owner/index``,
    ``owner/index/project`` or ``owner/index/project/version``; empty for the others. The caller may see that user or
    index; ask ``request.view`` about anything else. Blocks are values, and the page escapes them. If the function
    raises, takes longer than 1 s, or returns anything else, the page does without, and the log says so.
    """


@hookspec
def wheelgate_jobs(server: Server) -> Iterable[Job]:  # type: ignore[empty-body]
    """Return jobs, which keep data of the plugin up to date in the background.

    Called once per worker. Each worker runs each job in a thread of its own until it stops; ``devpi-server``
    subcommands run none. If a job raises, the server logs it, and the job runs again at its next time.
    """


@hookspec
def wheelgate_pages(server: Server) -> Iterable[Page]:  # type: ignore[empty-body]
    """Return pages, which browsers get at the addresses of the API in place of JSON.

    Called once per worker. The server decides which requests get a page: GET or HEAD by a client that names
    ``text/html`` in ``Accept`` and has the name of a browser. If two plugins return a page for the same address, the
    server does not start. A page that raises, or takes longer than 30 s, is answered by the page ``error``; if that
    one fails, too, by JSON.
    """


@hookspec
def wheelgate_features() -> Iterable[str]:  # type: ignore[empty-body]
    """Return names of features that clients may rely on; ``/+api`` lists them.

    Called once per worker.
    """


@hookspec
def wheelgate_on_event(server: Server, event: Event) -> None:
    """Receive an event.

    Called after the change is committed and outside of the request, in the order of the events, in one thread per
    worker. If the function raises, the server logs the exception, and nothing else changes. Events that are queued in a
    worker when it is killed are lost.
    """


@hookspec
def wheelgate_export_data(server: Server) -> Any:
    """Return what the plugin stores besides packages, as JSON, for ``devpi-server export``; None for nothing.

    Called once in each export, within a snapshot of the database, so it must not change anything. The data must have no
    secrets. If the function raises, nothing is exported.
    """


@hookspec
def wheelgate_import_data(server: Server, data: Any, users: Mapping[str, str]) -> None:
    """Store what :func:`wheelgate_export_data` of the same plugin has returned on another server.

    Called at the end of ``devpi-server import`` of such an export, inside a transaction of a server that does not run
    yet. ``users`` has the names of the imported users, by their names in the export; all others do not exist here. The
    data come from a file: check them. If the function raises, the import is not finished.
    """
