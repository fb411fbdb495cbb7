"""Contract tests for every :class:`~wheelgate.providers.Authenticator`.

Subclass the contract, and return your authenticator and valid credentials from the fixture ``case``::

    class TestDirectory(AuthenticatorContract):
        @pytest.fixture
        def case(self) -> AuthenticatorCase:
            return AuthenticatorCase(Directory(...), Credentials("password", "ada", "analytical", "test"))

The tests change a case only by its ``outage`` and ``leave``. If yours has neither and takes long to make, make it once:
``@pytest.fixture(scope="class")`` above ``@classmethod``.
"""

# ruff: noqa: S101 - tests are made of assertions

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from wheelgate.providers import Authenticator, UserDirectory
from wheelgate.testing.hostile_values import HOSTILE_NAMES, HOSTILE_SECRETS
from wheelgate.values import Credentials, Ok, Outcome, Reject, RequestInfo, Unavailable, Unknown, User

FULL_WIDTH_OFFSET = 0xFEE0
"""What to add to the code of an ASCII character for its full-width form (Unicode, block FF00)."""
LOCAL_REQUEST = RequestInfo("GET", "/", {}, "127.0.0.1", peer_address="127.0.0.1")
"""A request without headers from the server's own machine."""


@dataclass(frozen=True, slots=True)
class AuthenticatorCase:
    """An authenticator, and a user that it accepts."""

    authenticator: Authenticator
    valid_credentials: Credentials
    """The authenticator answers ``Ok`` to these. The name is spelled as your service spells it."""
    user: User | None = None
    """The user of that name in the user store, if there is one."""
    start_outage: Callable[[], object] | None = None
    """Takes down the service that the authenticator asks; None if it asks none."""
    request: RequestInfo = LOCAL_REQUEST
    remove_user: Callable[[], object] | None = None
    """Removes the user from the directory; needed if the authenticator has ``exists``."""

    def authenticate(self, credentials: Credentials) -> Outcome:
        """Return the authenticator's answer to credentials."""
        known = self.user if credentials.username == self.valid_credentials.username else None
        return self.authenticator.authenticate(credentials, self.request, known)


def full_width(name: str) -> str:
    """Return a name in the wide letters of East Asian fonts, which are the same after NFKC."""
    return "".join(chr(ord(each) + FULL_WIDTH_OFFSET) if "!" <= each <= "~" else each for each in name)


