"""The cache of upstreams' answers: one request for all threads that wait, and old answers while an upstream is down."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from wheelgate import Index, Server
from wheelgate.caches import TtlCache
from wheelgate.clocks import is_current
from wheelgate.errors import BackendUnavailable, BadUpstream, Forbidden, NotCached, UpstreamTimeout
from wheelgate_mirror import queries
from wheelgate_mirror.answer_reading import read_list, read_page
from wheelgate_mirror.backoff import DEFAULT_BACKOFF_SECONDS, MAX_PAUSES, Backoff
from wheelgate_mirror.key_locks import KeyLocks
from wheelgate_mirror.queries import StoredPage
from wheelgate_mirror.upstream import ABSENT_STATUSES, BUSY_STATUSES, HostFailureError, UpstreamClient, UpstreamResponse
from wheelgate_mirror.upstream_urls import UpstreamIndex

ACCEPT_HEADER = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
"""Prefers JSON: it has sizes and upload times, and takes less memory to parse."""
PAGE_EXPIRY_SECONDS = 1800
"""How long a project's page is valid without ``mirror_cache_expiry``."""
LIST_EXPIRY_SECONDS = 3600
"""The same for the list of all projects, which is large and serves people only, not installers."""
ABSENT_SECONDS = 60.0
"""How long the answer that a project does not exist is valid."""
ABSENT_CACHE_ENTRIES = 10_000
"""Absent projects in memory. Their names come from clients, which can make up any number of them."""
COVERED_SECONDS = 1.0
"""How long a refresh that soon follows another one is in force: no answer of that time is valid for longer."""
OFFLINE_RECHECK_SECONDS = 60.0
"""How long an offline server shows a page as it is: another server on the same database may cache more files."""
PAGE_TIMEOUT_SECONDS = 20.0
"""How long the whole response with a project's page may take."""
LIST_TIMEOUT_SECONDS = 120.0
"""How long the whole response with the list of projects may take."""
MAX_SERIAL_DIGITS = 17
"""Digits of an upstream's change counter that fits its column."""

log = logging.getLogger("wheelgate.mirror")


@dataclass(frozen=True, slots=True)
class CurrentPage:
    """The content of a page or list as it is valid now."""

    content: bytes | None
    """None if the upstream does not have the project."""
    until: float | None
    """Seconds since 1970 when it expires; None for never."""
    stale: bool = False
    """True if it has expired but the upstream did not answer."""


