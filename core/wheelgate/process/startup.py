"""Prepares a server before it listens: its folder, lock, secret, database and root."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain
from operator import attrgetter
from pathlib import Path

from wheelgate.app import Application
from wheelgate.config import Config
from wheelgate.errors import BackendUnavailable, Refusal, StartupError
from wheelgate.logs import error_location
from wheelgate.outgoing.proxies import ignored_variables
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.process.first_start import LOCK_NAME, fill_new_database
from wheelgate.secret_file import exposed_files, make_secret
from wheelgate.server import Server
from wheelgate.services.opened_server import OpenedServer
from wheelgate.store.database import Database, no_thread
from wheelgate.store.import_progress import refuse_unfinished_import
from wheelgate.values import ROOT

LOCK_WAIT_SECONDS = 3.0
"""How long to wait for a server that is just ending."""
LOCK_POLL_SECONDS = 0.1
DONE = "done"
"""What a child process reports when its work succeeded; anything else is the text of an error."""

log = logging.getLogger("wheelgate.startup")


def prepare_server(config: Config, plugins: Plugins) -> None:
    """Make or check everything that the workers need.

    Raises:
        StartupError: something is wrong; the text says what to do.
    """
    make_folder(config.serverdir)
    make_secret(config.secret_path, given=config["secretfile"] is not None)
    check_access_log(config["access-log"])

    def work() -> None:
        create_or_migrate(config, plugins, root_may_be_open=config.loopback)
        with contextlib.closing(open_application(config, plugins)) as application:
            try:
                application.sweep()
            except BackendUnavailable as error:
                hint = "; check --files, --files-endpoint and the AWS_* variables" if config["files"] else ""
                log.warning("the stored files could not be cleaned up before the start: %s%s", error, hint)

    in_child(work)


def rehearse(config: Config, plugins: Plugins) -> None:
    """Make an application and throw it away, so that an error of every worker is reported once and in time.

    Raises:
        StartupError: the application cannot be made.
    """
    check_access_log(config["access-log"])

    def work() -> None:
        Application(config, plugins, refuse_open_root).close()

    in_child(work)


def check_access_log(name: str) -> None:
    """Check that the access log can be written; ``-`` and an empty name stand for no file.

    Raises:
        StartupError: it cannot be written.
    """
    if name not in ("", "-"):
        try:
            Path(name).open("ab").close()
        except OSError as error:
            raise StartupError(f"--access-log: cannot write {name}: {error.strerror}") from None


def make_folder(folder: Path) -> None:
    """Make the server's folder, readable by its owner only.

    Raises:
        StartupError: it cannot be made or written.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(20, "it is not a folder; name the server's folder, or one that does not exist yet")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "no permission to write there")
    except OSError as error:
        raise StartupError(f"--serverdir: cannot use {folder}: {error.strerror}") from None


def lock_folder(folder: Path, wait_seconds: float = LOCK_WAIT_SECONDS) -> int:
    """Lock the folder for this server, and return a file descriptor; the lock ends with the process that holds it.

    Args:
        folder: the server's folder.
        wait_seconds: how long to wait for a server that is ending.

    Raises:
        StartupError: another server has locked it.
    """
    descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise StartupError(
                    f"another server uses {folder}; stop it, or start this one with another --serverdir"
                ) from None
            time.sleep(LOCK_POLL_SECONDS)
        else:
            return descriptor


def open_application(config: Config, plugins: Plugins) -> Application:
    """Open the application of a server whose database exists, and warn about dangerous settings.

    Raises:
        StartupError: a plugin fails, or anybody on the network could log in as root.
    """

    def check(server: Server) -> None:
        refuse_unfinished_import(server.database)
        refuse_open_root(server)
        if server.users.password_hash(ROOT) == "":
            log.warning(
                "root has an EMPTY password: anybody who can run a program on this machine can do everything here; "
                "set one with '%s'",
                config.command("passwd", ROOT),
            )
        answers = [warnings for _, warnings in plugins.ask("wheelgate_warnings", server=server)]
        for warning in chain(exposed_files(config.secret_files), ignored_variables(config, os.environ), *answers):
            log.warning("%s", warning)

    return Application(config, plugins, check)


