"""The contract: every hook that a plugin of the entry-point group ``wheelgate`` can implement.

A plugin is a module, or an object, registered under that group. It marks its functions with
:data:`wheelgate.hookimpl` and takes only the arguments that it needs, by their names; later versions may add some.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pluggy

from wheelgate.options import Option
from wheelgate.values import Allow, Deny, Event, Index, Ok, Permission, Principal, Resource, UserDefaults

if TYPE_CHECKING:
    from wheelgate.fields import IndexType
    from wheelgate.providers import (
        Authenticator,
        CredentialExtractor,
        GroupSource,
        PasswordHasher,
        Route,
        TokenHandler,
    )
    from wheelgate.server import Server
    from wheelgate.store.protocols import IndexStore, UserStore
    from wheelgate.subcommands import Command

GROUP = "wheelgate"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)

Marked = TypeVar("Marked")


def instant(marked: Marked) -> Marked:
    """Promise that a function, or every method of a provider, answers from memory and never waits.

    Only then is it called on the event loop; without the promise it runs in a thread with a time budget. Stands below
    ``@hookimpl`` on a function, above the class of a provider.
    """
    marked.instant = True  # type: ignore[attr-defined]
    return marked


def about(*names: str) -> Callable[[Marked], Marked]:
    """Promise that a function has no use for any other than these.

    They are permissions where it is a ``wheelgate_check_permission``, and events where it is a ``wheelgate_on_event``.
    It is then not asked about the others, which go without its cost: pages are read far more often than anything is
    changed. Stands below ``@hookimpl``.
    """

    def mark(marked: Marked) -> Marked:
        marked.about = frozenset(names)  # type: ignore[attr-defined]
        return marked

    return mark


@hookspec
def wheelgate_options() -> Iterable[Option]:  # type: ignore[empty-body]
    """Declare the plugin's settings.

    The first hook that is called, before the command line is read. Two options of one name, and an option that
    nobody declared, stop the start.
    """


@hookspec
def wheelgate_commands() -> Iterable[Command]:  # type: ignore[empty-body]
    """Add subcommands to ``devpi-server``.

    Called when the command line is read, right after the settings are declared. Two plugins with a command of one
    name, a name of the server's own commands, and an argument with the name of a setting stop the start. To raise
    stops it too.
    """


@hookspec
def wheelgate_migrations() -> Path:  # type: ignore[empty-body]
    """Name the folder of the plugin's migrations: ``0001_what.py`` with ``up(migrator, db)`` each.

    Called at every start. What the database has not seen is applied, in the order of the numbers, each in a
    transaction of its own. A database that has seen more than the folder holds stops the start.
    """


@hookspec
def wheelgate_warnings(server: Server) -> Iterable[str]:  # type: ignore[empty-body]
    """Name what of the settings is dangerous, a sentence each.

    Called once at every start, before the workers. Each sentence is a line of the log. To raise stops the start.
    """


@hookspec
def wheelgate_user_store(server: Server) -> UserStore:  # type: ignore[empty-body]
    """Bring the store of users.

    Called once per worker, before every other provider. Exactly one plugin must bring one; block the bundled one
    (``--no-plugin sql_store``) to bring your own.
    """


@hookspec
def wheelgate_index_store(server: Server) -> IndexStore:  # type: ignore[empty-body]
    """Bring the store of indices.

    Called once per worker, after the store of users. Exactly one plugin must bring one.
    """


@hookspec
def wheelgate_index_types(server: Server) -> Iterable[IndexType]:  # type: ignore[empty-body]
    """Bring kinds of indices, with the keys that each understands, and with the source of their packages.

    Called once per worker. Two types of one name stop the start.
    """


@hookspec
def wheelgate_first_indices(server: Server) -> Iterable[Index]:  # type: ignore[empty-body]
    """Name indices that a new server has from its first start.

    Called once in the life of a server, when root is created; the owner must be root.
    """


@hookspec
def wheelgate_password_hasher(server: Server) -> PasswordHasher:  # type: ignore[empty-body]
    """Bring the function that passwords are stored by.

    Called once per worker. At most one plugin may bring one; without it users cannot have passwords here.
    """


@hookspec
def wheelgate_check_password(server: Server, username: str, password: str) -> str | None:
    """Say why a new password is not good enough, or None if it is.

    Called whenever somebody gets a password that is not the empty one. The first objection is answered with 400, so
    its text must not repeat the password. To raise, or to take longer than 5 s, is an objection, too.
    """


@hookspec
def wheelgate_credential_extractors(server: Server) -> Iterable[CredentialExtractor]:  # type: ignore[empty-body]
    """Bring ways to find credentials in a request.

    Called once per worker. They are asked in the order of ``--extractor-order``, then by name; the first that finds
    some ends the search, and one that raises does too: the credentials are then malformed.
    """


@hookspec
def wheelgate_authenticators(server: Server) -> Iterable[Authenticator]:  # type: ignore[empty-body]
    """Bring judges of credentials.

    Called once per worker. They are asked in the order of ``--auth-order``, then by name, until one says ``Ok`` or
    ``Reject``. One that raises or takes too long is ``Unavailable``; after five such failures in a row, and the
    first time that it takes too long, it is left out for 30 s. One that is a ``UserDirectory`` too says which users
    are still there.
    """


@hookspec
def wheelgate_token_handlers(server: Server) -> Iterable[TokenHandler]:  # type: ignore[empty-body]
    """Bring judges of API tokens.

    Called once per worker. A secret that begins with the prefix of one is judged by that one and by nobody else, and is
    never taken for a password; two of one name or one prefix stop the start. One that raises or takes too long is
    ``Unavailable``, and after five such failures in a row is left out for 30 s.
    """


@hookspec
def wheelgate_group_sources(server: Server) -> Iterable[GroupSource]:  # type: ignore[empty-body]
    """Bring sources of groups.

    Called once per worker. A user is in every group that any source names. A source that has the name of an
    authenticator is asked only about the users whom that one brought.
    """


@hookspec
def wheelgate_forget_principal(server: Server, principal: str) -> None:
    """Take a user, or a ``:group``, out of whatever the plugin keeps about it, for it is being deleted.

    Called inside the transaction that deletes it, in the order of the plugins' names, so that whoever gets the name
    next inherits nothing. To raise undoes the deletion.
    """


@hookspec
def wheelgate_provision_user(server: Server, principal: Principal, ok: Ok) -> UserDefaults | None:
    """Say what somebody gets who comes from elsewhere and is not a user yet, or None for no opinion.

    Called before the user is created, in a thread, with what the authenticator said; ``principal.credential`` is its
    name. Raise ``Forbidden`` to refuse: there will be no user, and no login. To raise anything else, or to take longer
    than 5 s, refuses for now.
    """


@hookspec
def wheelgate_permissions() -> Iterable[Permission]:  # type: ignore[empty-body]
    """Bring permissions of the plugin's own, to be asked for by its routes.

    Called once per worker. Two permissions of one name stop the start.
    """


@hookspec
def wheelgate_check_permission(
    server: Server, principal: Principal, permission: str, resource: Resource
) -> Allow | Deny | None:
    """Say whether ``principal`` has ``permission`` on ``resource``, or None for no opinion.

    Called for every request that needs a right. One ``Deny`` refuses; otherwise one ``Allow`` grants; if nobody says
    anything, the permission's default decides. To raise, or to take longer than 1 s, is a ``Deny``. Whether somebody
    may read an index (``index_read``) is asked for it and for each index that it inherits from.
    """


@hookspec
def wheelgate_filter_visible(
    server: Server, principal: Principal, permission: str, resources: Sequence[Resource]
) -> Sequence[bool] | None:
    """Say which of ``resources`` the principal may see in a listing, or None for no opinion.

    Called for every listing, in place of one question per entry; it must agree with ``wheelgate_check_permission``.
    Only where a plugin brings it, or there is an access list, is anonymous asked to log in for what it cannot see.
    What any plugin hides is hidden, and what inherits from a hidden index is too. To raise, to take longer than 1 s,
    or to answer for another number of resources hides all.
    """


@hookspec
def wheelgate_check_upload(
    server: Server, principal: Principal, index: Index, project: str, version: str
) -> str | None:
    """Say why a release, or a file of one, may not be added to an index, or None if it may.

    Called for every upload and every push to an index of this server, after the right to it and the file have been
    checked and before anything is recorded; ``project`` is normalised (PEP 503). The first objection is answered with
    403. To raise, or to take longer than 5 s, is an objection, too.
    """


@hookspec
def wheelgate_routes(server: Server) -> Iterable[Route]:  # type: ignore[empty-body]
    """Bring addresses of the plugin's own, below ``/+x/<plugin>``.

    Called once per worker. A route that names neither a permission nor ``public=True``, and one that is there
    already, stops the start.
    """


@hookspec
def wheelgate_features() -> Iterable[str]:  # type: ignore[empty-body]
    """Name features that clients may rely on; they are listed by ``/+api``.

    Called once per worker.
    """


@hookspec
def wheelgate_on_event(server: Server, event: Event) -> None:
    """Learn of something that happened.

    Called after the change is committed and beside the request, in the order of the events, in one thread per worker.
    To raise is logged and changes nothing. Events that wait in a worker when it is killed are lost.
    """
