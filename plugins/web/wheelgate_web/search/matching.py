"""Answers queries: which projects of the readable indices match, the best first, and what may have been meant.

The order has no statistics in it, so that nothing depends on projects that the caller may not see:

0. the name equals the query,
1. the name begins with it,
2. words of the name begin with its words,
3. the name contains it,
4. words of name, summary or keywords equal its words, or begin with them;

then the shorter name, then the name, then the path of the index.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wheelgate.store.database import Database
from wheelgate_web.search.entries import Entry
from wheelgate_web.search.tables import NAME, NEEDS, PARTS, PLACE, START, TEXT, place_of
from wheelgate_web.search.words import MAX_PART_CHARS, MIN_PART_CHARS, Query, squeezed

MAX_RANK_MATCHES = 500
"""Matches of each rank that a search shows, of those with the shortest names."""
MAX_PLACES = 5
"""Readable indices that the full-text index is asked for. It is no use to somebody who may read nearly all of them."""
MIN_CORRECTED_CHARS = 4
MAX_CORRECTED_CHARS = 40
"""Letters of a query that is corrected; of a longer one there would be too many names one edit away."""
MAX_CORRECTIONS = 3
NAME_CHARS = string.ascii_lowercase + string.digits
SQLITE_COLUMNS = {START: "start", NAME: "name", PARTS: "parts", TEXT: "text", NEEDS: "needs", PLACE: "place"}
"""The columns of SQLite's full-text table."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller may read."""

    indices: Sequence[str]
    """The paths of the readable indices."""
    projects: frozenset[str] | None = None
    """The only projects that the credential allows to read; None for all."""


@dataclass(frozen=True, slots=True)
class Matches:
    """A part of the matches of a query."""

    entries: tuple[Entry, ...]
    more: bool
    """Whether there are further matches."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word to look for."""

    kinds: Sequence[str]
    """The kinds of words to look at, such as :data:`NAME`."""
    word: str
    begins: bool = False
    """Whether words that begin with it match, too."""


