"""The configuration files of pip, uv and others: what they say, and how the edits of the plugins are made."""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import py

from wheelgate_client.errors import UsageError, reason
from wheelgate_client.hookspecs import ConfigError, ConfigWriter, Edit, Location
from wheelgate_client.server import urls
from wheelgate_client.session import Session
from wheelgate_client.state.atomic import PRIVATE_FILE, local, locked, replace

Plan = Callable[[ConfigWriter, Path], Edit]


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One tool's file."""

    writer: ConfigWriter
    location: Location


class ConfigFiles:
    """The files of the user, or those in the virtual environment ``venv``; one that fails does not stop the others.

    ``names`` are those of the writers to ask; if there are none, it is every writer that need not be named.
    """

    def __init__(self, session: Session, venv: Path | None, names: Collection[str]) -> None:
        self._terminal = session.terminal
        self._lock_directory = session.directory
        self._named = bool(names)
        self._files: list[ConfigFile] = []
        self.failures = 0
        """How many files could not be read or changed; each has been told."""
        for writer in session.plugins.config_writers():
            if names and writer.name not in names:
                continue
            with self._guarded(writer.name):
                location = writer.location(venv)
                if location is None and names:
                    # Whoever names a tool means the file that it reads here, which then is the user's.
                    location = writer.location(None)
                if location is not None and (names or not location.by_name_only):
                    self._files.append(ConfigFile(writer, location))

    @property
    def keep_a_login(self) -> bool:
        """Whether any of them has a place for a login."""
        return any(file.location.keeps_login for file in self._files)

    def change(self, plan: Plan) -> None:
        """Make the edit that ``plan`` gives for each file, while no other client does."""
        with locked(self._lock_directory):
            for file in self._files:
                with self._guarded(file.location.label):
                    apply(plan(file.writer, file.location.path))

    def preview(self, plan: Plan) -> None:
        """Print the edits that :meth:`change` would make."""
        for file in self._files:
            with self._guarded(file.location.label):
                edit = plan(file.writer, file.location.path)
                if edit.before != edit.after:
                    self._terminal.block(difference(edit, file.location.label))

    def statuses(self) -> list[tuple[str, str]]:
        """Return label and status of each file worth showing."""
        found = ((file.location.label, self._status(file)) for file in self._files)
        return [(label, status) for label, status in found if status is not None]

    def _status(self, file: ConfigFile) -> str | None:
        status: str | None = "cannot be read"
        with self._guarded(file.location.label):
            url = file.writer.read(file.location.path)
            if url is not None:
                status = urls.masked(url)
            elif not (file.location.shown or self._named):
                status = None
            else:
                status = "no index server configured" if file.location.path.exists() else "no config file exists"
        return status

    @contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        try:
            yield
        except ConfigError as error:
            self._tell(str(error))
        except OSError as error:
            self._tell(f"{what}: {reason(error)}; the file is as it was before")
        except Exception as error:  # noqa: BLE001 - a stranger's writer may raise anything
            self._tell(f"{what}: {type(error).__name__}: {error}; the file is as it was before")

    def _tell(self, text: str) -> None:
        self.failures += 1
        self._terminal.error(text)


def check_names(session: Session, names: Collection[str]) -> None:
    """Make sure that there is a writer of each name.

    Raises:
        UsageError: if not; the text names those that there are.
    """
    known = [writer.name for writer in session.plugins.config_writers()]
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise UsageError(f"devpi use: error: '{unknown}' is nothing that can be set: --for knows {', '.join(known)}")


def apply(edit: Edit) -> None:
    """Make the edit in one step; what stood in the file before its first edit is kept in ``FILE-bak``.

    Raises:
        OSError: if that cannot be done; the file is then what it was.
    """
    path = local(edit.path)
    mode = _mode(path)
    wanted = mode & PRIVATE_FILE if edit.has_secret else mode
    if edit.after == edit.before:
        if edit.before is not None and wanted != mode:
            path.chmod(wanted)
        return
    path.dirpath().ensure(dir=1)
    backup = path.new(basename=f"{path.basename}-bak")
    if edit.before is not None and not backup.exists():
        replace(backup, edit.before, wanted)
    if edit.after is None:
        path.remove()
    else:
        replace(path, edit.after, wanted)


def difference(edit: Edit, label: str) -> str:
    """Return the edit as a unified diff that shows no password."""
    before, after = (
        content.decode(errors="replace").splitlines() if content else [] for content in (edit.before, edit.after)
    )
    text = urls.masked("\n".join(difflib.unified_diff(before, after, label, label, lineterm="")))
    secrets = sorted(filter(None, edit.secrets), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, secrets)), "****", text) if secrets else text


def _mode(path: py.path.local) -> int:
    if path.exists():
        return stat.S_IMODE(path.stat().mode)
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask
