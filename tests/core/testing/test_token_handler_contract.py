"""The token handler contract fails for tokens that give more than they say, or give it to others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from wheelgate import Reject, Restriction, Token
from wheelgate.testing.token_handlers import TokenHandlerCase, TokenHandlerContract

VALID_TOKEN = "ada_swordfish"
READ_ONLY = Restriction(frozenset({"index_read"}), frozenset({"ada/dev"}))
ANSWER = Token("1", "ada", "stamp", 2**40, READ_ONLY)
CONTRACT = TokenHandlerContract()
REJECT = Reject("no")
FLAWED_HANDLERS = [
    pytest.param(lambda _: ANSWER, CONTRACT.test_rejects_a_changed_token, (), id="accepts anything"),
    pytest.param(
        lambda given: ANSWER if given.strip() == VALID_TOKEN else REJECT,
        CONTRACT.test_rejects_a_changed_token,
        (),
        id="strips spaces",
    ),
    pytest.param(
        lambda given: ANSWER if given.startswith(VALID_TOKEN[:-1]) else REJECT,
        CONTRACT.test_rejects_a_changed_token,
        (),
        id="ignores the last character",
    ),
    pytest.param(
        lambda given: Reject(f"{given} is unknown"),
        CONTRACT.test_rejects_hostile_secrets,
        ("x" * 99,),
        id="repeats the secret",
    ),
    pytest.param(
        lambda given: (given.encode("ascii"), REJECT)[1],
        CONTRACT.test_rejects_hostile_secrets,
        ("\u202e",),
        id="raises on unusual secrets",
    ),
    pytest.param(
        lambda _: replace(ANSWER, id="swordfish"),
        CONTRACT.test_accepts_a_valid_token,
        (),
        id="reveals the secret in the ID",
    ),
    pytest.param(
        lambda _: replace(ANSWER, username="bob"), CONTRACT.test_accepts_a_valid_token, (), id="names another owner"
    ),
    pytest.param(
        lambda _: replace(ANSWER, restriction=Restriction(frozenset({"user_password"}))),
        CONTRACT.test_grants_limited_permissions,
        (),
        id="permits to change passwords",
    ),
    pytest.param(
        lambda given: (
            ANSWER if given == VALID_TOKEN else replace(ANSWER, restriction=Restriction(READ_ONLY.permissions))
        ),
        CONTRACT.test_a_derived_token_grants_no_more,
        (),
        id="derived token permits more",
    ),
    pytest.param(lambda _: ANSWER, CONTRACT.test_rejects_a_revoked_token, (), id="ignores revocation"),
    pytest.param(lambda _: REJECT, CONTRACT.test_gives_no_answer_during_an_outage, (), id="guesses during an outage"),
]


@pytest.mark.parametrize(("verify", "test", "more"), FLAWED_HANDLERS)
def test_a_flawed_token_handler_fails(
    verify: Callable[[str], Any], test: Callable[..., None], more: tuple[str, ...]
) -> None:
    """The contract finds a handler whose tokens give more than they say, or give it to others."""
    handler: Any = SimpleNamespace(name="flawed", prefix="ada_", local=True, verify=verify)
    case = TokenHandlerCase(
        handler, VALID_TOKEN, "ada", [f"{VALID_TOKEN}.less"], revoke=lambda: None, start_outage=lambda: None
    )

    with pytest.raises((AssertionError, UnicodeError)):
        test(case, *more)
