"""Contract tests for every :class:`~wheelgate.providers.TokenHandler`.

Subclass the contract, and return your handler and a valid token from the fixture ``case``::

    class TestTokens(TokenHandlerContract):
        @pytest.fixture
        def case(self) -> TokenHandlerCase:
            return TokenHandlerCase(Tokens(...), valid_token="corp_swordfish", username="ada")
"""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from wheelgate.identity import sessions
from wheelgate.identity.tokens import TOKEN_PREFIX_PATTERN
from wheelgate.packages import normalize
from wheelgate.providers import TokenHandler
from wheelgate.testing.hostile_values import HOSTILE_SECRETS
from wheelgate.values import Reject, Restriction, Token, Unavailable

FORBIDDEN_PERMISSIONS = frozenset({"user_create", "user_modify", "user_password", "user_delete", "token_manage"})
"""Permissions that no token gives: a thief could use them to keep access, or to gain more."""
MAX_CHANGED_POSITIONS = 64
"""Positions at which the contract cuts and changes a token: a handler may have to ask a service about each."""
MIN_SECRET_CHARS = 64
"""Shorter secrets may occur in the reason of a refusal by chance."""


@dataclass(frozen=True, slots=True)
class TokenHandlerCase:
    """A handler, and a token that it accepts."""

    handler: TokenHandler
    valid_token: str = field(repr=False)
    username: str
    """The owner of the token."""
    derived_tokens: Sequence[str] = field(default=(), repr=False)
    """Valid tokens that the owner derived from it; none if the handler does not support that."""
    revoke: Callable[[], object] | None = None
    """Revokes the valid token; None if tokens end only by their expiry or with their user."""
    start_outage: Callable[[], object] | None = None
    """Takes down the service that the handler asks; None if it asks none."""

    def verified(self) -> Token:
        """Return the handler's answer to the valid token."""
        token = self.handler.verify(self.valid_token)
        assert isinstance(token, Token), "return a Token for a valid token"
        return token


