"""What a :class:`~wheelgate.providers.TokenHandler` promises, as tests for any of them.

Subclass, and say by a fixture which token it knows::

    class TestTokens(TokenHandlerContract):
        @pytest.fixture
        def case(self) -> TokenHandlerCase:
            return TokenHandlerCase(Tokens(...), good="corp_swordfish", username="ada")
"""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from wheelgate.identity import sessions
from wheelgate.identity.tokens import PREFIX_PATTERN
from wheelgate.packages import normalize
from wheelgate.providers import TokenHandler
from wheelgate.testing.authenticators import SECRETS
from wheelgate.values import Reject, Restriction, Token, Unavailable

NEVER = frozenset({"user_create", "user_modify", "user_password", "user_delete", "token_manage"})
"""Permissions by which whoever finds a token could keep what it gives, or get more."""
TRIED = 64
"""Places at which a token is cut and changed, at most: a handler may have to ask somebody else about each."""


@dataclass(frozen=True, slots=True)
class TokenHandlerCase:
    """A handler, and a token that it knows."""

    handler: TokenHandler
    good: str = field(repr=False)
    """The secret of a token that is good."""
    username: str
    """Whose it is."""
    narrowed: Sequence[str] = field(default=(), repr=False)
    """Tokens that its holder made from it, all of them good; none if the handler knows nothing of that."""
    revoke: Callable[[], object] | None = None
    """Ends the good token; None if it ends only with its time or its user."""
    outage: Callable[[], object] | None = None
    """Takes down what the handler asks; None if it asks nothing that could be down."""

    def token(self) -> Token:
        """Return what the handler says of the good token."""
        token = self.handler.verify(self.good)
        assert isinstance(token, Token)
        return token


class TokenHandlerContract:
    """What a token handler promises."""

    @pytest.fixture
    def case(self) -> TokenHandlerCase:
        """Return the handler under test, with a token that it knows."""
        raise NotImplementedError("the class that tests a token handler defines the fixture 'case'")

    def test_it_says_what_it_is(self, case: TokenHandlerCase) -> None:
        """The name is one that a log can show; the prefix has the form of one, and is not that of login tokens."""
        handler = case.handler

        assert handler.name.isprintable()
        assert handler.name == handler.name.strip() != ""
        assert PREFIX_PATTERN.fullmatch(handler.prefix)
        assert handler.prefix != sessions.PREFIX
        assert isinstance(handler.local, bool)
        assert case.good.startswith(handler.prefix)

    def test_a_good_token_is_good(self, case: TokenHandlerCase) -> None:
        """The answer says whose it is, with the user's stamp, and for how long; its ID gives nothing away."""
        token = case.token()

        assert token.username == case.username
        assert token.stamp
        assert isinstance(token.expires, int)
        assert token.id.isprintable()
        assert token.id.strip() != ""
        assert not isinstance(case.handler.verify(case.handler.prefix + token.id), Token)
        assert case.good.removeprefix(case.handler.prefix) not in token.id

    def test_it_is_good_for_little(self, case: TokenHandlerCase) -> None:
        """Names are written as core compares them, and no token changes users, passwords or tokens."""
        restriction = case.token().restriction

        assert isinstance(restriction, Restriction)
        assert isinstance(restriction.permissions, frozenset)
        assert not restriction.permissions & NEVER
        assert all(index.count("/") == 1 for index in restriction.indices or ())
        assert all(project == normalize(project) for project in restriction.projects or ())

    def test_a_changed_token_is_worthless(self, case: TokenHandlerCase) -> None:
        """Cut, lengthened, or with another character anywhere, it is rejected."""
        begin, good = len(case.handler.prefix), case.good
        places = range(len(good) - 1, begin - 1, -max(1, (len(good) - begin) // TRIED))
        changed = [good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :] for place in places]
        cut = [good[:place] for place in places]
        longer = [good + more for more in ("A", ".", "=", " ", "\n", good)]

        assert [secret for secret in (*changed, *cut, *longer) if not rejected(case, secret)] == []

    @pytest.mark.parametrize("secret", SECRETS)
    def test_no_secret_is_a_trick(self, case: TokenHandlerCase, secret: str) -> None:
        """Whatever follows the prefix is rejected: to raise would leave the handler out for everybody."""
        assert rejected(case, case.handler.prefix + secret)

    def test_the_answer_is_the_same_again_and_at_once(self, case: TokenHandlerCase) -> None:
        """It is asked from several threads at a time, and good and bad tokens do not get mixed up."""
        asked = [case.good, case.good[:-1]] * 8

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(case.handler.verify, asked))

        assert [isinstance(answer, Token) for answer in answers] == [True, False] * 8

    def test_a_narrowed_token_is_good_for_no_more(self, case: TokenHandlerCase) -> None:
        """It is the same user's, and neither for longer nor for more than the one that it was made from."""
        if not case.narrowed:
            pytest.skip("its holders cannot narrow a token")
        whole = case.token()

        for secret in case.narrowed:
            token = case.handler.verify(secret)
            assert isinstance(token, Token)
            assert (token.username, token.stamp) == (whole.username, whole.stamp)
            assert token.expires <= whole.expires
            assert token.restriction.permissions <= whole.restriction.permissions
            assert within(token.restriction.indices, whole.restriction.indices)
            assert within(token.restriction.projects, whole.restriction.projects)

    def test_a_revoked_token_is_worthless(self, case: TokenHandlerCase) -> None:
        """So are those that were made from it."""
        if case.revoke is None:
            pytest.skip("its tokens end with their time or their user")
        case.revoke()

        assert all(rejected(case, secret) for secret in (case.good, *case.narrowed))

    def test_an_outage_is_no_answer(self, case: TokenHandlerCase) -> None:
        """While it cannot tell, it says so, or raises."""
        if case.outage is None:
            pytest.skip("it asks nothing that could be down")
        case.outage()

        try:
            answer: object = case.handler.verify(case.good)
        except Exception:  # noqa: BLE001 - to raise is an answer here
            return
        assert isinstance(answer, Unavailable)


def rejected(case: TokenHandlerCase, secret: str) -> bool:
    """Whether a secret is rejected for a reason that does not repeat it."""
    answer = case.handler.verify(secret)
    return isinstance(answer, Reject) and (len(secret) < TRIED or secret not in answer.reason)


def within(names: frozenset[str] | None, more: frozenset[str] | None) -> bool:
    """Whether names are among others; None stands for all."""
    return more is None or (names is not None and names <= more)
