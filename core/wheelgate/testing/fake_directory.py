"""A directory of people for tests: tests can change it, slow it down, take it down, and see its lookups."""

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
    """An entry of the directory."""

    password: str
    groups: frozenset[str] = frozenset()
    email: str | None = None
    title: str | None = None


class FakeDirectory(Authenticator, UserDirectory, GroupSource):
    """An authenticator, a group source, and the plugin that provides both.

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
        """The people in the directory, by user name; change it at any time."""
        self.outage = False
        """If true, every lookup raises ``ConnectionError``, as if the directory could not be reached."""
        self.delay = 0.0
        """The time that each lookup takes, in seconds; :meth:`release` ends the wait."""
        self.lookups: list[str] = []
        """The user names that were looked up, in order."""
        self._released = threading.Event()

    def authenticate(self, credentials: Credentials, request: RequestInfo, user: User | None) -> Outcome:
        """Check a password."""
        person = self._look_up(credentials.username)
        if person is None:
            return Unknown()
        given, known = (text.encode("utf-8", "surrogatepass") for text in (credentials.secret, person.password))
        if not person.password or not hmac.compare_digest(given, known):
            return Reject("the directory has another password")
        return Ok(credentials.username, email=person.email, title=person.title)

    def exists(self, username: str) -> bool:
        """Whether a person is in the directory."""
        return self._look_up(username) is not None

    def groups(self, username: str) -> frozenset[str]:
        """Return the groups of a person; empty if the person is unknown."""
        person = self._look_up(username)
        return person.groups if person else frozenset()

    def release(self) -> None:
        """End all waits, now and in future: a waiting thread would outlive the test."""
        self._released.set()

    def _look_up(self, username: str) -> Person | None:
        self.lookups.append(username)
        if self.delay:
            self._released.wait(self.delay)
        if self.outage:
            raise ConnectionError("the directory cannot be reached")
        return self.people.get(username)

    @hookimpl
    def wheelgate_authenticators(self) -> Sequence[Authenticator]:
        """Provide the authenticator."""
        return [self]

    @hookimpl
    def wheelgate_group_sources(self) -> Sequence[GroupSource]:
        """Provide the group source."""
        return [self]