class TokenHandlerContract:
    """The tests that every token handler passes."""

    @pytest.fixture
    def case(self) -> TokenHandlerCase:
        """Return the handler under test with a valid token; override this."""
        raise NotImplementedError("define the fixture 'case' in your subclass of TokenHandlerContract")

    def test_attributes_are_valid(self, case: TokenHandlerCase) -> None:
        """A handler has a printable name, and a well-formed prefix that is not the one of login sessions."""
        handler = case.handler

        assert handler.name.isprintable(), "use printable characters only: logs show the name"
        assert handler.name == handler.name.strip() != "", "give a name without spaces around it"
        assert TOKEN_PREFIX_PATTERN.fullmatch(handler.prefix), (
            f"choose a prefix that matches {TOKEN_PREFIX_PATTERN.pattern}"
        )
        assert handler.prefix != sessions.LOGIN_TOKEN_PREFIX, "choose another prefix: this is the one of login sessions"
        assert isinstance(handler.local, bool), "set 'local' to True or False"
        assert case.valid_token.startswith(handler.prefix), "begin every token with the prefix"

    def test_accepts_a_valid_token(self, case: TokenHandlerCase) -> None:
        """A handler returns the owner, their stamp, the expiry, and an ID that reveals nothing of the secret."""
        token = case.verified()

        assert token.username == case.username, "return the name of the token's owner"
        assert token.stamp, "return the stamp that the owner had when the token was made"
        assert isinstance(token.expires, int), "return the expiry as an int, in seconds since 1970"
        assert token.id.isprintable(), "use printable characters only: logs show the ID"
        assert token.id.strip() != "", "give every token an ID"
        by_id = case.handler.verify(case.handler.prefix + token.id)
        assert not isinstance(by_id, Token), "do not accept the ID as a token"
        assert case.valid_token.removeprefix(case.handler.prefix) not in token.id, "leave the secret out of the ID"

    def test_grants_limited_permissions(self, case: TokenHandlerCase) -> None:
        """A token names indices and projects in the core's form, and gives no right over users, passwords or tokens."""
        restriction = case.verified().restriction

        assert isinstance(restriction, Restriction), "return a Restriction"
        assert isinstance(restriction.permissions, frozenset), "return permissions as a frozenset"
        assert not restriction.permissions & FORBIDDEN_PERMISSIONS, "give no right over users, passwords or tokens"
        assert all(index.count("/") == 1 for index in restriction.indices or ()), "write indices as OWNER/NAME"
        listed = (restriction.projects, restriction.read_projects, restriction.change_projects)
        projects = {project for projects in listed for project in projects or ()}
        assert all(project == normalize(project) for project in projects), "normalise the names of projects"

    def test_rejects_a_changed_token(self, case: TokenHandlerCase) -> None:
        """A handler rejects a token that is cut, extended, or changed in one character."""
        begin, valid = len(case.handler.prefix), case.valid_token
        step = max(1, (len(valid) - begin) // MAX_CHANGED_POSITIONS)
        positions = range(len(valid) - 1, begin - 1, -step)
        changed = [valid[:at] + ("A" if valid[at] != "A" else "B") + valid[at + 1 :] for at in positions]
        cut = [valid[:at] for at in positions]
        extended = [valid + more for more in ("A", ".", "=", " ", "\n", valid)]

        accepted = [secret for secret in (*changed, *cut, *extended) if not is_rejected(case, secret)]
        assert accepted == [], "return a Reject that does not repeat the secret, and compare every character"

    @pytest.mark.parametrize("secret", HOSTILE_SECRETS)
    def test_rejects_hostile_secrets(self, case: TokenHandlerCase, secret: str) -> None:
        """A handler rejects whatever follows its prefix, and does not raise: the server would suspend the handler."""
        secret = case.handler.prefix + secret
        assert is_rejected(case, secret), "return a Reject that does not repeat the secret"

    def test_answers_the_same_from_several_threads(self, case: TokenHandlerCase) -> None:
        """A handler called from several threads at once keeps valid and invalid tokens apart."""
        secrets = [case.valid_token, case.valid_token[:-1]] * 8

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(case.handler.verify, secrets))

        assert [isinstance(answer, Token) for answer in answers] == [True, False] * 8, "share no state between calls"

    def test_a_derived_token_grants_no_more(self, case: TokenHandlerCase) -> None:
        """A derived token has the same owner, and neither lasts longer nor permits more than its parent."""
        if not case.derived_tokens:
            pytest.skip("the handler has no derived tokens")
        parent = case.verified()

        for secret in case.derived_tokens:
            token = case.handler.verify(secret)
            assert isinstance(token, Token), "return a Token for a derived token"
            owner = (token.username, token.stamp)
            assert owner == (parent.username, parent.stamp), "keep the owner and the stamp of the parent"
            assert token.expires <= parent.expires, "let a derived token expire no later than its parent"
            permissions = token.restriction.permissions
            assert permissions <= parent.restriction.permissions, "permit no more than the parent"
            assert is_narrower(token.restriction.indices, parent.restriction.indices), "name no more indices"
            for permission in permissions:
                allowed, before = (each.restriction.projects_for(permission) for each in (token, parent))
                assert is_narrower(allowed, before), "name no more projects"

    def test_rejects_a_revoked_token(self, case: TokenHandlerCase) -> None:
        """A handler rejects a revoked token, and the tokens derived from it."""
        if case.revoke is None:
            pytest.skip("tokens of this handler end only by their expiry or with their user")
        case.revoke()

        revoked = (case.valid_token, *case.derived_tokens)
        assert all(is_rejected(case, secret) for secret in revoked), "reject the token and those derived from it"

    def test_gives_no_answer_during_an_outage(self, case: TokenHandlerCase) -> None:
        """A handler whose service is down returns ``Unavailable`` or raises."""
        if case.start_outage is None:
            pytest.skip("the handler asks no service that could be down")
        case.start_outage()

        try:
            answer: object = case.handler.verify(case.valid_token)
        except Exception:  # noqa: BLE001 - a handler may raise anything here
            return
        assert isinstance(answer, Unavailable), "return Unavailable, or raise"


def is_rejected(case: TokenHandlerCase, secret: str) -> bool:
    """Whether the handler rejects a secret, for a reason that does not repeat it."""
    answer = case.handler.verify(secret)
    return isinstance(answer, Reject) and (len(secret) < MIN_SECRET_CHARS or secret not in answer.reason)


def is_narrower(names: frozenset[str] | None, parent: frozenset[str] | None) -> bool:
    """Whether a set of names holds no more than its parent; None stands for all names."""
    return parent is None or (names is not None and names <= parent)
