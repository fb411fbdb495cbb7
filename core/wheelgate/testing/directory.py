"""A directory of people inside a test: it can be changed, be slow and be down, and notes whom it was asked about."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wheelgate.hookspecs import hookimpl
from wheelgate.providers import Authenticator, GroupSource, UserDirectory
from wheelgate.values import Credentials, Ok, Outcome, Reject, RequestInfo, Unknown, User


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the directory."""

    password: str
    groups: frozenset[str] = frozenset()
    email: str | None = None
    title: str | None = None


class FakeDirectory(Authenticator, UserDirectory, GroupSource):
    """An authenticator, a source of groups, and the plugin that brings both.

    ::

        directory = FakeDirectory({"ada": Person("analytical", frozenset({"admins"}))})
        with Site(tmp_path, extra={"directory": directory}, restrict_modify=":admins") as site:
            site.login("ada", "analytical")
            directory.outage = True
    """

    accepts = frozenset({"password"})
    local = False

    def __init__(self, people: Mapping[str, Person], name: str = "fake_directory") -> None:
        self.name = name
        self.people = dict(people)
        """Who is in it; may be changed at any time."""
        self.outage = False
        """Whether every question fails as if the directory could not be reached."""
        self.delay = 0.0
        """Seconds that every answer takes; :meth:`release` ends the waiting."""
        self.asked: list[str] = []
        """Whom it was asked about, in this order, by any question."""
        self._released = threading.Event()

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Judge a password."""
        person = self._look_up(credentials.username)
        if person is None:
            return Unknown()
        given, known = (text.encode("utf-8", "surrogatepass") for text in (credentials.secret, person.password))
        if not person.password or not hmac.compare_digest(given, known):
            return Reject("the directory has another password")
        return Ok(credentials.username, email=person.email, title=person.title)

    def exists(self, username: str) -> bool:
        """Say whether a person is still in it."""
        return self._look_up(username) is not None

    def groups(self, username: str) -> frozenset[str]:
        """Return the groups of a person."""
        person = self._look_up(username)
        return person.groups if person else frozenset()

    def release(self) -> None:
        """Let everybody who waits go, and nobody wait any more: a thread that waits would outlive the test."""
        self._released.set()

    def _look_up(self, username: str) -> Person | None:
        self.asked.append(username)
        if self.delay:
            self._released.wait(self.delay)
        if self.outage:
            raise ConnectionError("the directory cannot be reached")
        return self.people.get(username)

    @hookimpl
    def wheelgate_authenticators(self) -> Sequence[Authenticator]:
        """Bring the authenticator."""
        return [self]

    @hookimpl
    def wheelgate_group_sources(self) -> Sequence[GroupSource]:
        """Bring the source of groups."""
        return [self]
