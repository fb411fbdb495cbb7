"""The configuration files of pip, uv and others: what they say, and how the edits of the plugins are made."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import py

from wheelgate_client import urls
from wheelgate_client.errors import reason
from wheelgate_client.files import PRIVATE_FILE, local, locked, replace
from wheelgate_client.hookspecs import ConfigError, ConfigWriter, Edit, Location
from wheelgate_client.session import Session

Plan = Callable[[ConfigWriter, Path], Edit]


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One tool's file."""

    writer: ConfigWriter
    location: Location


class ConfigFiles:
    """The files of the user, or those in the virtual environment ``venv``; one that fails does not stop the others."""

    def __init__(self, session: Session, venv: Path | None) -> None:
        self._terminal = session.terminal
        self._lock_directory = session.directory
        self._files: list[ConfigFile] = []
        self.failures = 0
        """How many files could not be read or changed; each has been told."""
        for writer in session.plugins.config_writers():
            with self._guarded(writer.name):
                location = writer.location(venv)
                if location is not None:
                    self._files.append(ConfigFile(writer, location))

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
                    self._terminal.block(urls.masked(difference(edit, file.location.label)))

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
            elif not file.location.shown:
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


def apply(edit: Edit) -> None:
    """Make the edit in one step; what stood in the file before its first edit is kept in ``FILE-bak``.

    Raises:
        OSError: if that cannot be done; the file is then what it was.
    """
    path = local(edit.path)
    mode = _mode(path)
    wanted = mode & PRIVATE_FILE if edit.has_secret else mode
    if edit.after == edit.before:
        if wanted != mode:
            path.chmod(wanted)
        return
    path.dirpath().ensure(dir=1)
    backup = path.new(basename=f"{path.basename}-bak")
    if edit.before is not None and not backup.exists():
        replace(backup, edit.before, mode)
    if edit.after is None:
        path.remove()
    else:
        replace(path, edit.after, wanted)


def difference(edit: Edit, label: str) -> str:
    """Return the edit as a unified diff."""
    before, after = (
        content.decode(errors="replace").splitlines() if content else [] for content in (edit.before, edit.after)
    )
    return "\n".join(difflib.unified_diff(before, after, label, label, lineterm=""))


def _mode(path: py.path.local) -> int:
    if path.exists():
        return stat.S_IMODE(path.stat().mode)
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask
