"""What upstreams say, kept for a while, asked again by one thread for all, and good enough when nobody answers."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from wheelgate import Index, Server
from wheelgate.caches import TtlCache
from wheelgate.errors import BackendUnavailable, BadUpstream, Forbidden, UpstreamTimeout
from wheelgate_mirror import queries
from wheelgate_mirror.backoff import PAUSE, Backoff
from wheelgate_mirror.key_locks import Turns
from wheelgate_mirror.page_parsing import UnusableError, read_html, read_json
from wheelgate_mirror.pages import packed
from wheelgate_mirror.project_list import packed_names, read_html_names, read_json_names
from wheelgate_mirror.queries import Kept
from wheelgate_mirror.upstream import GONE, Answer, Upstreams
from wheelgate_mirror.upstream_urls import Place, origin

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
JSON = frozenset({"application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.latest+json", "application/json"})
HTML = frozenset({"application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.latest+html", "text/html"})

EXPIRY = 1800
"""Seconds for which a project's page is good if ``mirror_cache_expiry`` does not say."""
LIST_EXPIRY = 3600
"""The same for the list of all projects, which is large and matters to people only, not to installers."""
ABSENT_FOR = 60.0
"""Seconds for which a name that the upstream does not have is not asked for again."""
ABSENT_CACHE_ENTRIES = 10_000
"""Such names that are remembered at once: they come from clients, so there is no end to them."""
PAGE_TIME = 20.0
LIST_TIME = 120.0
"""Seconds that the whole answer may take."""
LARGEST_JSON = 64 << 20
LARGEST_HTML = 16 << 20
"""Bytes of a project's page: as a tree of HTML it takes some twenty times as many."""
LARGEST_LIST = 256 << 20
LONGEST_SERIAL = 18
"""Digits, so that it fits a column."""

log = logging.getLogger("wheelgate.mirror")


@dataclass(frozen=True, slots=True)
class Current:
    """What holds now."""

    content: bytes | None
    """None if the upstream has nothing of that name."""
    until: float | None
    """Seconds since 1970 until which it does; None for ever."""
    stale: bool = False
    """True if the upstream should have been asked, and did not answer."""


