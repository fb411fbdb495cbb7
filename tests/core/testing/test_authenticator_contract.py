"""The authenticator contract fails for each mistake that authenticators have made before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from wheelgate import Credentials, Ok, Outcome, Reject, Unknown
from wheelgate.testing.authenticators import AuthenticatorCase, AuthenticatorContract

VALID_CREDENTIALS = Credentials("password", "ada", "analytical", "test")


def make_authenticator(authenticate: Callable[[Credentials], Outcome]) -> Any:
    """Make an authenticator from a function of the credentials alone."""
    kinds = frozenset({"password", "remote-user"})
    return SimpleNamespace(
        name="flawed",
        accepts=kinds,
        local=False,
        authenticate=lambda credentials, request, user: authenticate(credentials),
    )


def is_valid(credentials: Credentials) -> bool:
    """Whether these are Ada's name and password."""
    return (credentials.kind, credentials.username, credentials.secret) == ("password", "ada", "analytical")


CONTRACT = AuthenticatorContract()
FLAWED_AUTHENTICATORS = [
    pytest.param(lambda _: Ok("ada"), CONTRACT.test_rejects_a_wrong_secret, (), id="lets anyone in"),
    pytest.param(
        lambda given: Ok("ada") if is_valid(given) or not given.secret else Unknown(),
        CONTRACT.test_rejects_hostile_secrets,
        ("",),
        id="treats an empty password as anonymous",
    ),
    pytest.param(
        lambda given: Ok("ada") if is_valid(given) else (given.secret.encode("ascii"), Unknown())[1],
        CONTRACT.test_rejects_hostile_secrets,
        ("\u202e",),
        id="raises on unusual secrets",
    ),
    pytest.param(
        lambda given: Ok("ada") if is_valid(given) or "*" in given.username else Unknown(),
        CONTRACT.test_rejects_hostile_names,
        ("a*",),
        id="interprets names",
    ),
    pytest.param(
        lambda given: Ok("ada") if is_valid(given) else Reject("no"),
        CONTRACT.test_gives_no_answer_during_an_outage,
        (),
        id="guesses during an outage",
    ),
    pytest.param(
        lambda given: Ok("ada") if is_valid(given) else Reject(f"{given.secret} is wrong"),
        CONTRACT.test_rejects_a_wrong_secret,
        (),
        id="repeats the secret",
    ),
    pytest.param(
        lambda given: Ok("Ada") if is_valid(given) else Unknown(),
        CONTRACT.test_accepts_valid_credentials,
        (),
        id="answers for another name",
    ),
    pytest.param(
        lambda given: Ok(given.username) if is_valid(replace(given, username=given.username.lower())) else Unknown(),
        CONTRACT.test_answers_other_spellings_with_its_own,
        (str.upper,),
        id="makes each spelling a user",
    ),
    pytest.param(
        lambda given: Ok("ada") if is_valid(given) or given.kind == "remote-user" else Unknown(),
        CONTRACT.test_rejects_a_wrong_password_of_every_kind,
        (),
        id="trusts a kind",
    ),
]


@pytest.mark.parametrize(("authenticate", "test", "more"), FLAWED_AUTHENTICATORS)
def test_a_flawed_authenticator_fails(
    authenticate: Callable[[Credentials], Outcome], test: Callable[..., None], more: tuple[str, ...]
) -> None:
    """The contract finds an authenticator that accepts too much, guesses, or repeats secrets."""
    case = AuthenticatorCase(make_authenticator(authenticate), VALID_CREDENTIALS, start_outage=lambda: None)

    with pytest.raises((AssertionError, UnicodeError)):
        test(case, *more)


@pytest.mark.parametrize(
    ("exists", "test", "more"),
    [
        pytest.param(lambda _: True, CONTRACT.test_reports_that_a_user_left, (), id="keeps users who left"),
        pytest.param(lambda _: None, CONTRACT.test_reports_that_a_user_left, (), id="returns None"),
        pytest.param(
            lambda name: "*" in name, CONTRACT.test_exists_is_false_for_unknown_names, ("a*",), id="interprets names"
        ),
        pytest.param(lambda _: False, CONTRACT.test_exists_raises_during_an_outage, (), id="guesses during an outage"),
    ],
)
def test_a_flawed_user_directory_fails(
    exists: Callable[[str], Any], test: Callable[..., None], more: tuple[str, ...]
) -> None:
    """The contract finds an ``exists`` that would log out all users, or none."""
    flawed = make_authenticator(lambda given: Ok("ada") if is_valid(given) else Unknown())
    flawed.exists = exists
    case = AuthenticatorCase(flawed, VALID_CREDENTIALS, start_outage=lambda: None, remove_user=lambda: None)

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        test(case, *more)


@pytest.mark.parametrize(
    "authenticate",
    [
        lambda given: Ok("ada") if given.trusted else Unknown(),
        lambda given: Ok("ada") if given.source == "proxy" else Unknown(),
    ],
    ids=["from any extractor", "untrusted"],
)
def test_trust_in_any_source_fails(authenticate: Callable[[Credentials], Outcome]) -> None:
    """The contract finds an authenticator that accepts a bare name from any extractor, or an untrusted one."""
    case = AuthenticatorCase(
        make_authenticator(authenticate), Credentials("remote-user", "ada", "", "proxy", trusted=True)
    )

    with pytest.raises(AssertionError):
        CONTRACT.test_rejects_untrusted_credentials_without_a_secret(case)