def create_or_migrate(config: Config, plugins: Plugins, *, root_may_be_open: bool) -> None:
    """Create the database or bring it up to date.

    Args:
        config: the settings.
        plugins: the plugins.
        root_may_be_open: whether a new root may have an empty password if the settings give none.

    Raises:
        StartupError: a migration or a plugin fails, a new root has no password and needs one, or the database is new
            beside the remains of a server.
    """
    is_new = False

    def fill(database: Database) -> None:
        nonlocal is_new
        is_new = True
        fill_new_database(config, plugins, database, root_may_be_open=root_may_be_open)

    prepare_database(config, plugins, fill)
    if config["root-passwd"] is not None and not is_new:
        log.info(
            "root keeps its password, because --root-passwd counts at the first start only; '%s' changes it",
            config.command("passwd", ROOT),
        )


def prepare_database(config: Config, plugins: Plugins, fill: Callable[[Database], None]) -> None:
    """Create the database, filled by a function inside the transaction that creates it, or bring it up to date.

    Raises:
        StartupError: a migration or a plugin fails, or ``fill`` raises it.
    """
    # Only the child that prepares imports it; the server would keep its 3 MB for good.
    from wheelgate.store.prepare import prepare

    prepare(config.database_url, all_migrations(plugins), fill)


def all_migrations(plugins: Plugins) -> list[tuple[str, Path]]:
    """Return the folders with the migrations of the core and of the plugins, by their owners."""
    from wheelgate.store.prepare import CORE_MIGRATIONS

    return [("core", CORE_MIGRATIONS), *plugins.ask("wheelgate_migrations")]


def has_current_tables(database: Database, plugins: Plugins) -> bool:
    """Return whether this version and these plugins can read the tables: no migration is missing, and none is newer."""
    from wheelgate.store.prepare import is_current

    return is_current(database, all_migrations(plugins))


def refuse_open_root(server: Server) -> None:
    """Check that root has a password if other machines can reach the server.

    Raises:
        StartupError: it has none; the text has the command that sets one.
    """
    config = server.config
    if not config.loopback and server.users.password_hash(ROOT) == "":
        raise StartupError(
            f"root has an empty password, and {config.exposed_by} lets other machines reach the server; "
            f"set one with '{config.command('passwd', ROOT)}'"
        )


@contextlib.contextmanager
def open_server(
    config: Config, plugins: Plugins, *, read_only: bool = False, plugins_may_hang: bool = False
) -> Iterator[Server]:
    """Do what :func:`open_services` does, for those who need only what plugins get."""
    with open_services(config, plugins, read_only=read_only, plugins_may_hang=plugins_may_hang) as opened:
        yield opened.server


@contextlib.contextmanager
def open_services(
    config: Config, plugins: Plugins, *, read_only: bool = False, plugins_may_hang: bool = False
) -> Iterator[OpenedServer]:
    """Open the database and the stores of a server that may be running, and close them at the end.

    Args:
        config: the settings.
        plugins: the plugins.
        read_only: whether to refuse every change.
        plugins_may_hang: whether a plugin may still run at the end, in a daemon thread.

    Raises:
        StartupError: a store is missing, or a plugin fails.
    """
    database = Database(config.database_url, read_only=read_only)
    may_run: Callable[[threading.Thread], bool] = threading.Thread.is_alive
    try:
        opened = OpenedServer(config, plugins, database)
        with contextlib.closing(opened.server.files), contextlib.closing(opened.server.deferred):
            yield opened
        may_run = attrgetter("daemon") if plugins_may_hang else no_thread
    except (Refusal, StartupError) as error:
        # A plugin that took longer than its time budget may still be in the middle of a query.
        if not plugins_may_hang and not isinstance(error, BackendUnavailable):
            may_run = no_thread
        raise
    finally:
        database.close(may_run)


def in_child(work: Callable[[], None]) -> None:
    """Do the work in a child process, so that the server does not keep what the work loads and opens.

    Raises:
        StartupError: the work failed, with its text.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        text = DONE
        try:
            work()
        except (StartupError, Refusal) as error:
            text = str(error)
        except BaseException as error:  # noqa: BLE001 - the child must not continue in the parent's code
            text = f"the server could not be prepared: {error_location(error)}"
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            pipe.write(text)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        text = pipe.read()
    with contextlib.suppress(ChildProcessError):  # gunicorn may have collected it
        os.waitpid(child, 0)
    if text != DONE:
        raise StartupError(text or "preparing the server was interrupted; start again")
