"""The configuration files of pip, uv and other tools: shows their status and makes the edits that plugins plan."""

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

from wheelgate_client.context import ClientContext
from wheelgate_client.errors import UsageError, os_reason
from wheelgate_client.hookspecs import ConfigError, ConfigWriter, Edit, Location
from wheelgate_client.server import urls
from wheelgate_client.state.atomic_files import PRIVATE_FILE_MODE, expanded_path, lock_directory, replace_file

EditPlanner = Callable[[ConfigWriter, Path], Edit]


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file and the writer that can edit it."""

    writer: ConfigWriter
    location: Location


class ConfigFiles:
    """The files of the user, or those in the virtual environment ``venv``; one that fails does not stop the others.

    ``names`` selects the writers; if it is empty, all writers take part except those that work by name only.
    """

    def __init__(self, context: ClientContext, venv: Path | None, names: Collection[str]) -> None:
        self._terminal = context.terminal
        self._directory_to_lock = context.client_dir
        self._named = bool(names)
        self._files: list[ConfigFile] = []
        self.failures = 0
        """How many files could not be read or changed; an error message was printed for each."""
        for writer in context.plugins.config_writers():
            if names and writer.name not in names:
                continue
            with self._report_errors(writer.name):
                location = writer.location(venv)
                if location is None and names:
                    # The tool reads no file in the virtual environment, so the user means the file in their home.
                    location = writer.location(None)
                if location is not None and (names or not location.by_name_only):
                    self._files.append(ConfigFile(writer, location))

    @property
    def can_store_login(self) -> bool:
        """Whether any of the files can store a login."""
        return any(file.location.stores_login for file in self._files)

    def change(self, plan_edit: EditPlanner) -> None:
        """Make the planned edit of each file, while no other client can."""
        with lock_directory(self._directory_to_lock):
            for file in self._files:
                with self._report_errors(file.location.label):
                    apply_edit(plan_edit(file.writer, file.location.path))

    def preview(self, plan_edit: EditPlanner) -> None:
        """Print the edits that :meth:`change` would make."""
        for file in self._files:
            with self._report_errors(file.location.label):
                edit = plan_edit(file.writer, file.location.path)
                if edit.before != edit.after:
                    self._terminal.print_block(format_diff(edit, file.location.label))

    def statuses(self) -> list[tuple[str, str]]:
        """Return label and status of each file that ``devpi use`` lists."""
        found = ((file.location.label, self._status(file)) for file in self._files)
        return [(label, status) for label, status in found if status is not None]

    def _status(self, file: ConfigFile) -> str | None:
        status: str | None = "cannot be read"
        with self._report_errors(file.location.label):
            configured = file.writer.status(file.location.path)
            if configured is not None:
                status = urls.mask_passwords(configured)
            elif not (file.location.listed_when_unset or self._named):
                status = None
            else:
                status = "no index server configured" if file.location.path.exists() else "no config file exists"
        return status

    @contextmanager
    def _report_errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except ConfigError as error:
            self._count_failure(str(error))
        except OSError as error:
            self._count_failure(f"{what}: {os_reason(error)}; the file was not changed")
        except Exception as error:  # noqa: BLE001 - a third-party writer may raise anything
            self._count_failure(f"{what}: {type(error).__name__}: {error}; the file was not changed")

    def _count_failure(self, text: str) -> None:
        self.failures += 1
        self._terminal.error(text)


def check_writer_names(context: ClientContext, names: Collection[str]) -> None:
    """Make sure that there is a writer of each name.

    Raises:
        UsageError: if not; the text lists the known names.
    """
    known = [writer.name for writer in context.plugins.config_writers()]
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise UsageError(f"devpi use: error: no plugin can configure '{unknown}': --for takes {', '.join(known)}")


def apply_edit(edit: Edit) -> None:
    """Make the edit in one step; ``FILE-bak`` keeps the content from before the first edit.

    Raises:
        OSError: if that fails; the file is then unchanged.
    """
    path = expanded_path(edit.path)
    mode = _current_or_default_mode(path)
    new_mode = mode & PRIVATE_FILE_MODE if edit.has_secret else mode
    if edit.after == edit.before:
        if edit.before is not None and new_mode != mode:
            path.chmod(new_mode)
        return
    path.dirpath().ensure(dir=1)
    backup = path.new(basename=f"{path.basename}-bak")
    if edit.before is not None and not backup.exists():
        replace_file(backup, edit.before, new_mode)
    if edit.after is None:
        path.remove()
    else:
        replace_file(path, edit.after, new_mode)


def format_diff(edit: Edit, label: str) -> str:
    """Return the edit as a unified diff with all passwords masked."""
    before, after = (
        content.decode(errors="replace").splitlines() if content else [] for content in (edit.before, edit.after)
    )
    text = urls.mask_passwords("\n".join(difflib.unified_diff(before, after, label, label, lineterm="")))
    secrets = sorted(filter(None, edit.secrets), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, secrets)), "****", text) if secrets else text


def _current_or_default_mode(path: py.path.local) -> int:
    if path.exists():
        return stat.S_IMODE(path.stat().mode)
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask
