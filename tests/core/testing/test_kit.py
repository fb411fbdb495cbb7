"""The kit for authors of plugins: its contracts pass for what is right, and fail for what is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from tests.helpers.sites import Serve

from wheelgate import Allow, Credentials, Deny, Ok, Outcome, Reject, Resource, Restriction, Token, Unknown, hookimpl
from wheelgate.testing.authenticators import AuthenticatorCase, AuthenticatorContract
from wheelgate.testing.fake_directory import FakeDirectory, Person
from wheelgate.testing.group_sources import GroupSourceCase, GroupSourceContract
from wheelgate.testing.policies import SAMPLE_PRINCIPALS, SAMPLE_RESOURCES, PolicyContract
from wheelgate.testing.site import Site
from wheelgate.testing.token_handlers import TokenHandlerCase, TokenHandlerContract

GOOD = Credentials("password", "ada", "analytical", "test")


@pytest.fixture
def directory() -> Iterator[FakeDirectory]:
    """A directory of one."""
    directory = FakeDirectory({"ada": Person("analytical", frozenset({"admins"}), "ada@mail.example")})
    yield directory
    directory.release()


class TestFakeAuthenticator(AuthenticatorContract):
    """The fake directory is an authenticator as any."""

    @pytest.fixture
    def case(self, directory: FakeDirectory) -> AuthenticatorCase:
        """Return the authenticator under test."""
        down = lambda: setattr(directory, "outage", True)  # noqa: E731
        return AuthenticatorCase(directory, GOOD, start_outage=down, remove_user=lambda: directory.people.pop("ada"))


class TestFakeGroups(GroupSourceContract):
    """The fake directory is a source of groups as any."""

    @pytest.fixture
    def case(self, directory: FakeDirectory) -> GroupSourceCase:
        """Return the source under test."""
        down = lambda: setattr(directory, "outage", True)  # noqa: E731
        return GroupSourceCase(directory, "ada", frozenset({"admins"}), start_outage=down)


def test_a_site_with_a_fake_directory(serve: Serve, directory: FakeDirectory) -> None:
    """People log in, have their groups, cannot while it is down, and local users notice nothing."""
    site = serve(extra={"directory": directory}, restrict_modify="root,:admins")
    directory.people["bob"] = Person("builder")

    ada = site.login("ada", "analytical")
    assert site.request("PUT", "/new", {"password": "1234"}, auth=ada).status == 201
    assert site.request("GET", "/ada").result["email"] == "ada@mail.example"
    bob = site.login("bob", "builder")
    assert site.request("PUT", "/newer", {"password": "1234"}, auth=bob).status == 403
    directory.outage = True
    assert site.request("POST", "/+login", {"user": "bob", "password": "builder"}).status == 503
    assert site.request("POST", "/+login", {"user": "root", "password": ""}).status == 200
    assert {"ada", "bob"} <= set(directory.lookups)
    assert "root" not in directory.lookups


def test_whoever_waits_for_the_directory_is_released(directory: FakeDirectory) -> None:
    """A directory that hangs does not keep a test from ending."""
    directory.delay = 60
    directory.release()
    begun = time.monotonic()

    directory.groups("ada")

    assert time.monotonic() - begun < 30


def authenticator(judge: Callable[[Credentials], Outcome]) -> Any:
    """Make an authenticator from the function that judges."""
    kinds = frozenset({"password", "remote-user"})
    return SimpleNamespace(
        name="flawed", accepts=kinds, local=False, authenticate=lambda credentials, request, user: judge(credentials)
    )


def right(credentials: Credentials) -> bool:
    """Whether they are Ada's."""
    return (credentials.kind, credentials.username, credentials.secret) == ("password", "ada", "analytical")


SUITE = AuthenticatorContract()
FLAWED_AUTHENTICATORS = [
    pytest.param(lambda _: Ok("ada"), SUITE.test_rejects_a_wrong_secret, (), id="lets anyone in"),
    pytest.param(
        lambda given: Ok("ada") if right(given) or not given.secret else Unknown(),
        SUITE.test_rejects_hostile_secrets,
        ("",),
        id="takes an empty password for anonymous",
    ),
    pytest.param(
        lambda given: Ok("ada") if right(given) else (given.secret.encode("ascii"), Unknown())[1],
        SUITE.test_rejects_hostile_secrets,
        ("\u202e",),
        id="fails on odd secrets",
    ),
    pytest.param(
        lambda given: Ok("ada") if right(given) or "*" in given.username else Unknown(),
        SUITE.test_rejects_hostile_names,
        ("a*",),
        id="interprets names",
    ),
    pytest.param(
        lambda given: Ok("ada") if right(given) else Reject("no"),
        SUITE.test_gives_no_answer_during_an_outage,
        (),
        id="guesses",
    ),
    pytest.param(
        lambda given: Ok("ada") if right(given) else Reject(f"{given.secret} is wrong"),
        SUITE.test_rejects_a_wrong_secret,
        (),
        id="repeats the secret",
    ),
    pytest.param(
        lambda given: Ok("Ada") if right(given) else Unknown(),
        SUITE.test_accepts_valid_credentials,
        (),
        id="answers for another name",
    ),
    pytest.param(
        lambda given: Ok("ada") if right(given) or given.kind == "remote-user" else Unknown(),
        SUITE.test_rejects_a_wrong_password_of_every_kind,
        (),
        id="believes a kind",
    ),
]


