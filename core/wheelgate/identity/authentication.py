"""Verifies credentials: asks the authenticators in their order."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import ParamSpec

from wheelgate.caches import TtlCache
from wheelgate.errors import BackendUnavailable, NotAuthenticated
from wheelgate.identity.limiter import Attempt, Limiter, known_rank
from wheelgate.identity.logged_names import LoggedNames
from wheelgate.metrics.catalogue import HASH_SECONDS, LOGINS
from wheelgate.metrics.counting import Numbers
from wheelgate.names import is_spelling
from wheelgate.plugin_host.circuit import RETRY_AFTER_SECONDS, CircuitBreaker
from wheelgate.plugin_host.failures import failure_text
from wheelgate.plugin_host.masking import masked, secrets_of
from wheelgate.providers import Authenticator
from wheelgate.threads.ranked_pool import RankedPool
from wheelgate.values import (
    ROOT,
    Credentials,
    Ok,
    Outcome,
    Reject,
    RequestInfo,
    SecretCheck,
    Unavailable,
    Unknown,
    User,
)

LOGIN_CACHE_SECONDS = 60.0
"""Seconds for which verified credentials count without verifying the password again."""
LOGIN_CACHE_ENTRIES = 10_000
"""Verified credentials that are cached, each as a digest."""

FindUser = Callable[[str], Awaitable[User | None]]
"""Returns the user of a name; None if there is none."""

P = ParamSpec("P")

log = logging.getLogger("wheelgate.identity")


@dataclass(frozen=True, slots=True)
class Proof:
    """The result of verifying valid credentials."""

    ok: Ok
    """Has the user's name as the authenticator spells it; the credentials may spell it otherwise."""
    authenticator: str
    """The name of the authenticator that verified them."""
    local: bool
    """Whether that is a local authenticator."""
    user: User | None
    """The user of the name in ``ok``; None before the first login."""


