"""A domain controller of Active Directory: the states of accounts, the spelling of names, groups and bind names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.helpers import samba
from tests.helpers.samba import NORMAL_ACCOUNT, PEOPLE, USER_PASSWORD, DomainController
from tests.helpers.sites import Serve
from tests.plugins.auth_ldap.conftest import LoggedIn, log_in
from tests.plugins.auth_ldap.test_account_states import DISABLED, EXPIRED, LOCKED, filetime
from tests.plugins.auth_ldap.test_refusals import MUST_CHANGE, refusal

from wheelgate.testing.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # a busy machine takes a minute to make a domain


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DomainController]:
    """Return a domain controller for all tests of this file."""
    if reason := samba.reason_to_skip():
        pytest.skip(reason)
    controller = DomainController(tmp_path_factory.mktemp("domain") / "dc")
    with controller.running():
        yield controller


def settings(domain: DomainController, **options: Any) -> dict[str, Any]:
    """Return the settings that the documentation names for Active Directory; None removes a setting."""
    given = {
        "ldap_kind": "active-directory",
        "ldap_url": [domain.url],
        "ldap_ca_file": str(domain.ca_file),
        "ldap_bind_dn": samba.ADMINISTRATOR,
        "ldap_bind_password": samba.PASSWORD,
        "ldap_user_base": samba.BASE,
        "ldap_group_base": samba.BASE,
        **options,
    }
    return {key: value for key, value in given.items() if value is not None}


@pytest.fixture(scope="module")
def site(domain: DomainController, serve_shared: Serve) -> Site:
    """Return a server that asks the domain controller, for all tests of this file."""
    return serve_shared(**settings(domain))


STATES: dict[str, tuple[dict[str, Any], str]] = {
    "disabled": ({"userAccountControl": str(NORMAL_ACCOUNT | 2)}, DISABLED),
    "expired": ({"accountExpires": str(filetime(int(time.time()) - 60))}, EXPIRED),
}


@pytest.mark.parametrize("state", STATES)
def test_an_account_that_ends(domain: DomainController, site: Site, no_cache: None, state: str) -> None:
    """Once an account is disabled or has expired, every credential gets 401, and the user learns the reason."""
    changes, reason = STATES[state]
    name = f"ends-{state}"
    person = domain.add_user(name)
    credentials = LoggedIn.new(site, name, USER_PASSWORD)
    assert set(credentials.statuses().values()) == {200}

    domain.modify(person, **changes)

    assert set(credentials.statuses().values()) == {401}
    answer = site.request("POST", "/+login", {"user": name, "password": USER_PASSWORD})
    assert answer.message == f"user '{name}' could not be authenticated: {reason}"


def test_refusals_of_a_right_password(domain: DomainController, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """The controller's reasons are told to those who know the password, and none of them counts as a guess."""
    changes: dict[str, dict[str, Any]] = {
        "must-change": {"pwdLastSet": "0"},
        "no-hours": {"logonHours": bytes(21)},
        **{state: change for state, (change, _) in STATES.items()},
    }
    for name, change in changes.items():
        domain.modify(domain.add_user(name), **change)

    told = {name: refusal(site, name, USER_PASSWORD, caplog) for name in changes}

    not_now = "the account may not log in at this time"
    assert told == {
        "must-change": (MUST_CHANGE, MUST_CHANGE, False),
        "no-hours": (not_now, not_now, False),
        "disabled": (DISABLED, DISABLED, False),
        "expired": (EXPIRED, EXPIRED, False),
    }
    assert refusal(site, "no-hours", "x", caplog) == ("wrong password", "", True)


