"""A directory that refuses a right password says why: the log, ``auth test`` and the user learn it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.helpers import ns_slapd
from tests.helpers.fake_ldap_servers import explaining
from tests.helpers.ns_slapd import NsSlapd
from tests.helpers.sites import Serve
from tests.helpers.slapd import POLICY, Slapd
from tests.plugins.auth_ldap.conftest import MakeDirectory, log_in, settings

from wheelgate.testing.site import Site

pytestmark = pytest.mark.slow

ATTEMPTS = 7
"""More than the wrong passwords that a user may send before the first wait."""
MUST_CHANGE = "the password must be changed before the first login"
EXPIRED_PASSWORD = "the password has expired"


def refusal(site: Site, name: str, password: str, caplog: pytest.LogCaptureFixture) -> tuple[str, str, bool]:
    """Try to log in several times; return the logged reason, the reason for the user, and whether it was a guess."""
    caplog.clear()
    caplog.set_level("INFO", "wheelgate.identity")
    answers = [site.request("POST", "/+login", {"user": name, "password": password}) for _ in range(ATTEMPTS)]
    assert answers[0].status == 401
    logged = next(line for line in caplog.messages if "rejects user" in line)
    told = answers[0].message.removeprefix(f"user '{name}' could not be authenticated").removeprefix(": ")
    return logged.partition("rejects user ")[2].partition("': ")[2], told, answers[-1].status == 429


EXPLANATION = "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {}, v1db1"


@pytest.mark.parametrize(
    ("data", "logged", "right", "guess"),
    [
        ("52e", "wrong password", False, True),
        ("525", "the directory no longer knows the account", False, True),
        ("530", "the account may not log in at this time", True, False),
        ("531", "the account may not log in from this server", True, False),
        ("532", EXPIRED_PASSWORD, True, False),
        ("533", "the account is disabled", True, False),
        ("534", "the account may not log in over the network", True, False),
        ("701", "the account has expired", True, False),
        ("773", MUST_CHANGE, True, False),
        ("775", "the account is locked", False, False),
        ("52E", "wrong password", False, True),
        ("99", "wrong password, or an account that the directory refuses (Windows error 99)", False, True),
    ],
)
def test_active_directory_says_why(
    serve: Serve, company: Slapd, caplog: pytest.LogCaptureFixture, data: str, logged: str, right: bool, guess: bool
) -> None:
    """Each number of Active Directory has its sentence; the user learns it if the password is right."""
    with explaining(company, EXPLANATION.format(data)) as url:
        site = serve(**settings(company, ldap_url=[url], ldap_starttls=False))

        assert refusal(site, "ada", "x", caplog) == (logged, logged if right else "", guess)


@pytest.mark.parametrize(
    "explanation",
    ["", "data 533", "AcceptSecurityContext error, data , v1db1", "AcceptSecurityContext error, data 5332"],
)
def test_other_explanations_prove_nothing(
    serve: Serve, company: Slapd, caplog: pytest.LogCaptureFixture, explanation: str
) -> None:
    """An explanation without a number that Active Directory gives does not make a password right."""
    with explaining(company, explanation) as url:
        site = serve(**settings(company, ldap_url=[url], ldap_starttls=False))

        logged, told, guess = refusal(site, "ada", "x", caplog)

    assert (logged.startswith("wrong password"), told, guess) == (True, "", True)


@pytest.mark.parametrize("tells_locks", [True, False])
def test_a_password_policy_says_why(
    serve: Serve, make_directory: MakeDirectory, caplog: pytest.LogCaptureFixture, tells_locks: bool
) -> None:
    """OpenLDAP's policy says that a password has expired or must be changed, and, if set up to, that it is locked."""
    directory = make_directory(more="ppolicy_use_lockout" if tells_locks else "")
    directory.add(
        *(POLICY, "device", "pwdPolicy"),
        cn="policy",
        pwdAttribute="userPassword",
        pwdMaxAge=86_400,
        pwdMustChange="TRUE",
        pwdLockout="TRUE",
        pwdMaxFailure=3,
        pwdLockoutDuration=600,
    )
    people = {name: directory.add_person(name, "pass word") for name in ("expired", "fresh", "locked", "disabled")}
    directory.modify_operational(people["expired"], pwdChangedTime="20200101000000Z")
    directory.modify(people["fresh"], pwdReset="TRUE")
    directory.modify(people["disabled"], pwdAccountLockedTime="000001010000Z")
    site = serve(**settings(directory, ldap_kind="openldap"))
    assert [log_in(site, "locked", "x") for _ in range(3)] == [401] * 3
    assert log_in(site, "ada", "analytical") == 200

    found = {name: refusal(site, name, "pass word", caplog) for name in people}

    assert found == {
        "expired": (EXPIRED_PASSWORD, EXPIRED_PASSWORD, False),
        "fresh": (MUST_CHANGE, MUST_CHANGE, False),
        "disabled": ("the account is locked", "", False),
        "locked": ("the account is locked", "", False)
        if tells_locks
        else ("wrong password, or the account is locked after wrong passwords", "", True),
    }
    assert refusal(site, "expired", "x", caplog)[:2] == ("wrong password", "")


@pytest.fixture(scope="module")
def server_389(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NsSlapd]:
    """Return a 389 Directory Server for all tests of this file."""
    if ns_slapd.PROGRAM is None:
        pytest.skip("ns-slapd is not installed")
    directory = NsSlapd(tmp_path_factory.mktemp("389"))
    directory.start()
    yield directory
    directory.stop()


def test_a_389_directory_server_says_why(
    serve: Serve, server_389: NsSlapd, caplog: pytest.LogCaptureFixture, no_cache: None
) -> None:
    """389's control and its attributes say that a password has expired, and that an account is disabled or locked."""
    for name in ("good", "expired", "fresh", "locked", "disabled"):
        server_389.add_person(name, "pass word")
    server_389.modify("good", passwordExpirationTime="20380101000000Z")
    server_389.modify("locked", passwordExpirationTime="20380101000000Z")
    server_389.modify("disabled", passwordExpirationTime="20380101000000Z", nsAccountLock="true")
    server_389.modify("expired", passwordExpirationTime="20200101000000Z")
    server_389.modify("fresh", userPassword="pass word")  # set by an administrator, so it must be changed
    site = serve(
        ldap_kind="389ds",
        ldap_url=[server_389.url],
        ldap_starttls=False,
        ldap_bind_dn=ns_slapd.ROOT,
        ldap_bind_password=ns_slapd.PASSWORD,
        ldap_user_base=ns_slapd.PEOPLE,
    )
    assert [log_in(site, "locked", "x") for _ in range(3)] == [401] * 3
    good = site.login("good", "pass word")
    assert site.request("PUT", "/good/dev", {}, auth=good).status == 200

    found = {name: refusal(site, name, "pass word", caplog) for name in ("expired", "fresh", "locked", "disabled")}
    server_389.modify("good", nsAccountLock="true")

    assert found == {
        "expired": (EXPIRED_PASSWORD, EXPIRED_PASSWORD, False),
        "fresh": (MUST_CHANGE, MUST_CHANGE, False),
        "locked": ("the account is locked", "", False),
        "disabled": ("the account is disabled", "", False),
    }
    assert site.request("PUT", "/good/dev2", {}, auth=good).status == 401
