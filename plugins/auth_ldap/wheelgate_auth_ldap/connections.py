"""Connects to the servers of a directory: encrypted, verified, with reuse and with failover to the next server."""

from __future__ import annotations

import contextlib
import math
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import ldap3
from ldap3.core import tls
from ldap3.protocol.controls import build_control

from wheelgate.errors import BackendUnavailable, StartupError
from wheelgate_auth_ldap import answers
from wheelgate_auth_ldap.answers import BindAnswer
from wheelgate_auth_ldap.entries import DirectoryEntry
from wheelgate_auth_ldap.option_values import ServerAddress
from wheelgate_auth_ldap.options import LdapSettings

T = TypeVar("T")

QUESTION_TIMEOUT_SECONDS = 4.5
"""Time for a whole question, across all servers: less than the server gives an authenticator."""
SLOW_SERVER_PAUSE_SECONDS = 30.0
"""Time for which a server that answered too slowly is not asked."""
MAX_IDLE_SECONDS = 60.0
"""Age at which an unused connection is dropped: firewalls close them silently."""
MAX_IDLE_CONNECTIONS = 4


class ServerUnavailable(Exception):  # noqa: N818 - the state of a server, not an error in this program
    """Raised when a server cannot answer now; another one may."""

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.timed_out = timed_out
        """Whether the server used up its time; the next questions then skip it instead of waiting again."""


class StandardTls(tls.Tls):
    """TLS with the checks of the standard library; ldap3's own use a copy of code that Python has long removed."""

    def __init__(self, settings: LdapSettings) -> None:
        super().__init__()
        self._context = ssl.create_default_context(cafile=settings.ca_file)
        if not settings.check_certificate:
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Encrypt the connection's socket, within the timeout that the socket has already."""
        try:
            connection.socket = self._context.wrap_socket(connection.socket, server_hostname=connection.server.host)
        except OSError as error:
            connection.handshake_error = error  # ldap3 keeps no more than its text
            raise


