"""The cache of upstream pages: one thread asks for all, and an old page is used if the upstream does not answer."""

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
from wheelgate_mirror.backoff import BACKOFF_SECONDS, Backoff
from wheelgate_mirror.key_locks import KeyLocks
from wheelgate_mirror.page_parsing import UnusableError, read_html, read_json
from wheelgate_mirror.pages import packed
from wheelgate_mirror.project_list import packed_names, read_html_names, read_json_names
from wheelgate_mirror.queries import CachedPage
from wheelgate_mirror.upstream import GONE, Answer, Upstreams
from wheelgate_mirror.upstream_urls import Place, origin

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
JSON = frozenset({"application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.latest+json", "application/json"})
HTML = frozenset({"application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.latest+html", "text/html"})

PAGE_EXPIRY_SECONDS = 1800
"""Seconds for which a project's page is used without asking again, unless ``mirror_cache_expiry`` is set."""
LIST_EXPIRY_SECONDS = 3600
"""The same for the list of all projects, which is large and which only people need, not installers."""
ABSENT_SECONDS = 60.0
"""Seconds in which the server does not ask again for a name that the upstream does not have."""
ABSENT_CACHE_ENTRIES = 10_000
"""Such names in memory; clients can ask for any number of them."""
PAGE_TIMEOUT_SECONDS = 20.0
"""Seconds that the complete answer with a project's page may take."""
LIST_TIMEOUT_SECONDS = 120.0
"""The same for the list of all projects."""
MAX_JSON_BYTES = 64 << 20
"""Bytes of a project's page in JSON."""
MAX_HTML_BYTES = 16 << 20
"""Bytes of a project's page in HTML; its tree needs some twenty times as much memory."""
MAX_LIST_BYTES = 256 << 20
"""Bytes of the list of all projects."""
MAX_SERIAL_DIGITS = 17
"""Digits of an upstream's serial that fit a column."""

log = logging.getLogger("wheelgate.mirror")


@dataclass(frozen=True, slots=True)
class CurrentPage:
    """The page of a project, or the list of projects, for use now."""

    content: bytes | None
    """None if the upstream has no such project."""
    until: float | None
    """When it expires, in seconds since 1970; None for never."""
    stale: bool = False
    """True if it is old because the upstream did not answer."""