class Cache:
    """Knows projects by their names, and the list of all by the empty name."""

    def __init__(self, server: Server, upstreams: Upstreams, backoff: Backoff) -> None:
        self._server = server
        self._database = server.database
        self._upstreams = upstreams
        self._backoff = backoff
        self._turns = Turns()
        self._absent: TtlCache[tuple[str, str, str], float] = TtlCache(ABSENT_CACHE_ENTRIES)

    def current(self, index: Index, place: Place, name: str) -> Current:
        """Return what the upstream says of a name, by asking it or from memory.

        Raises:
            BadUpstream: nobody knows, since it answers what cannot be used, or not at all.
            UpstreamTimeout: nobody knows, since it does not answer in time.
            Forbidden: the server may not go there.
        """
        asked = time.time()
        key = (index.path, place.source, name)
        found = self._found(index, place, name, asked)
        if found is None:
            with self._turns.of(key):
                found = self._found(index, place, name, asked) or self._ask(index, place, name)
        return found

    def forget(self, index: Index, place: Place, name: str) -> None:
        """Ask again at the next opportunity, also one who has just failed."""
        key = (index.path, place.source, name)
        self._absent.pop(key)
        self._backoff.forget(key, origin(place.simple))

    def _found(self, index: Index, place: Place, name: str, asked: float) -> Current | None:
        """Return what need not be asked for; None if it must."""
        key = (index.path, place.source, name)
        kept = self._kept(index, place, name)
        if kept is None:
            content, checked = None, self._absent.get(key) or 0.0
        else:
            content, checked = kept.content, kept.checked
        current = _current(index, name, content, checked)
        # What somebody learnt while this thread waited for its turn is new, even if nothing may be kept.
        if checked >= asked or (checked > 0 and (current.until is None or current.until > time.time())):
            return current
        failed = self._backoff.problem(key, origin(place.simple))
        if failed is None:
            return None
        left, problem = failed
        if kept is None or kept.content is None:
            raise problem
        return Current(kept.content, time.time() + left, stale=True)

    def _ask(self, index: Index, place: Place, name: str) -> Current:
        """Ask the upstream; if that is of no use, make do with what is there."""
        kept = self._kept(index, place, name)
        try:
            return self._asked(index, place, name, kept)
        except (BadUpstream, UpstreamTimeout, Forbidden) as problem:
            self._backoff.note((index.path, place.source, name), problem)
            if kept is None or kept.content is None:
                raise
            log.warning("%s goes on with what it knows of %r: %s", index.path, name or "all projects", problem.message)
            return Current(kept.content, time.time() + PAUSE, stale=True)

    def _asked(self, index: Index, place: Place, name: str, kept: Kept | None) -> Current:
        headers = {"Accept": ACCEPT}
        if kept is not None and kept.etag and kept.content is not None:
            headers["If-None-Match"] = kept.etag
        url = place.page(name)
        with self._upstreams.ask(place, url, headers, seconds=PAGE_TIME if name else LIST_TIME) as answer:
            now, serial = time.time(), _serial(answer)
            if answer.status in GONE and name:
                self._note_absent(index, place, name, kept, now)
                return _current(index, name, None, now)
            if answer.status not in (200, 304):
                raise answer.refusal(f"the page of '{name}'" if name else "the list of its projects")
            ignored = bool(index.config.get("mirror_ignore_serial_header"))
            outdated = kept is not None and kept.content is not None and 0 < serial < kept.serial and not ignored
            if kept is not None and (answer.status == 304 or outdated):  # a cache before the upstream may be behind
                told = replace(kept, checked=now)
            else:
                status, content = _read_page(answer, name) if name else ("", _read_list(answer))
                told = Kept(place.source, now, answer.headers.get("ETag", ""), serial, status, content)
            self._keep(index, name, told, kept)
            return _current(index, name, told.content, now)

    def _keep(self, index: Index, name: str, told: Kept, before: Kept | None) -> None:
        """Keep an answer; its stamp is a new one only if the content is. Whoever asked has it, even if that fails."""
        same = before is not None and before.content == told.content
        change = queries.confirm_page if same else queries.write_page
        try:
            with self._database.transaction():
                if self._server.indices.get(index.owner, index.name) is not None:  # it may be gone meanwhile
                    change(self._database, index.path, name, told)
        except BackendUnavailable as problem:
            log.warning("what the upstream of %s says cannot be kept: %s", index.path, problem.message)

    def _note_absent(self, index: Index, place: Place, name: str, kept: Kept | None, now: float) -> None:
        """Remember that there is no such project; in the database only if there was one."""
        if kept is not None:
            self._keep(index, name, Kept(place.source, now, "", 0, "", None), kept)
        else:
            self._absent.put((index.path, place.source, name), now, ABSENT_FOR)

    def _kept(self, index: Index, place: Place, name: str) -> Kept | None:
        """Return what this upstream has said, not another one that the mirror had before."""
        kept = queries.page(self._database, index.path, name)
        return kept if kept is not None and kept.source == place.source else None


def _current(index: Index, name: str, content: bytes | None, checked: float) -> Current:
    """Say how long an answer holds."""
    told = int(index.config.get("mirror_cache_expiry", EXPIRY if name else LIST_EXPIRY))
    expiry = math.inf if told < 0 else float(told)
    until = checked + (min(expiry, ABSENT_FOR) if content is None else expiry)
    return Current(content, None if until == math.inf else until)


def _serial(answer: Answer) -> int:
    """Return the upstream's change counter; 0 if it tells none."""
    told = answer.headers.get("X-PyPI-Last-Serial", "")
    return int(told) if told.isdecimal() and len(told) < LONGEST_SERIAL else 0


def _read_page(answer: Answer, name: str) -> tuple[str, bytes]:
    """Read a project's page: its status, and what is kept."""
    with _understood(answer, f"the page of '{name}'"):
        if answer.kind in JSON:
            page = read_json(name, answer.body(LARGEST_JSON), answer.url)
        elif answer.kind in HTML:
            page = read_html(name, answer.body(LARGEST_HTML), answer.url, answer.charset)
        else:
            raise UnusableError("neither HTML nor JSON")
    return page.status, packed(page)


def _read_list(answer: Answer) -> bytes:
    """Read the list of all projects, to be kept."""
    with _understood(answer, "the list of its projects"):
        if answer.kind in JSON:
            return packed_names(read_json_names(answer.body(LARGEST_LIST)))
        if answer.kind in HTML:
            return packed_names(read_html_names(answer.body(LARGEST_LIST), answer.url, answer.charset))
        raise UnusableError("neither HTML nor JSON")


@contextmanager
def _understood(answer: Answer, what: str) -> Iterator[None]:
    """Turn what is wrong with an answer into a refusal."""
    try:
        yield
    except (ValueError, LookupError) as error:
        why = str(error) if isinstance(error, UnusableError) else "it cannot be read"
        raise BadUpstream(f"'{answer.host}' answers with something else than {what}: {why}") from error
