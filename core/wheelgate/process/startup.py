"""What happens before the server listens: folder, lock, secret, database, root."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from wheelgate.app import Application
from wheelgate.config import Config
from wheelgate.errors import BackendUnavailable, Refusal, StartupError
from wheelgate.logs import where
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.server import Server
from wheelgate.store.database import Database
from wheelgate.values import ROOT, User

SHORTEST_SECRET = 32
FEWEST_DIFFERENT = 12
PATIENCE = 3.0
"""Seconds to wait for a server that is just ending."""
DONE = "done"

log = logging.getLogger("wheelgate.startup")


def prepare_server(config: Config, plugins: Plugins) -> None:
    """Make or check everything the workers need.

    Raises:
        StartupError: something is not as it must be; the text says what to do.
    """
    make_folder(config.serverdir)
    make_secret(config.secret_path, given=config["secretfile"] is not None)
    check_access_log(config["access-log"])

    def work() -> None:
        prepare_database(config, plugins)
        application = Application(config, plugins)
        try:
            application.sweep()
        except BackendUnavailable as error:
            log.warning("the files could not be looked at before the start: %s", error)
        finally:
            application.close()

    in_child(work)


def rehearse(config: Config, plugins: Plugins) -> None:
    """Wire an application and throw it away: what would fail in every worker is said once, before it matters.

    Raises:
        StartupError: it failed.
    """
    check_access_log(config["access-log"])
    in_child(lambda: Application(config, plugins).close())


def check_access_log(name: str) -> None:
    """Make sure that the file for a line about each request can be written; ``-`` and nothing are no files.

    Raises:
        StartupError: it cannot.
    """
    if name not in ("", "-"):
        try:
            Path(name).open("ab").close()
        except OSError as error:
            raise StartupError(f"--access-log: cannot write {name}: {error.strerror}") from None


def make_folder(folder: Path) -> None:
    """Make the server's folder, for its owner only."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "no permission to write there")
    except OSError as error:
        raise StartupError(f"--serverdir: cannot use {folder}: {error.strerror}") from None


def lock_folder(folder: Path, patience: float = PATIENCE) -> int:
    """Take the folder for this server; the lock ends with the process that holds the returned file descriptor.

    Args:
        folder: the server's.
        patience: seconds in which a server that is ending may give the folder back.

    Raises:
        StartupError: another server has it.
    """
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise StartupError(
                    f"another server uses {folder}; stop it, or start this one with another --serverdir"
                ) from None
            time.sleep(0.1)
        else:
            return descriptor


def make_secret(path: Path, *, given: bool) -> None:
    """Make the secret if it is not there, and check it.

    Raises:
        StartupError: it cannot be read, is too weak, or can be read by others.
    """
    try:
        if not path.exists():
            draft = path.with_name(path.name + f".{os.getpid()}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
        secret = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise StartupError(f"cannot use the secret file {path}: {error.strerror}") from None
    if len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_DIFFERENT:
        hint = "write 48 random characters into it" if given else "remove it; all logins then end"
        raise StartupError(f"the secret in {path} is too weak: {hint}")
    if mode & 0o077:
        raise StartupError(f"others can read the secret file {path}; run: chmod 600 {path}")


def prepare_database(config: Config, plugins: Plugins) -> None:
    """Begin the database or bring it up to date; refuse or warn of what would let strangers in."""
    # Only the child that prepares needs it; the server would keep its 3 MB for good.
    from wheelgate.store.prepare import CORE_MIGRATIONS, prepare

    migrations = [("core", CORE_MIGRATIONS), *plugins.ask("wheelgate_migrations")]
    prepare(config.database_url, migrations, lambda database: fill(config, plugins, database))
    database = Database(config.database_url)
    try:
        server = open_stores(config, plugins, database)
        if server.users.password_hash(ROOT) == "":
            if not config.loopback:
                raise StartupError(
                    f"root has an empty password and --host {config['host']} is not only this machine; "
                    "set one with 'devpi-server passwd root'"
                )
            log.warning(
                "root has an EMPTY password: whoever can run a program on this machine can do everything here; "
                "set one with 'devpi-server passwd root'"
            )
        for _, warnings in plugins.ask("wheelgate_warnings", server=server):
            for warning in warnings:
                log.warning("%s", warning)
    finally:
        database.close()


def fill(config: Config, plugins: Plugins, database: Database) -> None:
    """Give a new database root and the first indices."""
    server = open_stores(config, plugins, database)
    password = config["root-passwd"]
    if not password and not config.loopback:
        raise StartupError(
            f"--host {config['host']} is not only this machine: "
            "give root a password with --root-passwd at the first start"
        )
    hasher = plugins.only("wheelgate_password_hasher", "a password hasher", needed=False, server=server)
    if password and hasher is None:
        raise StartupError("--root-passwd: no plugin keeps passwords")
    if server.users.get(ROOT) is None:
        now = datetime.now(UTC).replace(microsecond=0)
        root = User(ROOT, stamp=secrets.token_urlsafe(12), created=now)
        server.users.create(root, hasher.hash(password) if password else "")
    for _, indices in plugins.ask("wheelgate_first_indices", server=server):
        for index in indices:
            if server.indices.get(index.owner, index.name) is None:
                server.indices.create(index)


def open_stores(config: Config, plugins: Plugins, database: Database) -> Server:
    """Let the plugins bring the two stores."""
    server = Server(config, database)
    server.users = plugins.only("wheelgate_user_store", "a store of users", needed=True, server=server)
    server.indices = plugins.only("wheelgate_index_store", "a store of indices", needed=True, server=server)
    return server


def in_child(work: Callable[[], None]) -> None:
    """Do the work in a process of its own, so that what it loads and opens does not stay with the server.

    Raises:
        StartupError: the work raised it; the text is passed on.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        text = DONE
        try:
            work()
        except (StartupError, Refusal) as error:
            text = str(error)
        except BaseException as error:  # noqa: BLE001 - the child must not run on into the parent's code
            text = f"the server could not be prepared: {where(error)}"
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
