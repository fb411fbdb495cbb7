"""The progress of an import: a server whose import is not finished must not start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wheelgate.errors import StartupError
from wheelgate.store.database import Database


@dataclass(frozen=True, slots=True)
class ImportRun:
    """An import that has begun."""

    source: str
    """The folder of the export."""
    fingerprint: str
    """A hash of the export and of all decisions: only the same import may go on."""


class ImportProgress:
    """The tables ``import_run`` and ``import_progress``. Changes need a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self) -> ImportRun | None:
        """Return the unfinished import; None if there is none."""
        rows = self._database.read("SELECT source, fingerprint FROM import_run")
        return ImportRun(*rows[0]) if rows else None

    def begin(self, run: ImportRun) -> None:
        """Begin an import."""
        self._database.write(
            "INSERT INTO import_run (source, fingerprint) VALUES (?, ?)", (run.source, run.fingerprint)
        )

    def finished(self) -> frozenset[str]:
        """Return the users and indices that are complete."""
        return frozenset(subject for (subject,) in self._database.read("SELECT subject FROM import_progress"))

    def record(self, subjects: Iterable[str]) -> None:
        """Record users and indices that are complete."""
        for subject in subjects:
            self._database.write("INSERT INTO import_progress (subject) VALUES (?)", (subject,))

    def end(self) -> None:
        """End the import: from now on the server can start."""
        self._database.write("DELETE FROM import_progress")
        self._database.write("DELETE FROM import_run")


def refuse_unfinished_import(database: Database) -> None:
    """Raise ``StartupError`` if an import has begun and is not finished."""
    run = ImportProgress(database).run()
    if run is not None:
        raise StartupError(f"an import of {run.source} is not finished: repeat it, or remove this folder")
