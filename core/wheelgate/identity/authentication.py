"""Asks the authenticators, in their order, whose credentials these are."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from wheelgate.caches import TtlCache
from wheelgate.errors import BackendUnavailable, NotAuthenticated
from wheelgate.identity.limiter import Limiter
from wheelgate.providers import Authenticator
from wheelgate.threads.pool import Pool, Provider
from wheelgate.values import ROOT, Credentials, Ok, Outcome, Reject, RequestInfo, Unavailable, Unknown, User

LOGIN_CACHE_SECONDS = 60.0
"""Seconds for which verified credentials are good without another look at the password."""
LOGIN_CACHE_ENTRIES = 10_000
"""Verified credentials that are remembered."""

log = logging.getLogger("wheelgate.identity")


@dataclass(frozen=True, slots=True)
class Proof:
    """Credentials that an authenticator found good."""

    ok: Ok
    by: str
    """The authenticator's name."""
    local: bool


class Authentication:
    """Judges credentials and remembers good ones for a minute, so that pip's hundred requests cost one hash."""

    def __init__(
        self, authenticators: Sequence[tuple[Authenticator, Provider]], hashing: Pool, limiter: Limiter, key: bytes
    ) -> None:
        """Take the authenticators in their order, the threads for local ones, and a key for what is remembered."""
        self._authenticators = authenticators
        self._hashing = hashing
        self._limiter = limiter
        self._key = key
        self._verified: TtlCache[bytes, tuple[str | None, Proof]] = TtlCache(LOGIN_CACHE_ENTRIES)
        """By a digest of the credentials; each with the user's stamp, which a new password changes."""

    async def remembered(self, credentials: Credentials, info: RequestInfo, user: User | None) -> Proof:
        """Judge credentials that come with every request; see :meth:`judge`."""
        if credentials.trusted:
            return await self.judge(credentials, info, user)  # nothing is remembered that somebody could type
        text = f"{credentials.kind}\0{credentials.username}\0{credentials.secret}"
        digest = hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")
        stamp = user.stamp if user else None
        known = self._verified.get(digest)
        if known is not None and known[0] == stamp:
            return known[1]
        proof = await self.judge(credentials, info, user)
        self._verified.put(digest, (stamp, proof), LOGIN_CACHE_SECONDS)
        return proof

    async def judge(self, credentials: Credentials, info: RequestInfo, user: User | None) -> Proof:
        """Ask until one authenticator says yes or no.

        A name belongs to whoever brought it: a local user, and root, to the local authenticators; a user from
        elsewhere to the authenticator that its record names.

        Raises:
            NotAuthenticated: nobody knows these credentials, or one rejects them.
            TooManyAttempts: too many wrong ones came before.
            BackendUnavailable: nobody says yes, and one could not be asked.
        """
        name = credentials.username
        # Without a secret nothing can be guessed, and what others guess from the proxy's address is no one's fault.
        guessed = not credentials.trusted
        if guessed:
            self._limiter.check(name, info.remote_address)
        missing: BackendUnavailable | None = None
        for authenticator, provider in self._authenticators:
            if credentials.kind not in authenticator.accepts or not belongs(name, user, authenticator):
                continue
            match await self._ask(authenticator, provider, credentials, info, user):
                case Ok() as ok if ok.username == name:
                    if guessed:
                        self._limiter.succeeded(name, info.remote_address)
                    return Proof(ok, authenticator.name, authenticator.local)
                case Reject(reason):
                    log.info("authenticator '%s' rejects user '%s': %s", authenticator.name, name, reason)
                    missing = None
                    break
                case Unavailable(reason, retry_after):
                    log.warning("authenticator '%s' is unavailable: %s", authenticator.name, reason)
                    sentence = f"the login service '{authenticator.name}' cannot be reached; try again later"
                    missing = BackendUnavailable(sentence, retry_after=retry_after)
        if missing is not None:
            raise missing
        if guessed:
            self._limiter.failed(name, info.remote_address)
        log.warning("failed login of user '%s' from %s", name, info.remote_address)
        raise NotAuthenticated(f"user '{name}' could not be authenticated")

    async def _ask(
        self,
        authenticator: Authenticator,
        provider: Provider,
        credentials: Credentials,
        info: RequestInfo,
        user: User | None,
    ) -> Outcome:
        if authenticator.local:
            return await self._hashing.run(self._attempt, authenticator, credentials, info, user)
        try:
            answer: object = await provider.call(authenticator.authenticate, credentials, info, user)
        except BackendUnavailable as error:
            return Unavailable(error.message, error.retry_after or 5)
        except Exception as error:  # noqa: BLE001 - a stranger's code: whatever it raises stays here
            return Unavailable(f"it raised {type(error).__name__}")
        if isinstance(answer, Ok | Unknown | Reject | Unavailable):
            return answer
        return Unavailable(f"it answered {type(answer).__name__}, which is no outcome")

    def _attempt(
        self, authenticator: Authenticator, credentials: Credentials, info: RequestInfo, user: User | None
    ) -> Outcome:
        # Checked again at the head of the queue: of a hundred guesses sent at once, the later ones must wait too.
        self._limiter.check(credentials.username, info.remote_address)
        return authenticator.authenticate(credentials, info, user)


def belongs(name: str, user: User | None, authenticator: Authenticator) -> bool:
    """Whether an authenticator may vouch for a name."""
    if name == ROOT or (user is not None and not user.provider):
        return authenticator.local
    return user is None or user.provider == authenticator.name