class Search:
    """Reads the tables of the search."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_sqlite = database.kind == "sqlite"

    def find(self, scope: Scope, query: Query, offset: int, limit: int) -> Matches:
        """Return matches in the order of the module's docstring, from ``offset`` on."""
        if not query.words or not scope.indices:
            return Matches((), more=False)
        found: dict[int, None] = {}
        for condition, params in self._kinds(scope, query):
            found.update(dict.fromkeys(self._matches(scope, condition, params)))
            if len(found) > offset + limit:
                break
        numbers = list(found)[offset : offset + limit]
        return Matches(self._entries(numbers), more=len(found) > offset + limit)

    def corrections(self, scope: Scope, query: Query) -> list[str]:
        """Return names one edit or swap away from a query, the shortest first."""
        name = query.name
        if not MIN_CORRECTED_CHARS <= len(name) <= MAX_CORRECTED_CHARS or not scope.indices:
            return []
        where, params = self._readable(scope)
        values = self._values("squeezed", edits(name), indexed=True)
        rows = self._database.read(
            f"SELECT DISTINCT p.name, LENGTH(p.name) FROM web_project p WHERE {values[0]} AND {where}"  # noqa: S608
            " ORDER BY 2, 1 LIMIT ?",
            (values[1], *params, MAX_CORRECTIONS),
        )
        return [row[0] for row in rows]

    def users_of(self, scope: Scope, project: str, limit: int) -> Matches:
        """Return the projects whose latest version requires ``project``, a normalised name, the shortest name first."""
        if not scope.indices:
            return Matches((), more=False)
        condition, match = self._match(scope, [Term((NEEDS,), squeezed(project))])
        numbers = self._matches(scope, f"{condition} AND p.requirements LIKE ?", (match, f'%"{project}"%'))
        return Matches(self._entries(numbers[:limit]), more=len(numbers) > limit)

    def _kinds(self, scope: Scope, query: Query) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield a condition and its parameters for each rank."""
        name = query.name
        yield "p.squeezed = ?", (name,)
        condition, match = self._match(scope, [Term((START,), name[:MAX_PART_CHARS])])
        yield f"{condition} AND p.squeezed LIKE ?", (match, f"{name}%")
        condition, match = self._match(scope, [Term((NAME,), word, begins=True) for word in query.words])
        yield condition, (match,)
        if len(name) >= MIN_PART_CHARS:
            condition, match = self._match(scope, [Term((PARTS,), name[:MAX_PART_CHARS], begins=True)])
            yield f"{condition} AND p.squeezed LIKE ?", (match, f"%{name}%")
        # PERF: whole words come first, since all words that begin so have to be merged: 50 ms for three frequent ones.
        for begins in (False, True):
            condition, match = self._match(scope, [Term((NAME, TEXT), word, begins) for word in query.words])
            yield condition, (match,)

    def _matches(self, scope: Scope, condition: str, params: Sequence[Any]) -> list[int]:
        """Return the numbers of the first matches of one rank, in order.

        The database stops at :data:`MAX_RANK_MATCHES`, and finds them in the order of their numbers, which is that of
        the length and the beginning of the names: half of all projects may have a word such as ``library``.
        """
        where, values = self._readable(scope)
        table = "web_search f CROSS JOIN web_project p ON p.id = f.rowid" if "MATCH" in condition else "web_project p"
        order = "f.rowid" if "MATCH" in condition else "p.id"
        rows = self._database.read(
            f"SELECT p.id, p.name, p.index_path FROM {table} WHERE {condition} AND {where} ORDER BY {order} LIMIT ?",  # noqa: S608
            (*params, *values, MAX_RANK_MATCHES),
        )
        return [number for number, *_ in sorted(rows, key=lambda row: (len(row[1]), row[1], row[2]))]

    def _match(self, scope: Scope, terms: Sequence[Term]) -> tuple[str, str]:
        """Return a condition for terms, all of which must match, and its parameter.

        Every word is quoted: the operators of both databases are words like others.
        """
        places = [place_of(path) for path in scope.indices] if len(scope.indices) <= MAX_PLACES else []
        if self._is_sqlite:
            matches = [
                f'{{{" ".join(SQLITE_COLUMNS[kind] for kind in term.kinds)}}} : "{term.word}"{"*" * term.begins}'
                for term in terms
            ]
            matches += ["{place} : (" + " OR ".join(f'"{place}"' for place in places) + ")"] if places else []
            return "f.web_search MATCH ?", " AND ".join(matches)
        groups = [[f"'{kind}{term.word}'{':*' if term.begins else ''}" for kind in term.kinds] for term in terms]
        groups += [[f"'{PLACE}{place}'" for place in places]] if places else []
        return "p.search @@ CAST(? AS tsquery)", " & ".join(f"({' | '.join(group)})" for group in groups)

    def _readable(self, scope: Scope) -> tuple[str, tuple[Any, ...]]:
        """Return the condition that keeps what the caller may read, and its parameters."""
        condition, value = self._values("index_path", scope.indices)
        if scope.projects is None:
            return condition, (value,)
        named, names = self._values("name", sorted(scope.projects))
        return f"{condition} AND {named}", (value, names)

    def _values(self, column: str, values: Sequence[str], *, indexed: bool = False) -> tuple[str, Any]:
        """Return the condition that a column has one of many values, and its parameter.

        ``indexed`` says whether to look the values up. SQLite would do so for each readable index, and read all of it.
        """
        if self._is_sqlite:
            plus = "" if indexed else "+"
            return f"{plus}p.{column} IN (SELECT value FROM json_each(?))", json.dumps(values)  # noqa: S608
        return f"p.{column} = ANY(CAST(? AS text[]))", list(values)

    def _entries(self, numbers: Sequence[int]) -> tuple[Entry, ...]:
        """Return entries by their numbers, in the same order."""
        if not numbers:
            return ()
        rows = self._database.read(
            "SELECT id, index_path, name, summary, keywords, latest, time, requirements FROM web_project"  # noqa: S608
            f" WHERE id IN ({', '.join('?' * len(numbers))})",
            numbers,
        )
        by_number = {
            number: Entry(path, name, summary, keywords, latest, time, tuple(json.loads(requirements)))
            for number, path, name, summary, keywords, latest, time, requirements in rows
        }
        # A row may have gone since the numbers were read.
        return tuple(by_number[number] for number in numbers if number in by_number)


def edits(name: str) -> list[str]:
    """Return all names that one inserted, removed, changed or swapped character makes of a squeezed name."""
    return sorted(set(_edits(name)) - {name})


def _edits(name: str) -> Iterator[str]:
    for place in range(len(name) + 1):
        before, after = name[:place], name[place:]
        yield before + after[1:]
        yield before + after[1:2] + after[:1] + after[2:]
        for char in NAME_CHARS:
            yield before + char + after
            yield before + char + after[1:]
