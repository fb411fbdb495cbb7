"""``--ldap-kind`` decides the defaults of other settings, and a setting that is given comes before it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.helpers.sites import Serve
from tests.helpers.slapd import PEOPLE

from wheelgate.errors import StartupError
from wheelgate_auth_ldap.options import LdapSettings, read_settings

VALID: dict[str, Any] = {"ldap_url": ["ldaps://ldap.example"], "ldap_user_base": PEOPLE}
NAMES = ("name_attribute", "user_filter", "group_member_attribute", "account_state_attribute")
AD_FILTER = "(sAMAccountType=805306368)"
AD_STATES = ("userAccountControl", "accountExpires")


def settled(serve: Serve, **options: Any) -> LdapSettings:
    """Return the settings of the plugin on a server with these options."""
    settings = read_settings(serve(**VALID, **options).config)
    assert settings is not None
    return settings


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"ldap_kind": "active-directory"}, ("sAMAccountName", AD_FILTER, ("member",), AD_STATES), id="AD"),
        pytest.param(
            {"ldap_kind": "Active-Directory", "ldap_name_attribute": "userPrincipalName"},
            ("userPrincipalName", AD_FILTER, ("member",), AD_STATES),
            id="AD, other name",
        ),
        pytest.param(
            {"ldap_kind": "active-directory", "ldap_user_filter": "(department=IT)"},
            ("sAMAccountName", "(department=IT)", ("member",), AD_STATES),
            id="AD, other filter",
        ),
        pytest.param(
            {"ldap_kind": "389ds", "ldap_account_state_attribute": ["nsaccountlock"]},
            ("uid", None, ("member", "uniqueMember"), ("nsaccountlock",)),
            id="389, one state",
        ),
        pytest.param(
            {"ldap_kind": "389ds", "ldap_group_member_attribute": ["member"], "ldap_account_state_attribute": []},
            ("uid", None, ("member",), ()),
            id="389, no state",
        ),
        pytest.param(
            {"ldap_kind": "openldap"},
            (
                *("uid", None, ("member", "uniqueMember", "memberUid")),
                ("pwdAccountLockedTime", "pwdStartTime", "pwdEndTime", "shadowExpire"),
            ),
            id="OpenLDAP",
        ),
    ],
)
def test_a_kind_has_its_defaults(serve: Serve, options: dict[str, Any], expected: tuple[object, ...]) -> None:
    """A kind decides attributes, filter and states; each of them can be given."""
    settings = settled(serve, **options)

    assert tuple(getattr(settings, name) for name in NAMES) == expected


def test_without_a_kind_all_states_count(serve: Serve) -> None:
    """Without a kind, names are those of most directories, and the states of accounts are those of any."""
    settings = settled(serve)

    assert (settings.kind, settings.name_attribute, settings.group_member_attribute) == ("generic", "uid", ("member",))
    assert {*AD_STATES, "nsAccountLock", "pwdAccountLockedTime", "shadowExpire"} <= {*settings.account_state_attribute}


@pytest.mark.parametrize(
    "name",
    [
        "svc@company.example",
        "COMPANY\\svc",
        "company.example\\svc wheelgate",
        "cn=svc,dc=company,dc=example",
        "cn=svc@home,dc=company,dc=example",
    ],
)
def test_names_of_the_bind(serve: Serve, name: str) -> None:
    """``bind-dn`` takes a distinguished name, and the two forms that Active Directory takes in its place."""
    assert settled(serve, ldap_bind_dn=name, ldap_bind_password="x").bind_dn == name


BIND_DN = (
    "--ldap-bind-dn: expected a distinguished name such as ou=people,dc=company,dc=example, or for Active Directory"
)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        *(
            ({"ldap_bind_dn": name}, BIND_DN)
            for name in ("svc", "svc@", "@company.example", "COMPANY\\", "a@b@c", "\\x")
        ),
        ({"ldap_kind": "samba"}, "--ldap-kind: expected 'generic' or 'openldap' or 'active-directory' or '389ds'"),
        ({"ldap_account_state_attribute": ["locked"]}, "--ldap-account-state-attribute: expected one of userAccount"),
    ],
)
def test_values_that_cannot_be_meant(serve: Serve, options: dict[str, Any], sentence: str) -> None:
    """The start stops with the name of the setting and what it expects."""
    with pytest.raises(StartupError) as refused:
        serve(**VALID, **options)

    assert sentence in str(refused.value)