@pytest.mark.parametrize(("judge", "test", "more"), FLAWED_AUTHENTICATORS)
def test_a_flawed_authenticator_fails(
    judge: Callable[[Credentials], Outcome], test: Callable[..., None], more: tuple[str, ...]
) -> None:
    """The contract finds what plugins of this kind have got wrong before."""
    case = AuthenticatorCase(authenticator(judge), GOOD, start_outage=lambda: None)

    with pytest.raises((AssertionError, UnicodeError)):
        test(case, *more)


@pytest.mark.parametrize(
    ("exists", "test", "more"),
    [
        pytest.param(lambda _: True, SUITE.test_reports_that_a_user_left, (), id="lets nobody go"),
        pytest.param(lambda _: None, SUITE.test_reports_that_a_user_left, (), id="says neither"),
        pytest.param(
            lambda name: "*" in name, SUITE.test_exists_is_false_for_unknown_names, ("a*",), id="interprets names"
        ),
        pytest.param(lambda _: False, SUITE.test_exists_raises_during_an_outage, (), id="guesses"),
    ],
)
def test_a_flawed_look_who_is_there_fails(
    exists: Callable[[str], Any], test: Callable[..., None], more: tuple[str, ...]
) -> None:
    """The contract finds what would log everybody out, or nobody."""
    flawed = authenticator(lambda given: Ok("ada") if right(given) else Unknown())
    flawed.exists = exists
    case = AuthenticatorCase(flawed, GOOD, start_outage=lambda: None, remove_user=lambda: None)

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        test(case, *more)


@pytest.mark.parametrize(
    "judge",
    [
        lambda given: Ok("ada") if given.trusted else Unknown(),
        lambda given: Ok("ada") if given.source == "proxy" else Unknown(),
    ],
    ids=["whoever found them", "though nobody vouches"],
)
def test_trust_without_a_source_fails(judge: Callable[[Credentials], Outcome]) -> None:
    """Credentials without a secret must be those of the one extractor that may vouch."""
    case = AuthenticatorCase(authenticator(judge), Credentials("remote-user", "ada", "", "proxy", trusted=True))

    with pytest.raises(AssertionError):
        SUITE.test_rejects_untrusted_credentials_without_a_secret(case)


@pytest.mark.parametrize(
    "groups",
    [lambda _: "admins", lambda _: frozenset(), lambda _: frozenset({"admins", "a:b"})],
    ids=["text", "nobody's", "no names"],
)
def test_a_flawed_source_of_groups_fails(groups: Callable[[str], Any]) -> None:
    """The contract finds a source whose answers no access list can use."""
    case = GroupSourceCase(SimpleNamespace(name="flawed", groups=groups), "ada", frozenset({"admins"}))

    with pytest.raises(AssertionError):
        GroupSourceContract().test_returns_the_groups_of_a_member(case)


@pytest.mark.parametrize("live", [True, "yes"], ids=["kept elsewhere", "no word of yes"])
def test_a_source_that_is_not_live_fails(serve: Serve, live: object) -> None:
    """The contract finds a source whose changes the server would not see."""
    members = {"ada"}
    source: Any = SimpleNamespace(
        name="flawed", live=live, groups=lambda name: frozenset({"admins"} if name in members else ())
    )
    case = GroupSourceCase(source, "ada", frozenset({"admins"}), remove_member=members.clear, server=serve().server)

    with pytest.raises(AssertionError):
        GroupSourceContract().test_a_live_source_advances_the_serial(case)