class Authentication:
    """Verifies credentials, and caches valid ones for a minute, so that pip's hundred requests cost one hash."""

    def __init__(
        self,
        authenticators: Sequence[tuple[Authenticator, CircuitBreaker]],
        hashing: RankedPool,
        limiter: Limiter,
        key: bytes,
        logged_names: LoggedNames,
        find_user: FindUser,
        numbers: Numbers,
    ) -> None:
        """Take the authenticators in their order, and what they need.

        Args:
            authenticators: each with its circuit breaker.
            hashing: the threads for local authenticators.
            limiter: slows down wrong passwords.
            key: the secret key for the digests of cached credentials.
            logged_names: finds the name for the log.
            find_user: finds the user whose name an authenticator spells otherwise than the credentials do.
            numbers: counts logins, and the time that hashing takes.
        """
        self.logged_names = logged_names
        """Finds the name for the log, and for events."""
        self._authenticators = authenticators
        self._hashing = hashing
        self._limiter = limiter
        self._key = key
        self._find_user = find_user
        self._numbers = numbers
        self._verified: TtlCache[bytes, tuple[str | None, Proof]] = TtlCache(LOGIN_CACHE_ENTRIES)
        """By a digest of the credentials; each with the stamp of the user of the name in them, which a new password
        changes."""

    async def verify_cached(self, credentials: Credentials, info: RequestInfo, user: User | None) -> Proof:
        """Verify credentials that a client sends with every request; see :meth:`verify`."""
        if credentials.trusted or not credentials.secret:
            return await self.verify(credentials, info, user)  # without a secret, the request itself has to prove it
        text = f"{credentials.kind}\0{credentials.username}\0{credentials.secret}"
        digest = hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")
        proof = await self._cached(digest, credentials, user)
        if proof is None:
            attempt = await self._limiter.reserve(credentials.username, info.remote_address)
            with attempt.running():
                # Another request may have verified the same credentials while this one waited.
                proof = await self._cached(digest, credentials, user)
                proof = proof or await self._verify(credentials, info, user, attempt)
            self._verified.put(digest, (_stamp(user), proof), LOGIN_CACHE_SECONDS)
        return proof

    async def _cached(self, digest: bytes, credentials: Credentials, user: User | None) -> Proof | None:
        stamp, proof = self._verified.get(digest) or (None, None)
        if proof is None or stamp != _stamp(user):
            return None
        name = proof.ok.username
        present = user if name == credentials.username else await self._find_user(name)
        return replace(proof, user=present) if _stamp(present) == _stamp(proof.user) else None

    async def verify(self, credentials: Credentials, info: RequestInfo, user: User | None) -> Proof:
        """Ask the authenticators until one accepts or rejects the credentials.

        It asks only the authenticators to which the name belongs; see :func:`may_verify`.

        Raises:
            NotAuthenticated: no authenticator knows these credentials, or one rejects them.
            TooManyAttempts: too many wrong passwords were sent before.
            BackendUnavailable: no authenticator accepts them, and one could not be asked.
        """
        # Credentials without a secret cannot be guessed, and must not suffer from guesses that come through the proxy.
        if credentials.trusted:
            return await self._verify(credentials, info, user, None)
        attempt = await self._limiter.reserve(credentials.username, info.remote_address)
        with attempt.running():
            return await self._verify(credentials, info, user, attempt)

    async def _verify(
        self, credentials: Credentials, info: RequestInfo, user: User | None, attempt: Attempt | None
    ) -> Proof:
        """Do what :meth:`verify` does as part of an attempt; None if there is no secret to guess."""
        name, logged = credentials.username, self.logged_names.of(credentials.username, user)
        rank = attempt.rank if attempt is not None else known_rank
        unavailable: BackendUnavailable | None = None
        rejected: Reject | None = None
        for authenticator, breaker in self._authenticators:
            if credentials.kind not in authenticator.accepts or not may_verify(authenticator, name, user):
                continue
            match await self._ask(authenticator, breaker, credentials, info, user, rank):
                case Ok() as ok:
                    proof = await self._proof(authenticator, ok, name, user)
                    if proof is not None:
                        self._numbers.add(LOGINS, result="success")
                        return proof
                case Reject() as rejected:
                    if rejected.secret is SecretCheck.RIGHT:
                        logged = name  # the authenticator knows the name, so it is no password in the wrong field
                    log.info("authenticator '%s' rejects user '%s': %s", authenticator.name, logged, rejected.reason)
                    unavailable = None
                    break
                case Unavailable(reason, retry_after):
                    log.warning("authenticator '%s' is unavailable: %s", authenticator.name, reason)
                    sentence = f"the login service '{authenticator.name}' cannot be reached; try again later"
                    unavailable = BackendUnavailable(sentence, retry_after=retry_after)
        if unavailable is not None:
            raise unavailable
        if attempt is not None and (rejected is None or rejected.secret is SecretCheck.WRONG):
            attempt.failed()
        self._numbers.add(LOGINS, result="failure")
        log.warning("failed login of user '%s' from %s", logged, info.remote_address)
        sentence = f"user '{name}' could not be authenticated"
        # Only those who know the secret learn what the matter with the account is.
        if rejected is not None and rejected.secret is SecretCheck.RIGHT:
            sentence += f": {rejected.reason}"
        raise NotAuthenticated(sentence)

    async def _proof(self, authenticator: Authenticator, ok: Ok, name: str, user: User | None) -> Proof | None:
        """Return the proof that an authenticator gives for a name; None if it may not vouch for the user that it names.

        It may spell the name otherwise, because many directories accept every spelling of a name. The user is then the
        one with the directory's spelling, so that no person becomes two users.
        """
        if ok.username != name:
            if not is_spelling(ok.username, name):
                log.warning("authenticator '%s' answers for another user than the one asked about", authenticator.name)
                return None
            user = await self._find_user(ok.username)
            if not may_verify(authenticator, ok.username, user):
                log.warning(
                    "authenticator '%s' answers for user '%s', who does not belong to it",
                    authenticator.name,
                    self.logged_names.of(ok.username, user),
                )
                return None
        return Proof(ok, authenticator.name, authenticator.local, user)

    def _timed(self, authenticate: Callable[P, Outcome], *args: P.args, **kwargs: P.kwargs) -> Outcome:
        began = time.perf_counter()
        try:
            return authenticate(*args, **kwargs)
        finally:
            self._numbers.observe(HASH_SECONDS, time.perf_counter() - began)

    async def _ask(
        self,
        authenticator: Authenticator,
        breaker: CircuitBreaker,
        credentials: Credentials,
        info: RequestInfo,
        user: User | None,
        rank: Callable[[], int],
    ) -> Outcome:
        if authenticator.local:
            return await self._hashing.run(rank, self._timed, authenticator.authenticate, credentials, info, user)
        try:
            answer: object = await breaker.call(authenticator.authenticate, credentials, info, user)
        except BackendUnavailable as error:
            reason = masked(error.message, _secrets(credentials, info, user))
            return Unavailable(reason, error.retry_after or RETRY_AFTER_SECONDS)
        except Exception as error:  # noqa: BLE001 - third-party code; the next authenticator must still be asked
            return Unavailable(f"it raised {failure_text(error, _secrets(credentials, info, user))}")
        if isinstance(answer, Ok | Unknown | Reject | Unavailable):
            return answer
        return Unavailable(f"it answered {type(answer).__name__}, which is not an outcome")


def _secrets(credentials: Credentials, info: RequestInfo, user: User | None) -> list[str]:
    """Return what the log must not show of a login; a name that no user has may be a password in the wrong field."""
    return [*secrets_of(info.headers, credentials), *([] if user is not None else [credentials.username])]


def _stamp(user: User | None) -> str | None:
    return user.stamp if user else None


def may_verify(authenticator: Authenticator, name: str, user: User | None) -> bool:
    """Return whether a name belongs to an authenticator.

    The names of root and of local users belong to the local authenticators. The name of an external user belongs to the
    authenticator that created the user. The name of no user belongs to all of them.
    """
    if name == ROOT or (user is not None and not user.provider):
        return authenticator.local
    return user is None or user.provider == authenticator.name
