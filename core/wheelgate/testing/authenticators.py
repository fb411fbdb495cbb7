"""What an :class:`~wheelgate.providers.Authenticator` promises, as tests for any of them.

Subclass, and say by a fixture whom it knows::

    class TestDirectory(AuthenticatorContract):
        @pytest.fixture
        def case(self) -> AuthenticatorCase:
            return AuthenticatorCase(Directory(...), good=Credentials("password", "ada", "analytical", "test"))
"""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from wheelgate.providers import Authenticator, UserDirectory
from wheelgate.values import MAX_NAME_CHARS, Credentials, Ok, Outcome, Reject, RequestInfo, Unavailable, Unknown, User

SECRETS = [  # such as core passes on: neither half of a surrogate pair nor a megabyte gets through to an authenticator
    pytest.param("", id="empty"),
    pytest.param(" ", id="blank"),
    pytest.param("*", id="everything, to a filter"),
    pytest.param(")(objectClass=*", id="end of a filter"),
    pytest.param("' OR '1'='1", id="end of a string"),
    pytest.param("%s%n{0}${x}", id="signs that languages use"),
    pytest.param("\0", id="NUL"),
    pytest.param("x\r\nX-Remote-User: root", id="line breaks"),
    pytest.param("\u202e\U0001f40d", id="beyond ASCII"),
    pytest.param("x" * 8_000, id="as long as a header can be"),
]
NAMES = [
    pytest.param("no.such-user", id="unknown"),
    pytest.param("*", id="everything, to a filter"),
    pytest.param("a*", id="beginning"),
    pytest.param(")(uid=*))(|(uid=*", id="end of a filter"),
    pytest.param("x,dc=evil", id="end of a part of a name"),
    pytest.param("' OR '1'='1", id="end of a string"),
    pytest.param("../../etc/passwd", id="path"),
    pytest.param("%s{0}", id="signs that languages use"),
    pytest.param("\u202e\U0001f40d", id="beyond ASCII"),
    pytest.param("x" * MAX_NAME_CHARS, id="longest"),
]

REQUEST = RequestInfo("GET", "/", {}, "127.0.0.1", peer_address="127.0.0.1")


@dataclass(frozen=True, slots=True)
class AuthenticatorCase:
    """An authenticator, and somebody whom it knows."""

    authenticator: Authenticator
    good: Credentials
    """What it says ``Ok`` to."""
    user: User | None = None
    """What the store knows under that name."""
    outage: Callable[[], object] | None = None
    """Takes down what the authenticator asks; None if it asks nothing that could be down."""
    request: RequestInfo = REQUEST
    leave: Callable[[], object] | None = None
    """Takes the user out of what the authenticator asks; needed for one that has ``exists``."""

    def judge(self, credentials: Credentials) -> Outcome:
        """Ask."""
        known = self.user if credentials.username == self.good.username else None
        return self.authenticator.authenticate(credentials, self.request, known)