def test_a_locked_account(domain: DomainController, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """An account that wrong passwords have locked keeps its sessions; logins are refused without the reason."""
    domain.add_user("locked")
    session = site.login("locked", USER_PASSWORD)
    domain.modify(samba.BASE, lockoutThreshold="3")
    for _ in range(3):
        assert log_in(site, "locked", "x") == 401

    assert refusal(site, "locked", USER_PASSWORD, caplog) == (LOCKED, "", False)
    assert site.request("PUT", "/locked/dev", {}, auth=session).status == 200


def test_the_spelling_of_the_directory_counts(
    domain: DomainController, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Only those who know the password learn how the directory spells the name; there is one user for an entry."""
    domain.add_user("JSmith")

    assert site.request("POST", "/+login", {"user": "jsmith", "password": USER_PASSWORD}).result["user"] == "JSmith"
    assert "JSmith" not in site.request("POST", "/+login", {"user": "jsmith", "password": "x"}).message
    assert log_in(site, "JSmith", USER_PASSWORD) == 200
    assert {"JSmith", "jsmith"} & site.request("GET", "/").result.keys() == {"JSmith"}


def test_groups_of_a_domain(domain: DomainController, serve: Serve) -> None:
    """The primary group counts, and with --ldap-group-nested so do the groups that contain a user's groups."""
    person = domain.add_user("ada")
    crew = domain.add_group("crew", person)
    domain.add_group("everyone", crew)
    staff = domain.add_group("staff", person)
    domain.add_group("around-staff", staff)
    sid = domain.read(staff, "objectSid")
    domain.modify(person, primaryGroupID=str(int.from_bytes(sid[-4:], "little")))

    groups = {
        nested: serve(f"nested {nested}", **settings(domain, ldap_group_nested=nested)) for nested in (False, True)
    }
    found = {
        nested: site.request("GET", "/+api", auth=site.login("ada", USER_PASSWORD)).result["authstatus"][2]
        for nested, site in groups.items()
    }

    assert found[False] == ["Domain Users", "crew", "staff"]
    assert set(found[True]) >= {"Domain Users", "Users", "crew", "everyone", "staff", "around-staff"}


@pytest.mark.parametrize("bind_dn", [samba.ADMINISTRATOR, samba.DOWN_LEVEL_ADMINISTRATOR, f"CN=Administrator,{PEOPLE}"])
def test_the_names_of_a_bind(domain: DomainController, serve: Serve, numbers: Iterator[int], bind_dn: str) -> None:
    """The plugin can bind as ``NAME@DOMAIN``, as ``DOMAIN`` and ``NAME`` with a backslash, and by DN."""
    name = f"bob{next(numbers)}"
    domain.add_user(name)

    assert log_in(serve(**settings(domain, ldap_bind_dn=bind_dn)), name, USER_PASSWORD) == 200


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(
            {"ldap_starttls": False},
            "the directory demands an encrypted connection (strongerAuthRequired): remove --no-ldap-starttls, or use "
            "ldaps:// in --ldap-url",
            id="in the clear",
        ),
        pytest.param(
            {"ldap_bind_dn": None, "ldap_bind_password": None},
            "ended with operationsError (00002020: Operation unavailable without authentication)",
            id="anonymous",
        ),
        pytest.param({"ldap_bind_password": "x"}, "check --ldap-bind-dn and --ldap-bind-password", id="wrong password"),
    ],
)
def test_settings_that_the_controller_refuses(
    domain: DomainController, serve: Serve, caplog: pytest.LogCaptureFixture, options: dict[str, Any], sentence: str
) -> None:
    """The log says which setting is wrong: without encryption it is not bind-dn."""
    site = serve(**settings(domain, **options))

    assert log_in(site, "ada", USER_PASSWORD) == 503
    assert sentence in caplog.text
    assert ("check --ldap-bind-dn" in caplog.text) == ("bind-dn" in sentence)


def test_the_account_of_the_plugin_may_expire(
    domain: DomainController, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """If the account of bind-dn has expired, the log says that, and not that its password is wrong."""
    domain.modify(domain.add_user("service"), accountExpires=str(filetime(int(time.time()) - 60)))
    site = serve(**settings(domain, ldap_bind_dn="service@company.example", ldap_bind_password=USER_PASSWORD))

    assert log_in(site, "ada", USER_PASSWORD) == 503
    assert "the bind as 'service@company.example' is refused: the account has expired" in caplog.text