class UpstreamCache:
    """The pages of projects by their names, and the list of projects under the empty name."""

    def __init__(self, server: Server, client: UpstreamClient, backoff: Backoff) -> None:
        self._server = server
        self._database = server.database
        self._client = client
        self._backoff = backoff
        self._locks = KeyLocks()
        self._warned: TtlCache[str, bool] = TtlCache(MAX_PAUSES)
        """What the log has said lately: while a host refuses connections, each request finds out."""
        self._absent: TtlCache[tuple[str, str, str], float] = TtlCache(ABSENT_CACHE_ENTRIES)

    def get(self, index: Index, upstream: UpstreamIndex, name: str) -> CurrentPage:
        """Return the page of a project, or the list of projects, from the cache or from the upstream.

        Raises:
            BadUpstream: the cache has nothing, and the upstream cannot be reached or sends no usable answer.
            UpstreamTimeout: the cache has nothing, and the upstream does not answer in time.
            Forbidden: the cache has nothing, and the server may not connect to the upstream.
            NotCached: the cache has nothing, and the server is offline.
        """
        if self._server.outgoing.offline:
            return self._offline_page(index, upstream, name)
        asked = time.time()
        current = self._without_request(index, upstream, name, asked)
        if current is None:
            with self._locks.hold((index.path, upstream.url_hash, name)):
                current = self._without_request(index, upstream, name, asked) or self._refresh(index, upstream, name)
        return current

    def refresh(self, index: Index, upstream: UpstreamIndex, name: str) -> None:
        """Make the next request go to the upstream, in all workers and even if it has just failed.

        Every change makes all workers read their users and indices again, and anyone may send a refresh. Therefore a
        refresh that has nothing to end changes nothing, and one that follows another covers those of the next second.
        Call it outside of transactions.
        """
        pauses = (_pause_key(index, upstream, name), upstream.host_key(upstream.url))
        with self._locks.hold((index.path, upstream.url_hash, name)):
            now, last = time.time(), queries.refreshed_at(self._database, index.path, name)
            page = self._find(index, upstream, name)
            paused = self._backoff.failure(*pauses) is not None
            expired = page is not None and page.checked == 0
            if not paused and (expired or now < last <= now + COVERED_SECONDS):
                return
            covered = COVERED_SECONDS if 0 <= now - last < COVERED_SECONDS else 0.0
            with self._database.transaction():
                queries.expire_page(self._database, index.path, name)
                queries.save_refresh(self._database, index.path, name, now + covered, ABSENT_SECONDS)
                if paused:
                    self._backoff.clear(*pauses)
            self._absent.pop((index.path, upstream.url_hash, name))

    def _offline_page(self, index: Index, upstream: UpstreamIndex, name: str) -> CurrentPage:
        """Return the stored page of a project, whatever its age."""
        page = self._find(index, upstream, name)
        if page is None or page.content is None:
            raise NotCached(f"this server is offline (--offline), and {index.path} has cached no page of '{name}'")
        return CurrentPage(page.content, time.time() + OFFLINE_RECHECK_SECONDS)

    def _without_request(self, index: Index, upstream: UpstreamIndex, name: str, asked: float) -> CurrentPage | None:
        """Return a valid answer, or an expired one while the upstream has a pause; None if a request is due."""
        page = self._find(index, upstream, name)
        if page is None:
            content, checked = None, self._absent.get((index.path, upstream.url_hash, name)) or 0.0
        else:
            content, checked = page.content, page.checked
        current = self._current_page(index, name, content, checked)
        # An answer that another thread received while this one waited for the lock is new, even with an expiry of 0.
        if checked > 0 and is_current(checked, math.inf if checked >= asked else current.until):
            return current
        failure = self._backoff.failure(_pause_key(index, upstream, name), upstream.host_key(upstream.url))
        if failure is None:
            return None
        seconds, error = failure
        if page is None or page.content is None:
            raise error
        return CurrentPage(page.content, time.time() + seconds, stale=True)

    def _refresh(self, index: Index, upstream: UpstreamIndex, name: str) -> CurrentPage:
        """Ask the upstream; return the expired answer if that fails."""
        page = self._find(index, upstream, name)
        try:
            return self._request(index, upstream, name, page)
        except (BadUpstream, UpstreamTimeout, Forbidden) as error:
            pause_key = _pause_key(index, upstream, name)
            if not isinstance(error, HostFailureError):
                self._backoff.add(pause_key, error)
            if page is None or page.content is None:
                raise
            if self._warned.get(pause_key) is None:
                self._warned.put(pause_key, True, DEFAULT_BACKOFF_SECONDS)
                log.warning("%s serves an old answer for %r: %s", index.path, name or "all projects", error.message)
            pause = self._backoff.failure(pause_key, upstream.host_key(upstream.url))
            return CurrentPage(page.content, time.time() + (0 if pause is None else pause[0]), stale=True)

    def _request(self, index: Index, upstream: UpstreamIndex, name: str, before: StoredPage | None) -> CurrentPage:
        """Ask the upstream and store its answer; ``before`` is the stored page."""
        headers = {"Accept": ACCEPT_HEADER}
        if before is not None and before.etag and before.content is not None:
            headers["If-None-Match"] = before.etag
        seconds = PAGE_TIMEOUT_SECONDS if name else LIST_TIMEOUT_SECONDS
        with self._client.get(upstream, upstream.page_url(name), headers, seconds=seconds) as response:
            below = _page_below(response, upstream, name)
            if below is None:
                return self._take(index, upstream, name, before, response)
        with self._client.get(upstream, below, headers, seconds=seconds) as response:
            if response.status not in (200, 304, *BUSY_STATUSES):  # it is another server, or does not have the project
                return self._take_absence(index, upstream, name, before)
            current = self._take(index, upstream, name, before, response)
        if self._warned.get(index.path) is None:
            self._warned.put(index.path, True, PAGE_EXPIRY_SECONDS)
            log.warning(
                "the mirror_url of %s has no pages, so this server adds '+simple/' to it at each request; change it"
                " with 'devpi index %s mirror_url=%s+simple/', with the login if there is one",
                *(index.path, index.path, upstream.url),
            )
        return current

    def _take(
        self, index: Index, upstream: UpstreamIndex, name: str, before: StoredPage | None, response: UpstreamResponse
    ) -> CurrentPage:
        """Read an answer and store it; ``before`` is the stored page."""
        now, serial = time.time(), _serial(response)
        ignored = bool(index.config.get("mirror_ignore_serial_header"))
        outdated = before is not None and before.content is not None and 0 < serial < before.serial and not ignored
        same = response.status == 304 or (response.status == 200 and outdated)  # outdated: from a cache in between
        if before is not None and same:
            page = replace(before, checked=now)
        elif (read := _read(response, name)) is None:
            return self._take_absence(index, upstream, name, before)
        else:
            page = StoredPage(upstream.url_hash, now, response.headers.get("ETag", ""), serial, *read)
        self._store(index, name, page, before)
        return self._current_page(index, name, page.content, now)

    def _store(self, index: Index, name: str, page: StoredPage, before: StoredPage | None) -> None:
        """Store an answer; the stamp changes only if the content does. The client gets it even if this fails."""
        same = before is not None and before.content == page.content
        write = queries.confirm_page if same else queries.save_page
        try:
            with self._database.transaction():
                if self._server.indices.get(index.owner, index.name) is not None:  # it may have been deleted
                    write(self._database, index.path, name, page)
        except BackendUnavailable as error:
            log.warning("an answer of the upstream of %s could not be stored: %s", index.path, error.message)

    def _take_absence(self, index: Index, upstream: UpstreamIndex, name: str, before: StoredPage | None) -> CurrentPage:
        """Remember that a project does not exist; in the database only if there is a page to replace."""
        now = time.time()
        if before is not None:
            self._store(index, name, StoredPage(upstream.url_hash, now, "", 0, "", None), before)
        else:
            self._absent.put((index.path, upstream.url_hash, name), now, ABSENT_SECONDS)
        return self._current_page(index, name, None, now)

    def _find(self, index: Index, upstream: UpstreamIndex, name: str) -> StoredPage | None:
        """Return the stored page, unless it is from an earlier upstream of the mirror."""
        page = queries.find_page(self._database, index.path, name)
        return page if page is not None and page.url_hash == upstream.url_hash else None

    def _current_page(self, index: Index, name: str, content: bytes | None, checked: float) -> CurrentPage:
        """Add the time when an answer expires: at once if a refresh is in force."""
        configured = int(index.config.get("mirror_cache_expiry", PAGE_EXPIRY_SECONDS if name else LIST_EXPIRY_SECONDS))
        expiry = math.inf if configured < 0 else float(configured)
        until = checked + (min(expiry, ABSENT_SECONDS) if content is None else expiry)
        if checked <= queries.refreshed_at(self._database, index.path, name):
            until = checked
        return CurrentPage(content, None if until == math.inf else until)


