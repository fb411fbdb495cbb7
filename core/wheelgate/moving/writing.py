"""Writes a checked export into a new server: files first, then each user with all indices, root's password last."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from wheelgate.errors import StartupError
from wheelgate.files.bulk import BulkStore, ChangedFileError
from wheelgate.moving.index_plan import PlannedIndex
from wheelgate.moving.plan import ImportPlan
from wheelgate.moving.user_plan import PlannedUser
from wheelgate.packages import movable
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.server import Server
from wheelgate.services.opened_server import OpenedServer
from wheelgate.store.database import Database
from wheelgate.store.import_progress import ImportProgress, ImportRun
from wheelgate.store.protocols import UserStore
from wheelgate.store.server_state import ServerState
from wheelgate.values import ROOT, User


def begin_import(plan: ImportPlan, database: Database, users: UserStore) -> None:
    """Give a new database root, without a password yet, and the mark of an import that is not finished.

    Call it inside the transaction that creates the database: without the mark, a killed import would be a server.
    """
    ImportProgress(database).begin(ImportRun(str(plan.folder.path), plan.fingerprint))
    if plan.details.uuid:
        ServerState(database).take_identity(plan.details.uuid)
    root = plan.users.get(ROOT)
    user = User(ROOT, "", datetime.now(UTC).replace(microsecond=0)) if root is None else root.user
    users.create(_with_stamp(user), None)


def resumed(plan: ImportPlan, database: Database) -> bool:
    """Return whether the database is that of the same import, which was interrupted.

    Raises:
        StartupError: it is that of another import, or of a server.
    """
    run = ImportProgress(database).run()
    if run is None:
        return False
    if run.fingerprint != plan.fingerprint:
        raise StartupError(
            f"an import of {run.source} is not finished here, and this is another one, or has other options: repeat "
            "that one, or remove this folder"
        )
    return True


class ImportWriter:
    """Writes one plan."""

    def __init__(self, plan: ImportPlan, opened: OpenedServer, plugins: Plugins) -> None:
        self._plan = plan
        self._opened = opened
        self._server: Server = opened.server
        self._plugins = plugins
        self._progress = ImportProgress(opened.server.database)

    def store_files(self, store: BulkStore, progress: Callable[[int], None]) -> None:
        """Store all files. ``progress`` gets the size of each.

        Raises:
            StartupError: a file was changed since the check.
            StorageFull: no space is left.
            BackendUnavailable: the disk or the object store fails.
        """
        projects = self._plan.projects
        for planned in self._plan.indices:
            exported = planned.exported
            for name in exported.names:
                for number, entry in projects.data.entries(exported, name, projects.data.versions(exported, name)):
                    checked = projects.checked.get(number)
                    if checked is None:
                        continue
                    with self._plan.folder.open(entry.relpath) as descriptor:
                        try:
                            store.add(descriptor, checked.stored)
                        except ChangedFileError:
                            raise StartupError(f"{entry.relpath!a} was changed while it was imported") from None
                    progress(checked.size)
        store.finish()

    def record(self) -> None:
        """Record everything that is not recorded yet, and end the import."""
        finished = self._progress.finished()
        for old, planned in sorted(self._plan.users.items()):
            if planned.user.name not in finished:
                indices = [each for each in self._plan.indices if each.exported.path.partition("/")[0] == old]
                with self._server.database.transaction():
                    self._record_user(planned, indices)
        with self._server.database.transaction():
            self._record_plugins()
            root = self._server.users.get(ROOT)
            planned_root = self._plan.users.get(ROOT)
            if root is not None and planned_root is not None and planned_root.password_hash is not None:
                self._server.users.set_password_hash(root, planned_root.password_hash, root.stamp)
            self._progress.end()

    def _record_user(self, planned: PlannedUser, indices: Iterable[PlannedIndex]) -> None:
        if planned.user.name != ROOT:
            self._server.users.create(_with_stamp(planned.user), planned.password_hash)
        done = [planned.user.name]
        for each in indices:
            self._server.indices.create(each.index)
            packages = movable(self._opened.indices.types[each.kind.name].packages)
            if packages is not None:
                for name in each.exported.names:
                    packages.import_project(each.index, self._plan.projects.read(each.exported, name))
            done.append(each.index.path)
        self._progress.record(done)

    def _record_plugins(self) -> None:
        """Let the plugins take the data that they have exported."""
        users = {old: planned.user.name for old, planned in self._plan.users.items()}
        for implementation in self._plugins.implementations("wheelgate_import_data"):
            data = self._plan.details.plugins.get(implementation.plugin)
            if data is not None:
                implementation(server=self._server, data=data, users=users)


def _with_stamp(user: User) -> User:
    """Return a user with a stamp: the one of an export of this server, to which tokens are bound, or a new one."""
    return user if user.stamp else replace(user, stamp=secrets.token_urlsafe(12))
