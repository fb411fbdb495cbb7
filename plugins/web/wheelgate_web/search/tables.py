"""SQL that writes the tables of the search. All of it can be made again from the packages of the server."""

from __future__ import annotations

import hashlib
import json
import string
import time
from collections.abc import Iterable, Mapping

from wheelgate.store.database import Database
from wheelgate_web.search.entries import Entry
from wheelgate_web.search.words import parts_of, squeezed, starts_of, words_of

COLUMNS = "id, index_path, name, squeezed, summary, keywords, latest, time, requirements, stamp"
SAVE_ENTRY = f"""
    INSERT INTO web_project ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (index_path, name) DO UPDATE SET summary = excluded.summary, keywords = excluded.keywords,
        latest = excluded.latest, time = excluded.time, requirements = excluded.requirements, stamp = excluded.stamp
    RETURNING id
"""  # noqa: S608 - a constant
SAVE_STAMP = """
    INSERT INTO web_index (path, stamp) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET stamp = excluded.stamp
"""
TAKE_LEASE = """
    INSERT INTO web_lease (name, holder, until) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE web_lease.until < ? OR web_lease.holder = excluded.holder
"""
START, NAME, PARTS, TEXT, NEEDS, PLACE = "s", "n", "p", "t", "r", "i"
"""In PostgreSQL the first letter of a lexeme says what it is from; in SQLite each has a column of its own."""
NUMBER_ALPHABET = "\0-" + string.digits + string.ascii_lowercase
"""The characters of a normalised name, in their order, after one that stands for its end."""
NUMBER_CHARS, START_BITS, ARBITRARY_BITS = 7, 37, 18
"""A number has 63 bits: eight for the length of the name, 37 for its first seven characters, 18 to tell rows apart."""
MAX_NUMBERED_CHARS = 255
PLACE_BYTES = 8
LOCK_KEY = 0x776562
"""The first key of PostgreSQL's advisory locks for indices that are written: the word ``web`` in ASCII."""


class SearchTables:
    """The tables of the search. Changes need a transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def lock(self, path: str) -> None:
        """Let other writers of an index wait until the transaction ends. SQLite has a single writer anyway."""
        if self.database.kind == "postgresql":
            self.database.returning("SELECT pg_advisory_xact_lock(?, hashtext(?))", (LOCK_KEY, path))

    def save(self, entry: Entry, stamp: str) -> None:
        """Add or replace the entry of a project."""
        name = squeezed(entry.name)
        columns = (entry.summary, entry.keywords, entry.latest, entry.time, json.dumps(entry.requirements), stamp)
        key = (self._number(entry.index, entry.name), entry.index, entry.name, name)
        ((number,),) = self.database.returning(SAVE_ENTRY, (*key, *columns))
        text = words_of(f"{entry.summary} {entry.keywords}")
        needs = [squeezed(required) for required in entry.requirements]
        words = (starts_of(name), words_of(entry.name), parts_of(name), text, needs, [place_of(entry.index)])
        if self.database.kind == "postgresql":
            self.database.write(
                "UPDATE web_project SET search = array_to_tsvector(CAST(? AS text[])) WHERE id = ?",
                (lexemes(*words), number),
            )
            return
        self.database.write("DELETE FROM web_search WHERE rowid = ?", (number,))
        self.database.write(
            "INSERT INTO web_search (rowid, start, name, parts, text, needs, place) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, *(" ".join(each) for each in words)),
        )

    def remove(self, path: str, name: str) -> None:
        """Remove the entry of a project, if there is one."""
        self._remove("index_path = ? AND name = ?", path, name)

    def remove_index(self, path: str) -> None:
        """Remove all entries of an index, and its stamp."""
        self._remove("index_path = ?", path)
        self.database.write("DELETE FROM web_index WHERE path = ?", (path,))

    def clear(self) -> None:
        """Remove everything but the lease."""
        for table in ("web_project", "web_index", *(("web_search",) if self.database.kind == "sqlite" else ())):
            self.database.write(f"DELETE FROM {table}")  # noqa: S608 - named above

    def save_stamp(self, path: str, stamp: str) -> None:
        """Record with which stamp an index was read to its end."""
        self.database.write(SAVE_STAMP, (path, stamp))

    def stamps(self) -> Mapping[str, str]:
        """Return the stamps of all indices that were read to their end, by path."""
        return dict(self.database.read("SELECT path, stamp FROM web_index"))

    def paths(self) -> Iterable[str]:
        """Return the paths of all indices of which something is stored."""
        rows = self.database.read("SELECT path FROM web_index UNION SELECT DISTINCT index_path FROM web_project")
        return [path for (path,) in rows]

    def project_stamps(self, path: str) -> Mapping[str, str]:
        """Return the stamps of the projects of an index, by name."""
        return dict(self.database.read("SELECT name, stamp FROM web_project WHERE index_path = ?", (path,)))

    def count(self) -> int:
        """Return the number of entries."""
        return int(self.database.read("SELECT COUNT(*) FROM web_project")[0][0])

    def take_lease(self, name: str, holder: str, seconds: float) -> bool:
        """Take a lease, or renew one's own; False if somebody else has it."""
        now = time.time()
        with self.database.transaction(derived=True):
            return bool(self.database.write(TAKE_LEASE, (name, holder, now + seconds, now)))

    def _number(self, path: str, name: str) -> int:
        """Return a free number for a row: shorter names have lower ones, and then those that come first (mostly)."""
        number = first_number(path, name)
        taken = "SELECT index_path, name FROM web_project WHERE id = ?"
        while (rows := self.database.read(taken, (number,))) and rows[0] != (path, name):
            number += 1
        return number

    def _remove(self, condition: str, *values: str) -> None:
        if self.database.kind == "sqlite":
            self.database.write(
                f"DELETE FROM web_search WHERE rowid IN (SELECT id FROM web_project WHERE {condition})",  # noqa: S608
                values,
            )
        self.database.write(f"DELETE FROM web_project WHERE {condition}", values)  # noqa: S608 - named above


def lexemes(*words: Iterable[str]) -> list[str]:
    """Return the lexemes of PostgreSQL's index; a lexeme that comes twice counts once."""
    kinds = zip((START, NAME, PARTS, TEXT, NEEDS, PLACE), words, strict=True)
    return sorted({f"{kind}{word}" for kind, each in kinds for word in each})


def place_of(path: str) -> str:
    """Return a word that stands for an index."""
    return hashlib.blake2b(path.encode(), digest_size=PLACE_BYTES).hexdigest()


def first_number(path: str, name: str) -> int:
    """Return the first number that a row may have: the length and first characters of its name, then arbitrary bits."""
    start = 0
    for char in name[:NUMBER_CHARS].ljust(NUMBER_CHARS, "\0"):
        start = start * len(NUMBER_ALPHABET) + NUMBER_ALPHABET.index(char)
    digest = hashlib.blake2b(f"{path}/{name}".encode(), digest_size=8).digest()
    arbitrary = int.from_bytes(digest) >> (64 - ARBITRARY_BITS)
    return (min(len(name), MAX_NUMBERED_CHARS) << (START_BITS + ARBITRARY_BITS)) | (start << ARBITRARY_BITS) | arbitrary