SECRET = "ada_swordfish"
READS = Restriction(frozenset({"index_read"}), frozenset({"ada/dev"}))
TOKEN = Token("1", "ada", "stamp", 2**40, READS)
TOKENS = TokenHandlerContract()
NO = Reject("no")
FLAWED_HANDLERS = [
    pytest.param(lambda _: TOKEN, TOKENS.test_rejects_a_changed_token, (), id="takes anything"),
    pytest.param(
        lambda given: TOKEN if given.strip() == SECRET else NO,
        TOKENS.test_rejects_a_changed_token,
        (),
        id="forgives spaces",
    ),
    pytest.param(
        lambda given: TOKEN if given.startswith(SECRET[:-1]) else NO,
        TOKENS.test_rejects_a_changed_token,
        (),
        id="overlooks the last character",
    ),
    pytest.param(
        lambda given: Reject(f"{given} is unknown"), TOKENS.test_rejects_hostile_secrets, ("x" * 99,), id="repeats it"
    ),
    pytest.param(
        lambda given: (given.encode("ascii"), NO)[1],
        TOKENS.test_rejects_hostile_secrets,
        ("\u202e",),
        id="fails on odd secrets",
    ),
    pytest.param(lambda _: replace(TOKEN, id="swordfish"), TOKENS.test_accepts_a_valid_token, (), id="tells it"),
    pytest.param(lambda _: replace(TOKEN, username="bob"), TOKENS.test_accepts_a_valid_token, (), id="another's"),
    pytest.param(
        lambda _: replace(TOKEN, restriction=Restriction(frozenset({"user_password"}))),
        TOKENS.test_grants_limited_permissions,
        (),
        id="changes passwords",
    ),
    pytest.param(
        lambda given: TOKEN if given == SECRET else replace(TOKEN, restriction=Restriction(READS.permissions)),
        TOKENS.test_a_derived_token_grants_no_more,
        (),
        id="widens",
    ),
    pytest.param(lambda _: TOKEN, TOKENS.test_rejects_a_revoked_token, (), id="forgets to end it"),
    pytest.param(lambda _: NO, TOKENS.test_gives_no_answer_during_an_outage, (), id="guesses"),
]


@pytest.mark.parametrize(("verify", "test", "more"), FLAWED_HANDLERS)
def test_a_flawed_token_handler_fails(
    verify: Callable[[str], Any], test: Callable[..., None], more: tuple[str, ...]
) -> None:
    """The contract finds what would make a token good for more than it says, or for others."""
    handler: Any = SimpleNamespace(name="flawed", prefix="ada_", local=True, verify=verify)
    nothing = lambda: None  # noqa: E731
    case = TokenHandlerCase(handler, SECRET, "ada", [f"{SECRET}.less"], revoke=nothing, start_outage=nothing)

    with pytest.raises((AssertionError, UnicodeError)):
        test(case, *more)


def secretive(permission: str, resource: Resource) -> Any:
    """Deny to read what is secret."""
    return Deny("secret") if permission == "index_read" and resource.name == "secret" else None


def hidden(permission: str, resources: Sequence[Resource]) -> Any:
    """Hide what :func:`secretive` denies."""
    return [each.name != "secret" for each in resources] if permission == "index_read" else None


def plugin(**hooks: Callable[..., Any]) -> Any:
    """Return a plugin that implements hooks, given by their names without the prefix."""
    return SimpleNamespace(**{f"wheelgate_{name}": hookimpl(hook) for name, hook in hooks.items()})


class TestSecretive(PolicyContract):
    """A policy whose two answers agree."""

    @pytest.fixture
    def site(self, serve: Serve) -> Site:
        """Return a server in which it takes part."""
        return serve(extra={"policy": plugin(check_permission=secretive, filter_visible=hidden)})


FLAWED_POLICIES = [
    pytest.param(plugin(check_permission=secretive), id="shows what it denies"),
    pytest.param(plugin(filter_visible=hidden), id="hides what it does not deny"),
    pytest.param(plugin(check_permission=secretive, filter_visible=lambda resources: [False]), id="counts wrong"),
]


@pytest.mark.parametrize("policy", FLAWED_POLICIES)
def test_a_policy_at_odds_with_itself_fails(serve: Serve, policy: Any) -> None:
    """The contract finds a listing that shows what one question denies, and the other way round."""
    site = serve(extra={"policy": policy})

    with pytest.raises(AssertionError):
        PolicyContract().test_listings_agree_with_checks(site, SAMPLE_PRINCIPALS, SAMPLE_RESOURCES, "index_read")


@pytest.mark.parametrize(
    "check",
    [
        lambda resource: resource.config["volatile"] and None,
        lambda: Deny(""),
        lambda: Deny("no\nyes"),
        lambda state=iter(range(10**6)): Allow("perhaps") if next(state) % 7 else None,  # noqa: B008
    ],
    ids=["raises", "gives no reason", "forges a line", "changes its mind"],
)
def test_a_flawed_check_fails(serve: Serve, check: Callable[..., Any]) -> None:
    """The contract finds a check that raises, gives no reason, or cannot decide."""
    site = serve(extra={"policy": plugin(check_permission=check)})

    with pytest.raises(AssertionError):
        PolicyContract().test_every_answer_has_a_reason(site, SAMPLE_PRINCIPALS, SAMPLE_RESOURCES)