class Connections:
    """Asks the servers in their order until one answers."""

    def __init__(self, settings: LdapSettings) -> None:
        """Load the certificate authorities; connect to no server yet.

        Raises:
            StartupError: the file of the authorities cannot be read.
        """
        self._settings = settings
        try:
            self._tls = StandardTls(settings)
        except (OSError, ValueError) as error:
            raise StartupError(f"--ldap-ca-file: cannot use {settings.ca_file}: {error}") from None
        self._idle: list[tuple[float, ServerAddress, ldap3.Connection]] = []
        self._lock = threading.Lock()
        self._paused_until: dict[ServerAddress, float] = {}
        weakref.finalize(self, _close_all, self._idle)

    def search(
        self, base: str, search_filter: str, attributes: list[str], *, only_base: bool = False
    ) -> list[DirectoryEntry]:
        """Search below ``base``, or read it alone. Referrals are not followed.

        Raises:
            BackendUnavailable: no server answers, or the directory refuses the search.
        """
        scope = ldap3.BASE if only_base else ldap3.SUBTREE

        def search_on(connection: ldap3.Connection) -> list[DirectoryEntry]:
            connection.search(base, search_filter, scope, attributes=attributes)
            code = _result_code(connection)
            if code in answers.NO_SUCH_ENTRY_CODES and only_base:
                return []
            if code != answers.SUCCESS_CODE:
                why = _demands_encryption(connection) or answers.explained(connection.result)
                if code in answers.NO_SUCH_ENTRY_CODES:
                    why += (
                        "; check --ldap-user-base and --ldap-group-base, and whether --ldap-bind-dn may read the entry"
                    )
                raise BackendUnavailable(f"the search below '{base}' ended with {why}")
            return [_read_entry(found) for found in connection.response or () if found["type"] == "searchResEntry"]

        return self._ask(search_on)

    def bind(self, dn: str, password: bytes) -> BindAnswer:
        """Return what the directory says about the password of an entry, and about its account.

        Raises:
            BackendUnavailable: no server answers.
        """

        def bind_on(connection: ldap3.Connection) -> BindAnswer:
            # Without this control, OpenLDAP says of an expired password only that the credentials are invalid.
            controls = [build_control(answers.PASSWORD_POLICY_CONTROL, False, None)]
            connection.rebind(dn, password, ldap3.SIMPLE, read_server_info=False, controls=controls)
            _result_code(connection)
            answer = answers.read_bind(connection.result)
            if answer is None:
                why = _demands_encryption(connection) or f"the bind ended with {answers.explained(connection.result)}"
                raise BackendUnavailable(why)
            return answer

        return self._ask(bind_on, as_user=True)

    def _ask(self, question: Callable[[ldap3.Connection], T], *, as_user: bool = False) -> T:
        """Ask over an idle connection, or over a new one to the first server that answers."""
        deadline = time.monotonic() + QUESTION_TIMEOUT_SECONDS
        reasons = []
        for address, idle in self._candidates(as_user=as_user):
            try:
                connection = idle or self._open(address, deadline, as_user=as_user)
                answer = self._ask_on(connection, question, deadline)
            except ServerUnavailable as unavailable:
                reasons.append(f"{address}: {unavailable}")
                if idle is not None:
                    self._drop_idle()  # if the server was restarted, the other idle connections are dead too
                elif unavailable.timed_out:
                    self._paused_until[address] = time.monotonic() + SLOW_SERVER_PAUSE_SECONDS
                continue
            if as_user:
                _close(connection)
            else:
                self._store_idle(address, connection)
            return answer
        if reasons:
            raise BackendUnavailable("; ".join(reasons), retry_after=5)
        wait = min(self._paused_until[address] for address in self._settings.url) - time.monotonic()
        raise BackendUnavailable("no server has answered in time lately", retry_after=max(1, math.ceil(wait)))

    def _candidates(self, *, as_user: bool) -> Iterator[tuple[ServerAddress, ldap3.Connection | None]]:
        """Yield an idle connection, if there is one, then the servers that are not paused."""
        if not as_user and (idle := self._take_idle()):
            yield idle
        for address in self._settings.url:
            if time.monotonic() >= self._paused_until.get(address, 0.0):
                yield address, None

    def _ask_on(self, connection: ldap3.Connection, question: Callable[[ldap3.Connection], T], deadline: float) -> T:
        """Ask over a connection, and close it if that fails."""
        started = time.monotonic()
        try:
            timeout = self._remaining_timeout(deadline)
            connection.socket.settimeout(timeout)
            answer = question(connection)
        except (BackendUnavailable, ServerUnavailable):
            _close(connection)
            raise
        except Exception as error:  # noqa: BLE001 - ldap3 raises many kinds of exceptions for malformed answers
            _close(connection)
            raise ServerUnavailable(
                _describe(connection, error),
                timed_out=time.monotonic() - started >= timeout,
            ) from None
        return answer

    def _open(self, address: ServerAddress, deadline: float, *, as_user: bool) -> ldap3.Connection:
        timeout = self._remaining_timeout(deadline)
        server = ldap3.Server(
            address.host,
            address.port,
            use_ssl=address.tls,
            tls=self._tls,
            get_info=ldap3.NONE,
            connect_timeout=timeout,
            mode=ldap3.IP_SYSTEM_DEFAULT,
        )
        password = self._settings.bind_password
        service = self._settings.bind_dn is not None and not as_user
        connection = ldap3.Connection(
            server,
            self._settings.bind_dn if service else None,
            # As bytes: ldap3 would apply SASLprep to a string, which can leave an empty password.
            password.encode() if service and password else None,  # type: ignore[arg-type]
            receive_timeout=int(timeout),
            auto_referrals=False,
            check_names=False,
            read_only=True,
            return_empty_attributes=False,
        )

        def prepare(connection: ldap3.Connection) -> None:
            if self._settings.starttls and not address.tls and not connection.start_tls(read_server_info=False):
                raise ServerUnavailable("it does not start TLS")
            if service:
                connection.bind(read_server_info=False)
                _result_code(connection)
                if problem := _service_problem(connection, str(self._settings.bind_dn)):
                    raise BackendUnavailable(f"{address}: {problem}")

        started = time.monotonic()
        try:
            connection.open(read_server_info=False)
        except Exception as error:  # noqa: BLE001 - ldap3 raises many kinds of exceptions here, too
            _close(connection)
            raise ServerUnavailable(
                _describe(connection, error),
                timed_out=time.monotonic() - started >= int(timeout),
            ) from None
        self._ask_on(connection, prepare, deadline)
        return connection

    def _remaining_timeout(self, deadline: float) -> float:
        left = deadline - time.monotonic()
        if left < 1:
            raise ServerUnavailable("no time was left to ask it")
        return min(float(self._settings.timeout), left)

    def _take_idle(self) -> tuple[ServerAddress, ldap3.Connection] | None:
        with self._lock:
            while self._idle:
                since, address, connection = self._idle.pop()
                if time.monotonic() - since < MAX_IDLE_SECONDS:
                    return address, connection
                _close(connection)
        return None

    def _drop_idle(self) -> None:
        with self._lock:
            while self._idle:
                _close(self._idle.pop()[2])

    def _store_idle(self, address: ServerAddress, connection: ldap3.Connection) -> None:
        with self._lock:
            if len(self._idle) < MAX_IDLE_CONNECTIONS:
                self._idle.append((time.monotonic(), address, connection))
                return
        _close(connection)


def _result_code(connection: ldap3.Connection) -> int:
    """Return the result code of the last answer (RFC 4511, appendix A)."""
    code = int(connection.result["result"])
    if code in answers.UNAVAILABLE_CODES:
        raise ServerUnavailable(f"it says that it is {connection.result['description']}")
    return code


def _describe(connection: ldap3.Connection, error: Exception) -> str:
    """Say why a connection failed."""
    return answers.describe(getattr(connection, "handshake_error", error))


def _demands_encryption(connection: ldap3.Connection) -> str | None:
    encrypted = bool(connection.server.ssl or connection.tls_started)
    return answers.unencrypted(connection.result, encrypted=encrypted)


def _service_problem(connection: ldap3.Connection, name: str) -> str | None:
    """Say why the plugin's own bind failed, or what keeps its account from searching; None if it may search."""
    if why := _demands_encryption(connection):
        return why
    answer = answers.read_bind(connection.result)
    if answer == answers.RIGHT:
        return None
    if answer is not None and answer.problem:
        return f"the bind as '{name}' is refused: {answer.problem}"
    advice = "; check --ldap-bind-dn and --ldap-bind-password" if answer else ""
    return f"the bind as '{name}' ended with {answers.explained(connection.result)}{advice}"


def _read_entry(found: Any) -> DirectoryEntry:
    attributes = {name.lower(): tuple(values) for name, values in found["raw_attributes"].items()}
    return DirectoryEntry(found["dn"], attributes)


def _close(connection: ldap3.Connection) -> None:
    # No unbind, which would wait for a server that hangs. ldap3 loses the socket of a connection that failed to open.
    opened = connection.socket
    with contextlib.suppress(Exception):
        connection.strategy.close()
    if opened is not None:
        opened.close()


def _close_all(idle: list[tuple[float, ServerAddress, ldap3.Connection]]) -> None:
    for _, _, connection in idle:
        _close(connection)
