"""A directory fulfils the contracts of an authenticator and of a group source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.slapd import GROUPS, PEOPLE, Slapd
from tests.plugins.auth_ldap.conftest import settings

from wheelgate import Credentials
from wheelgate.testing.authenticators import AuthenticatorCase, AuthenticatorContract
from wheelgate.testing.group_sources import GroupSourceCase, GroupSourceContract
from wheelgate.testing.site import Site
from wheelgate_auth_ldap.options import read_settings
from wheelgate_auth_ldap.provider import LdapProvider

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ldap(company: Slapd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LdapProvider]:
    """Return the provider that a server makes from its settings."""
    with Site(tmp_path_factory.mktemp("site") / "server", **settings(company, ldap_group_nested="true")) as site:
        made = read_settings(site.config)
        assert made is not None
        yield LdapProvider(made)


@pytest.fixture
def carol(company: Slapd, tmp_path: Path) -> Iterator[str]:
    """Return a person in two groups, one nested in the other; afterwards restore the directory."""
    if company.process is None:
        company.start()
    person = company.add_person("carol", "analytical")
    devs = company.add_group("devs", [person])
    company.add_group("makers", [devs])
    yield person
    if company.process is None:
        company.start()
    for name in ("makers", "devs"):
        company.delete(f"cn={name},{GROUPS}")
    with company.connect() as connection:
        if connection.search(PEOPLE, "(uid=carol)"):
            connection.delete(person)


class TestAuthenticator(AuthenticatorContract):
    """The contract of an authenticator, with the check that users still exist."""

    @pytest.fixture
    def case(self, ldap: LdapProvider, company: Slapd, carol: str) -> AuthenticatorCase:
        """Return the provider, and a person in the directory."""
        good = Credentials("password", "carol", "analytical", "test")
        return AuthenticatorCase(ldap, good, start_outage=company.stop, remove_user=lambda: company.delete(carol))


class TestGroups(GroupSourceContract):
    """The contract of a group source, with nested groups."""

    @pytest.fixture
    def case(self, ldap: LdapProvider, company: Slapd, carol: str) -> GroupSourceCase:
        """Return the provider, and a person in two groups."""
        return GroupSourceCase(ldap, "carol", frozenset({"devs", "makers"}), start_outage=company.stop)