class AuthenticatorContract:
    """The tests that every authenticator passes."""

    @pytest.fixture
    def case(self) -> AuthenticatorCase:
        """Return the authenticator under test with valid credentials; override this."""
        raise NotImplementedError("define the fixture 'case' in your subclass of AuthenticatorContract")

    def test_attributes_are_valid(self, case: AuthenticatorCase) -> None:
        """An authenticator has a printable name without commas, a frozenset of kinds, and a boolean ``local``."""
        authenticator = case.authenticator
        kind = case.valid_credentials.kind

        assert authenticator.name.isprintable(), "use printable characters only: logs show the name"
        assert authenticator.name == authenticator.name.strip() != "", "give a name without spaces around it"
        assert "," not in authenticator.name, "leave out commas: --auth-order separates names by them"
        assert isinstance(authenticator.accepts, frozenset), "set 'accepts' to a frozenset of kinds"
        assert kind in authenticator.accepts, "list the kind of the valid credentials in 'accepts'"
        assert isinstance(authenticator.local, bool), "set 'local' to True or False"

    def test_accepts_valid_credentials(self, case: AuthenticatorCase) -> None:
        """An authenticator answers valid credentials with ``Ok``, the same name, and usable groups and texts."""
        outcome = case.authenticate(case.valid_credentials)

        assert isinstance(outcome, Ok), "return Ok for valid credentials"
        assert outcome.username == case.valid_credentials.username, "answer for the name in the credentials"
        assert outcome.groups is None or isinstance(outcome.groups, frozenset), "return groups as a frozenset, or None"
        assert not any(set(group) & set(":,") for group in outcome.groups or ()), "leave out groups with ':' or ','"
        texts = (outcome.email, outcome.title)
        assert all(text is None or isinstance(text, str) for text in texts), "return email and title as str, or None"

    def test_answers_the_same_from_several_threads(self, case: AuthenticatorCase) -> None:
        """An authenticator called from several threads at once keeps right and wrong secrets apart."""
        wrong = with_wrong_secret(case.valid_credentials)

        with ThreadPoolExecutor(8) as threads:
            outcomes = list(threads.map(case.authenticate, [case.valid_credentials, wrong] * 8))

        assert [isinstance(outcome, Ok) for outcome in outcomes] == [True, False] * 8, "share no state between calls"

    def test_rejects_a_wrong_secret(self, case: AuthenticatorCase) -> None:
        """An authenticator answers a wrong secret with ``Unknown`` or ``Reject``, and does not repeat the secret."""
        outcome = case.authenticate(with_wrong_secret(case.valid_credentials))

        assert isinstance(outcome, Unknown | Reject), "return Unknown or Reject for a wrong secret"
        assert "not the secret" not in str(outcome), "leave the secret out of the reason: logs show it"

    @pytest.mark.parametrize("secret", HOSTILE_SECRETS)
    def test_rejects_hostile_secrets(self, case: AuthenticatorCase, secret: str) -> None:
        """An authenticator compares secrets, never interprets them; an empty secret logs nobody in."""
        if case.valid_credentials.trusted:
            pytest.skip("the credentials have no secret")

        outcome = case.authenticate(replace(case.valid_credentials, secret=secret))

        assert isinstance(outcome, Unknown | Reject), "return Unknown or Reject for any other secret"

    @pytest.mark.parametrize("respell", [str.upper, str.lower, str.title, full_width], ids=lambda each: each.__name__)
    def test_answers_other_spellings_with_its_own(self, case: AuthenticatorCase, respell: Callable[[str], str]) -> None:
        """An authenticator that accepts another spelling of a name answers with its own, so that both are one user."""
        if case.valid_credentials.trusted:
            pytest.skip("the extractor vouches for the name")
        name = case.valid_credentials.username

        outcome = case.authenticate(replace(case.valid_credentials, username=respell(name)))

        own = isinstance(outcome, Ok) and outcome.username == name
        assert own or isinstance(outcome, Unknown | Reject), f"return Ok({name!r}) for {respell(name)!a}, or refuse it"

    @pytest.mark.parametrize("name", HOSTILE_NAMES)
    def test_rejects_hostile_names(self, case: AuthenticatorCase, name: str) -> None:
        """An authenticator accepts a secret for its own user only, and escapes names in filters, queries and paths."""
        if case.valid_credentials.trusted:
            pytest.skip("the extractor vouches for the name")

        outcome = case.authenticate(replace(case.valid_credentials, username=name))

        assert isinstance(outcome, Unknown | Reject), "return Unknown or Reject for any other name"

    def test_rejects_untrusted_credentials_without_a_secret(self, case: AuthenticatorCase) -> None:
        """An authenticator accepts credentials without a secret only if they are trusted and from its own extractor."""
        if not case.valid_credentials.trusted:
            pytest.skip("the credentials have a secret")

        untrusted = replace(case.valid_credentials, trusted=False)
        assert isinstance(case.authenticate(untrusted), Unknown | Reject), "check 'trusted'"
        foreign = replace(case.valid_credentials, source="another extractor")
        assert isinstance(case.authenticate(foreign), Unknown | Reject), "compare 'source' with your extractor's name"

    def test_rejects_a_wrong_password_of_every_kind(self, case: AuthenticatorCase) -> None:
        """An authenticator refuses a wrong password whatever kind of credentials it is said to be."""
        for kind in case.authenticator.accepts:
            forged = Credentials(kind, case.valid_credentials.username, "not the secret", "basic")

            assert isinstance(case.authenticate(forged), Unknown | Reject), f"check the secret of the kind {kind!r} too"

    def test_gives_no_answer_during_an_outage(self, case: AuthenticatorCase) -> None:
        """An authenticator whose service is down returns ``Unavailable`` or raises, for right and wrong credentials."""
        if case.start_outage is None:
            pytest.skip("the authenticator asks no service that could be down")
        case.start_outage()

        for credentials in (case.valid_credentials, with_wrong_secret(case.valid_credentials)):
            try:
                outcome: Outcome | None = case.authenticate(credentials)
            except Exception:  # noqa: BLE001 - an authenticator may raise anything here
                outcome = None
            assert outcome is None or isinstance(outcome, Unavailable), "return Unavailable, or raise"

    def test_reports_that_a_user_left(self, case: AuthenticatorCase) -> None:
        """``exists`` returns ``True`` for a user, and ``False`` once the user left: only this ends their sessions."""
        directory = user_directory(case)
        assert case.remove_user is not None, "set 'remove_user' in the case: the authenticator has 'exists'"

        assert directory.exists(case.valid_credentials.username) is True, "return True while the user is there"
        case.remove_user()
        assert directory.exists(case.valid_credentials.username) is False, "return False once the user left"

    @pytest.mark.parametrize("name", HOSTILE_NAMES)
    def test_exists_is_false_for_unknown_names(self, case: AuthenticatorCase, name: str) -> None:
        """``exists`` returns ``False`` for unknown names, and escapes them in filters, queries and paths."""
        assert user_directory(case).exists(name) is False, "return False for an unknown name"

    def test_exists_raises_during_an_outage(self, case: AuthenticatorCase) -> None:
        """``exists`` raises while its service is down: ``False`` would end the sessions and tokens of all users."""
        directory = user_directory(case)
        if case.start_outage is None:
            pytest.skip("the authenticator asks no service that could be down")
        case.start_outage()

        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it raises, the server answers 503
            directory.exists(case.valid_credentials.username)


def user_directory(case: AuthenticatorCase) -> UserDirectory:
    """Return the authenticator as a directory; skip the test if it has no ``exists``."""
    if not isinstance(case.authenticator, UserDirectory):
        pytest.skip("the authenticator has no 'exists'")
    return case.authenticator


def with_wrong_secret(credentials: Credentials) -> Credentials:
    """Return untrusted credentials for the same user with a wrong secret."""
    return replace(credentials, secret="not the secret", trusted=False)  # noqa: S106 - it is none