class Cache:
    """The pages of projects by name, and the list of all projects under the empty name."""

    def __init__(self, server: Server, upstreams: Upstreams, backoff: Backoff) -> None:
        self._server = server
        self._database = server.database
        self._upstreams = upstreams
        self._backoff = backoff
        self._locks = KeyLocks()
        self._absent: TtlCache[tuple[str, str, str], float] = TtlCache(ABSENT_CACHE_ENTRIES)

    def current(self, index: Index, place: Place, name: str) -> CurrentPage:
        """Return the page of a name, from the cache or from the upstream.

        Raises:
            BadUpstream: the cache has no page, and the upstream gives no usable answer.
            UpstreamTimeout: the cache has no page, and the upstream does not answer in time.
            Forbidden: the server may not connect to the upstream.
        """
        asked = time.time()
        key = (index.path, place.source, name)
        found = self._without_asking(index, place, name, asked)
        if found is None:
            with self._locks.of(key):
                found = self._without_asking(index, place, name, asked) or self._ask(index, place, name)
        return found

    def forget(self, index: Index, place: Place, name: str) -> None:
        """Let the next request ask the upstream again, even if that has just failed."""
        key = (index.path, place.source, name)
        self._absent.pop(key)
        self._backoff.forget(key, origin(place.simple))

    def _without_asking(self, index: Index, place: Place, name: str, asked: float) -> CurrentPage | None:
        """Return the page without asking the upstream; None if it has to be asked."""
        key = (index.path, place.source, name)
        cached = self._stored(index, place, name)
        if cached is None:
            content, checked = None, self._absent.get(key) or 0.0
        else:
            content, checked = cached.content, cached.checked
        current = _current(index, name, content, checked)
        # An answer that another thread got while this one waited is new, even with an expiry of 0 seconds.
        if checked >= asked or (checked > 0 and (current.until is None or current.until > time.time())):
            return current
        failed = self._backoff.problem(key, origin(place.simple))
        if failed is None:
            return None
        left, problem = failed
        if cached is None or cached.content is None:
            raise problem
        return CurrentPage(cached.content, time.time() + left, stale=True)

    def _ask(self, index: Index, place: Place, name: str) -> CurrentPage:
        """Ask the upstream; if that fails, use an old page if there is one."""
        cached = self._stored(index, place, name)
        try:
            return self._fetch(index, place, name, cached)
        except (BadUpstream, UpstreamTimeout, Forbidden) as problem:
            self._backoff.note((index.path, place.source, name), problem)
            if cached is None or cached.content is None:
                raise
            log.warning("%s uses its old page of %r: %s", index.path, name or "all projects", problem.message)
            return CurrentPage(cached.content, time.time() + BACKOFF_SECONDS, stale=True)

    def _fetch(self, index: Index, place: Place, name: str, cached: CachedPage | None) -> CurrentPage:
        headers = {"Accept": ACCEPT}
        if cached is not None and cached.etag and cached.content is not None:
            headers["If-None-Match"] = cached.etag
        url = place.page(name)
        with self._upstreams.ask(
            place, url, headers, seconds=PAGE_TIMEOUT_SECONDS if name else LIST_TIMEOUT_SECONDS
        ) as answer:
            now, serial = time.time(), _serial(answer)
            if answer.status in GONE and name:
                self._note_absent(index, place, name, cached, now)
                return _current(index, name, None, now)
            if answer.status not in (200, 304):
                raise answer.refusal(f"the page of '{name}'" if name else "the list of its projects")
            ignored = bool(index.config.get("mirror_ignore_serial_header"))
            outdated = cached is not None and cached.content is not None and 0 < serial < cached.serial and not ignored
            if cached is not None and (
                answer.status == 304 or outdated
            ):  # a cache in front of the upstream may be behind
                fetched = replace(cached, checked=now)
            else:
                status, content = _read_page(answer, name) if name else ("", _read_list(answer))
                fetched = CachedPage(place.source, now, answer.headers.get("ETag", ""), serial, status, content)
            self._store(index, name, fetched, cached)
            return _current(index, name, fetched.content, now)

    def _store(self, index: Index, name: str, fetched: CachedPage, before: CachedPage | None) -> None:
        """Store an answer; its stamp changes only with the content. The caller has the answer even if storing fails."""
        same = before is not None and before.content == fetched.content
        change = queries.confirm_page if same else queries.write_page
        try:
            with self._database.transaction():
                if (
                    self._server.indices.get(index.owner, index.name) is not None
                ):  # it may have been deleted in the meantime
                    change(self._database, index.path, name, fetched)
        except BackendUnavailable as problem:
            log.warning("the answer of the upstream of %s cannot be stored: %s", index.path, problem.message)

    def _note_absent(self, index: Index, place: Place, name: str, cached: CachedPage | None, now: float) -> None:
        """Remember that there is no such project: in the database if there was one before, else in memory."""
        if cached is not None:
            self._store(index, name, CachedPage(place.source, now, "", 0, "", None), cached)
        else:
            self._absent.put((index.path, place.source, name), now, ABSENT_SECONDS)

    def _stored(self, index: Index, place: Place, name: str) -> CachedPage | None:
        """Return the stored answer of this upstream; None if it is from an earlier upstream of the mirror."""
        cached = queries.page(self._database, index.path, name)
        return cached if cached is not None and cached.source == place.source else None


def _current(index: Index, name: str, content: bytes | None, checked: float) -> CurrentPage:
    """Return an answer with its expiry."""
    seconds = int(index.config.get("mirror_cache_expiry", PAGE_EXPIRY_SECONDS if name else LIST_EXPIRY_SECONDS))
    expiry = math.inf if seconds < 0 else float(seconds)
    until = checked + (min(expiry, ABSENT_SECONDS) if content is None else expiry)
    return CurrentPage(content, None if until == math.inf else until)


def _serial(answer: Answer) -> int:
    """Return the upstream's change serial; 0 if it sends none."""
    text = answer.headers.get("X-PyPI-Last-Serial", "")
    return int(text) if text.isdecimal() and len(text) <= MAX_SERIAL_DIGITS else 0


def _read_page(answer: Answer, name: str) -> tuple[str, bytes]:
    """Read a project's page; return its status and the content to store."""
    with _understood(answer, f"the page of '{name}'"):
        if answer.kind in JSON:
            page = read_json(name, answer.body(MAX_JSON_BYTES), answer.url)
        elif answer.kind in HTML:
            page = read_html(name, answer.body(MAX_HTML_BYTES), answer.url, answer.charset)
        else:
            raise UnusableError("neither HTML nor JSON")
    return page.status, packed(page)


def _read_list(answer: Answer) -> bytes:
    """Read the list of all projects; return the content to store."""
    with _understood(answer, "the list of its projects"):
        if answer.kind in JSON:
            return packed_names(read_json_names(answer.body(MAX_LIST_BYTES)))
        if answer.kind in HTML:
            return packed_names(read_html_names(answer.body(MAX_LIST_BYTES), answer.url, answer.charset))
        raise UnusableError("neither HTML nor JSON")


@contextmanager
def _understood(answer: Answer, what: str) -> Iterator[None]:
    """Turn an error in the answer inside the ``with`` block into a refusal."""
    try:
        yield
    except (ValueError, LookupError) as error:
        why = str(error) if isinstance(error, UnusableError) else "it cannot be read"
        raise BadUpstream(f"'{answer.host}' answers with something else than {what}: {why}") from error
