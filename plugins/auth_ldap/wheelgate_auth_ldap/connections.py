"""Connections to the servers of a directory: encrypted, checked, reused, and with the next server if one is away."""

from __future__ import annotations

import contextlib
import math
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import ldap3
from ldap3.core import exceptions, tls

from wheelgate.errors import BackendUnavailable, StartupError
from wheelgate_auth_ldap.options import Address, Settings

T = TypeVar("T")

DEADLINE = 4.5
"""Seconds for a whole question, however many servers are asked: less than an authenticator has."""
AWAY_FOR = 30.0
"""Seconds for which a server that kept somebody waiting is not asked."""
IDLE_FOR = 60.0
"""Seconds after which an unused connection is not trusted any more: firewalls forget them without a word."""
MOST_IDLE = 4

NOT_THERE = frozenset({32, 34})
"""noSuchObject and invalidDNSyntax (RFC 4511, appendix A): no entry has this name, or could have it."""
BAD_PASSWORD = frozenset({48, 49})
"""inappropriateAuthentication and invalidCredentials (RFC 4511, appendix A)."""
REFUSES_ACCOUNT = frozenset({19, 53})
"""constraintViolation and unwillingToPerform: how directories say that an account is locked or has expired."""
NOT_NOW = frozenset({51, 52})
"""busy and unavailable."""


class Away(Exception):  # noqa: N818 - a state of a server, not an error of a program
    """Raised when a server cannot be asked now; the next one may be."""

    def __init__(self, reason: str, *, waited: bool = False) -> None:
        super().__init__(reason)
        self.waited = waited
        """Whether it took all the time that it had, which the next question shall not have to wait for again."""


class Refused(Exception):  # noqa: N818 - an answer
    """Raised when the directory answers that it will not do that."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a search found."""

    dn: str
    attributes: dict[str, tuple[str, ...]]
    """By lower-case name; what is no text is left out."""

    def first(self, attribute: str) -> str | None:
        """Return the first value of an attribute."""
        return next(iter(self.attributes.get(attribute.lower(), ())), None)


class CheckedTls(tls.Tls):
    """TLS as the standard library does it; ldap3 compares names by a copy of code that Python has long given up."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._context = ssl.create_default_context(cafile=settings.ca_file)
        if not settings.check_certificate:
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Encrypt the connection's socket, within the time that it has already."""
        connection.socket = self._context.wrap_socket(connection.socket, server_hostname=connection.server.host)