def _pause_key(index: Index, upstream: UpstreamIndex, name: str) -> str:
    """Return the key of a page's pause; that of a host is its origin."""
    return f"{index.path}/{upstream.url_hash}/{name}"


def _serial(response: UpstreamResponse) -> int:
    """Return the upstream's change counter; 0 if it sends none."""
    text = response.headers.get("X-PyPI-Last-Serial", "")
    return int(text) if text.isdecimal() and len(text) <= MAX_SERIAL_DIGITS else 0


def _page_below(response: UpstreamResponse, upstream: UpstreamIndex, name: str) -> str | None:
    """Return where an index of devpi has the page, if ``mirror_url`` lacks ``+simple/``; None in all other cases.

    Such an index has the list of all projects at both addresses, but pages at one.
    """
    lacks = "/+simple/" not in urlsplit(response.url).path and "X-Devpi-Api-Version" in response.headers
    return f"{upstream.url}+simple/{name}/" if name and lacks and response.status in ABSENT_STATUSES else None


def _read(response: UpstreamResponse, name: str) -> tuple[str, bytes] | None:
    """Return the status and the stored form of a project's page, or of the list; None if there is no project."""
    if name and response.status in ABSENT_STATUSES:
        return None
    if response.status != 200:
        raise response.refusal(f"the page of '{name}'" if name else "the list of its projects")
    return read_page(response, name) if name else ("", read_list(response))