class AuthenticatorContract:
    """What an authenticator promises."""

    @pytest.fixture
    def case(self) -> AuthenticatorCase:
        """Return the authenticator under test, with somebody whom it knows."""
        raise NotImplementedError("the class that tests an authenticator defines the fixture 'case'")

    def test_it_says_what_it_is(self, case: AuthenticatorCase) -> None:
        """The name can stand in ``--auth-order``; the kinds are a frozen set, and hold that of the good credentials."""
        authenticator = case.authenticator

        assert authenticator.name.isprintable()
        assert authenticator.name == authenticator.name.strip() != ""
        assert "," not in authenticator.name
        assert isinstance(authenticator.accepts, frozenset)
        assert case.good.kind in authenticator.accepts
        assert isinstance(authenticator.local, bool)

    def test_good_credentials_are_good(self, case: AuthenticatorCase) -> None:
        """The answer is for the name that was asked about; whatever it says besides is what core can use."""
        outcome = case.judge(case.good)

        assert isinstance(outcome, Ok)
        assert outcome.username == case.good.username
        assert outcome.groups is None or isinstance(outcome.groups, frozenset)
        assert not any(set(group) & set(":,") for group in outcome.groups or ())
        assert all(text is None or isinstance(text, str) for text in (outcome.email, outcome.title))

    def test_the_answer_is_the_same_again_and_at_once(self, case: AuthenticatorCase) -> None:
        """It is asked from several threads at a time, and good and wrong secrets do not get mixed up."""
        wrong = not_as_good(case.good)
        asked = [case.good, wrong] * 8

        with ThreadPoolExecutor(8) as threads:
            outcomes = list(threads.map(case.judge, asked))

        assert [isinstance(outcome, Ok) for outcome in outcomes] == [True, False] * 8

    def test_a_wrong_secret_is_wrong(self, case: AuthenticatorCase) -> None:
        """It is either somebody else's or wrong; whatever the reason says, it does not repeat the secret."""
        outcome = case.judge(not_as_good(case.good))

        assert isinstance(outcome, Unknown | Reject)
        assert "not the secret" not in str(outcome)

    @pytest.mark.parametrize("secret", SECRETS)
    def test_no_secret_is_a_trick(self, case: AuthenticatorCase, secret: str) -> None:
        """A secret is compared, never interpreted; a directory that takes an empty one for anonymous is not asked."""
        if case.good.trusted:
            pytest.skip("the credentials have no secret")

        outcome = case.judge(replace(case.good, secret=secret))

        assert isinstance(outcome, Unknown | Reject)

    @pytest.mark.parametrize("name", NAMES)
    def test_no_name_is_a_trick(self, case: AuthenticatorCase, name: str) -> None:
        """A good secret is good for its own user only, whatever the name would mean to a filter or a path."""
        if case.good.trusted:
            pytest.skip("the extractor vouches for the name")

        outcome = case.judge(replace(case.good, username=name))

        assert isinstance(outcome, Unknown | Reject)

    def test_what_is_trusted_must_say_so(self, case: AuthenticatorCase) -> None:
        """Credentials without a secret are good only as the extractor made them that may vouch for a name."""
        if not case.good.trusted:
            pytest.skip("the credentials have a secret")

        for forged in (replace(case.good, trusted=False), replace(case.good, source="another extractor")):
            assert isinstance(case.judge(forged), Unknown | Reject)

    def test_a_password_is_no_vouching(self, case: AuthenticatorCase) -> None:
        """Whatever kinds it accepts, a password that is wrong is not good because of its kind."""
        for kind in case.authenticator.accepts:
            forged = Credentials(kind, case.good.username, "not the secret", "basic")

            assert isinstance(case.judge(forged), Unknown | Reject)

    def test_an_outage_is_no_answer(self, case: AuthenticatorCase) -> None:
        """While it cannot tell, it says so, or raises: neither yes nor no, to good and to wrong credentials alike."""
        if case.outage is None:
            pytest.skip("it asks nothing that could be down")
        case.outage()

        for credentials in (case.good, not_as_good(case.good)):
            try:
                outcome: Outcome | None = case.judge(credentials)
            except Exception:  # noqa: BLE001 - to raise is an answer here
                outcome = None
            assert outcome is None or isinstance(outcome, Unavailable)

    def test_it_knows_who_is_there(self, case: AuthenticatorCase) -> None:
        """Who is there is, until he leaves; then the answer is ``False``, for by anything else nobody is logged out."""
        directory = directory_of(case)
        assert case.leave is not None, "an authenticator that has 'exists' is tested with somebody who leaves"

        assert directory.exists(case.good.username) is True
        case.leave()
        assert directory.exists(case.good.username) is False

    @pytest.mark.parametrize("name", NAMES)
    def test_nobody_else_is_there(self, case: AuthenticatorCase, name: str) -> None:
        """Whom it does not know is not there, which is no error, whatever the name would mean to a filter."""
        assert directory_of(case).exists(name) is False

    def test_an_outage_sends_nobody_away(self, case: AuthenticatorCase) -> None:
        """While it cannot tell who is there it raises: ``False`` would end everybody's logins and tokens."""
        directory = directory_of(case)
        if case.outage is None:
            pytest.skip("it asks nothing that could be down")
        case.outage()

        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it raises, the answer is 503
            directory.exists(case.good.username)


def directory_of(case: AuthenticatorCase) -> UserDirectory:
    """Return the authenticator as what tells who is still there."""
    if not isinstance(case.authenticator, UserDirectory):
        pytest.skip("it does not tell who is still there")
    return case.authenticator


def not_as_good(good: Credentials) -> Credentials:
    """Return credentials for the same user that prove nothing."""
    return replace(good, secret="not the secret", trusted=False)  # noqa: S106 - it is none