class Connections:
    """Asks the servers in their order until one answers."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing is connected yet.

        Raises:
            StartupError: the authorities' file cannot be read.
        """
        self._settings = settings
        try:
            self._tls = CheckedTls(settings)
        except (OSError, ValueError) as error:
            raise StartupError(f"--ldap-ca-file: cannot use {settings.ca_file}: {error}") from None
        self._idle: list[tuple[float, Address, ldap3.Connection]] = []
        self._lock = threading.Lock()
        self._away: dict[Address, float] = {}
        weakref.finalize(self, _close_all, self._idle)

    def search(self, base: str, text: str, attributes: list[str], *, only_base: bool = False) -> list[Entry]:
        """Search below ``base``, or look at it alone; nothing found is an empty list. Referrals are not followed.

        Raises:
            BackendUnavailable: no server answers, or the directory refuses the search.
        """
        scope = ldap3.BASE if only_base else ldap3.SUBTREE

        def work(connection: ldap3.Connection) -> list[Entry]:
            connection.search(base, text, scope, attributes=attributes)
            code = _code(connection)
            if code in NOT_THERE and only_base:
                return []
            if code != 0:
                raise Refused(f"the search below '{base}' ended with {connection.result['description']}")
            return [_entry(found) for found in connection.response or () if found["type"] == "searchResEntry"]

        try:
            return self._ask(work)
        except Refused as refused:
            raise BackendUnavailable(str(refused)) from None

    def bind(self, dn: str, password: bytes) -> bool:
        """Whether an entry has a password.

        Raises:
            BackendUnavailable: no server answers.
            Refused: the directory will not let this entry in, whatever the password.
        """

        def work(connection: ldap3.Connection) -> bool:
            connection.rebind(dn, password, ldap3.SIMPLE, read_server_info=False)
            code = _code(connection)
            if code == 0 or code in BAD_PASSWORD:
                return code == 0
            if code in REFUSES_ACCOUNT:
                raise Refused(f"the directory refuses this account: {connection.result['description']}")
            raise BackendUnavailable(f"the bind ended with {connection.result['description']}")

        return self._ask(work, personal=True)

    def _ask(self, work: Callable[[ldap3.Connection], T], *, personal: bool = False) -> T:
        """Do the work over a connection that is there, or over a new one to the first server that answers."""
        deadline = time.monotonic() + DEADLINE
        reasons = []
        for place, connection in self._ways(personal=personal):
            try:
                used = connection or self._open(place, deadline, personal=personal)
                answer = self._work(used, work, deadline)
            except Away as away:
                reasons.append(f"{place}: {away}")
                if connection is not None:
                    self._forget_idle()  # the server may have been started again; the others are then as dead
                elif away.waited:
                    self._away[place] = time.monotonic() + AWAY_FOR
                continue
            if personal:
                _close(used)
            else:
                self._keep(place, used)
            return answer
        if reasons:
            raise BackendUnavailable("; ".join(reasons), retry_after=5)
        again = min(self._away[place] for place in self._settings.url) - time.monotonic()
        raise BackendUnavailable("no server has answered in time lately", retry_after=max(1, math.ceil(again)))

    def _ways(self, *, personal: bool) -> Iterator[tuple[Address, ldap3.Connection | None]]:
        if not personal and (idle := self._take()):
            yield idle
        for place in self._settings.url:
            if time.monotonic() >= self._away.get(place, 0.0):
                yield place, None

    def _work(self, connection: ldap3.Connection, work: Callable[[ldap3.Connection], T], deadline: float) -> T:
        """Do the work; a connection over which it fails is closed."""
        begun = time.monotonic()
        try:
            patience = self._patience(deadline)
            connection.socket.settimeout(patience)
            answer = work(connection)
        except (Refused, BackendUnavailable, Away):
            _close(connection)
            raise
        except Exception as error:  # noqa: BLE001 - whatever a directory sends: ldap3 stumbles in many ways
            _close(connection)
            raise Away(_reason(error), waited=time.monotonic() - begun >= patience) from None
        return answer

    def _open(self, place: Address, deadline: float, *, personal: bool) -> ldap3.Connection:
        patience = self._patience(deadline)
        server = ldap3.Server(
            place.host,
            place.port,
            use_ssl=place.tls,
            tls=self._tls,
            get_info=ldap3.NONE,
            connect_timeout=patience,
            mode=ldap3.IP_SYSTEM_DEFAULT,
        )
        password = self._settings.bind_password
        service = self._settings.bind_dn is not None and not personal
        connection = ldap3.Connection(
            server,
            self._settings.bind_dn if service else None,
            # As bytes: a text would pass through SASLprep, which can make an empty one of it.
            password.encode() if service and password else None,  # type: ignore[arg-type]
            receive_timeout=int(patience),
            auto_referrals=False,
            check_names=False,
            read_only=True,
            return_empty_attributes=False,
        )

        def prepare(connection: ldap3.Connection) -> None:
            if self._settings.starttls and not place.tls and not connection.start_tls(read_server_info=False):
                raise Away("it does not begin TLS")
            if service and not connection.bind(read_server_info=False):
                _code(connection)
                raise BackendUnavailable(
                    f"{place}: the bind as '{self._settings.bind_dn}' ended with {connection.result['description']}; "
                    "look at --ldap-bind-dn and --ldap-bind-password"
                )

        begun = time.monotonic()
        try:
            connection.open(read_server_info=False)
        except Exception as error:  # noqa: BLE001 - the same
            _close(connection)
            raise Away(_reason(error), waited=time.monotonic() - begun >= int(patience)) from None
        self._work(connection, prepare, deadline)
        return connection

    def _patience(self, deadline: float) -> float:
        left = deadline - time.monotonic()
        if left < 1:
            raise Away("no time was left to ask it")
        return min(float(self._settings.timeout), left)

    def _take(self) -> tuple[Address, ldap3.Connection] | None:
        with self._lock:
            while self._idle:
                since, place, connection = self._idle.pop()
                if time.monotonic() - since < IDLE_FOR:
                    return place, connection
                _close(connection)
        return None

    def _forget_idle(self) -> None:
        with self._lock:
            while self._idle:
                _close(self._idle.pop()[2])

    def _keep(self, place: Address, connection: ldap3.Connection) -> None:
        with self._lock:
            if len(self._idle) < MOST_IDLE:
                self._idle.append((time.monotonic(), place, connection))
                return
        _close(connection)


def _code(connection: ldap3.Connection) -> int:
    """Return the result code of the last answer (RFC 4511, appendix A)."""
    code = int(connection.result["result"])
    if code in NOT_NOW:
        raise Away(f"it says that it is {connection.result['description']}")
    return code


def _entry(found: Any) -> Entry:
    attributes = {}
    for name, values in found["raw_attributes"].items():
        with contextlib.suppress(UnicodeDecodeError):
            attributes[name.lower()] = tuple(value.decode() for value in values)
    return Entry(found["dn"], attributes)


def _reason(error: Exception) -> str:
    """Say why a server does not answer; ldap3's sentences about sockets hold the reason of the system."""
    if isinstance(error, exceptions.LDAPExceptionError | OSError):
        return str(error) or type(error).__name__
    return f"it sent what is no LDAP ({type(error).__name__})"


def _close(connection: ldap3.Connection) -> None:
    # Without a farewell, which would wait for a server that hangs; and ldap3 forgets the socket of a failed start.
    opened = connection.socket
    with contextlib.suppress(Exception):
        connection.strategy.close()
    if opened is not None:
        opened.close()


def _close_all(idle: list[tuple[float, Address, ldap3.Connection]]) -> None:
    for _, _, connection in idle:
        _close(connection)
