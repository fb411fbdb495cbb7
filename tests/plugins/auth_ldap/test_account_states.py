"""A disabled or expired account can do nothing any more, whichever directory it is in, and a usable one everything."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.helpers.sites import Serve
from tests.helpers.slapd import FOREIGN_CLASS, PEOPLE, Slapd
from tests.plugins.auth_ldap.conftest import LoggedIn, settings

from wheelgate.testing.site import Site

pytestmark = pytest.mark.slow

HOUR = 3600
NOW = int(time.time())
TODAY = NOW // 86_400
DISABLED, EXPIRED, LOCKED = "the account is disabled", "the account has expired", "the account is locked"
NEVER = 2**63 - 1


def filetime(seconds: int) -> int:
    """Return a time as Active Directory stores it: in units of 100 ns since 1601."""
    return (seconds + 11_644_473_600) * 10_000_000


def utc(seconds: int) -> str:
    """Return a time as other directories store it."""
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(seconds))


STATES: list[tuple[str, dict[str, Any], str | None]] = [
    ("active-directory", {"userAccountControl": 0x10200}, None),
    ("active-directory", {"userAccountControl": 0x202}, DISABLED),
    ("active-directory", {"userAccountControl": 0x10202}, DISABLED),
    ("active-directory", {"userAccountControl": 0x200, "accountExpires": 0}, None),
    ("active-directory", {"userAccountControl": 0x200, "accountExpires": NEVER}, None),
    ("active-directory", {"userAccountControl": 0x200, "accountExpires": filetime(NOW + HOUR)}, None),
    ("active-directory", {"userAccountControl": 0x200, "accountExpires": filetime(NOW - HOUR)}, EXPIRED),
    ("active-directory", {"userAccountControl": 0x202, "accountExpires": NEVER}, DISABLED),
    (
        "active-directory",
        {"userAccountControl": []},
        "the directory does not show userAccountControl, which says whether the account is disabled",
    ),
    ("389ds", {"nsAccountLock": "false"}, None),
    ("389ds", {"nsAccountLock": "true"}, DISABLED),
    ("389ds", {"nsAccountLock": "TRUE"}, DISABLED),
    ("389ds", {"krbPrincipalExpiration": utc(NOW + HOUR)}, None),
    ("389ds", {"krbPrincipalExpiration": utc(NOW - HOUR)}, EXPIRED),
    ("389ds", {"krbPrincipalExpiration": "19700101000000Z"}, None),
    ("389ds", {"krbPrincipalExpiration": "2020010112+0100"}, EXPIRED),
    ("389ds", {"krbPrincipalExpiration": "20200101120000.5-0330"}, EXPIRED),
    ("389ds", {"shadowExpire": TODAY - 1}, EXPIRED),
    ("openldap", {"shadowExpire": -1}, None),
    ("openldap", {"shadowExpire": TODAY + 2}, None),
    ("openldap", {"shadowExpire": TODAY}, EXPIRED),
    ("openldap", {"shadowExpire": 0}, EXPIRED),
    ("openldap", {"pwdAccountLockedTime": "000001010000Z"}, LOCKED),
    ("openldap", {"pwdAccountLockedTime": utc(NOW)}, None),
    ("openldap", {"pwdStartTime": utc(NOW + HOUR)}, "the account is not valid yet"),
    ("openldap", {"pwdStartTime": utc(NOW - HOUR), "pwdEndTime": utc(NOW + HOUR)}, None),
    ("openldap", {"pwdEndTime": utc(NOW - HOUR)}, EXPIRED),
    ("generic", {"userAccountControl": 0x200}, None),
    ("generic", {"userAccountControl": 0x202}, DISABLED),
    ("generic", {"nsAccountLock": "true"}, DISABLED),
    ("generic", {"msDS-UserAccountDisabled": "TRUE"}, DISABLED),
    ("generic", {"loginDisabled": "TRUE"}, DISABLED),
    ("generic", {"loginExpirationTime": utc(NOW - HOUR)}, EXPIRED),
    ("generic", {"shadowExpire": TODAY}, EXPIRED),
]


@pytest.fixture(scope="module")
def sites(company: Slapd, serve_shared: Serve) -> dict[str, Site]:
    """Return a server for each kind of directory, all of which ask the same one."""
    kinds = dict.fromkeys(kind for kind, _, _ in STATES)
    return {kind: serve_shared(kind, **settings(company, ldap_kind=kind)) for kind in kinds}


def add_account(company: Slapd, name: str) -> str:
    """Add a person who can be given every attribute, with the name by which any kind finds it, and return the DN."""
    classes = ("inetOrgPerson", "shadowAccount", FOREIGN_CLASS)
    attributes: dict[str, Any] = {
        "sn": "x",
        "cn": name,
        "sAMAccountName": name,
        "sAMAccountType": 805306368,
        "userAccountControl": 512,
    }
    return company.add(f"uid={name},{PEOPLE}", *classes, uid=name, userPassword="pass word", **attributes)


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    STATES,
    # Without the values, which depend on the time: each process of the tests must find the same names.
    ids=[f"{number} {kind} {' '.join(changes)}" for number, (kind, changes, _) in enumerate(STATES)],
)
def test_a_state_counts_for_every_credential(
    sites: dict[str, Site], company: Slapd, no_cache: None, fresh: str, kind: str, changes: dict[str, Any], reason: str
) -> None:
    """A disabled or expired account gets 401 by session, API token, password and login; a usable one gets 200."""
    person = add_account(company, fresh)
    group = company.add_group(f"group of {fresh}", [person])
    site = sites[kind]
    credentials = LoggedIn.new(site, fresh, "pass word")
    assert set(credentials.statuses().values()) == {200}

    company.modify(person, **changes)

    assert set(credentials.statuses().values()) == {200 if reason is None else 401}
    answer = site.request("POST", "/+login", {"user": fresh, "password": "pass word"})
    assert answer.message == (
        "login successful" if reason is None else f"user '{fresh}' could not be authenticated: {reason}"
    )
    company.delete(group)
