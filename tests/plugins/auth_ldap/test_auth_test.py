"""``devpi-server auth test`` with a directory prints what the documentation shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.helpers.commands import Run
from tests.helpers.fake_ldap_servers import answering
from tests.helpers.sites import Serve
from tests.helpers.slapd import BASE, PASSWORD, Slapd
from tests.plugins.auth_ldap.conftest import settings

from wheelgate.testing.site import CHEAP_HASHING_SETTINGS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PAGES = ["docs/how-to/directory.md", "docs/plugins/auth_ldap.md"]


def auth_test(run: Run, folder: Path, user: str, password: str, **options: object) -> list[str]:
    """Run ``devpi-server auth test`` and return the printed lines, without their times."""
    flags = []
    for name, value in {**CHEAP_HASHING_SETTINGS, **options}.items():
        flag = f"--{name.replace('_', '-')}"
        flags += (
            [flag] if value is True else [f"{flag}={each}" for each in (value if isinstance(value, list) else [value])]
        )
    done = run("auth", "test", user, "--password-stdin", "--serverdir", folder, *flags, stdin=f"{password}\n")
    assert done.err == ""
    assert PASSWORD not in done.out
    return [re.sub(r"\(\d+ ms\)", "(N ms)", line) for line in done.out.splitlines()]


@pytest.fixture
def folder(serve: Serve, tmp_path: Path) -> Path:
    """Return the folder of a server that was started once."""
    serve()
    serve.stop()
    return tmp_path / "server"


@pytest.mark.parametrize("page", PAGES)
def test_it_prints_what_the_documentation_shows(run: Run, folder: Path, directory: Slapd, page: str) -> None:
    """The example on the page, with its name and password, prints the lines that the page shows."""
    shown = re.search(r"\$ devpi-server auth test ada .*\n.*\n([^`]+)```", (ROOT / page).read_text("utf-8"))
    assert shown is not None

    printed = auth_test(run, folder, "ada", "analytical", **settings(directory, ldap_group_nested=True))

    assert printed == [re.sub(r"\(\d+ ms\)", "(N ms)", line) for line in shown[1].splitlines()]


@pytest.mark.parametrize(
    ("user", "password", "options", "line"),
    [
        pytest.param(
            "ada",
            "wrong",
            {},
            "ldap: no, and no other service is asked: wrong password (N ms)",
            id="wrong",
        ),
        pytest.param("nobody", "analytical", {}, "ldap: no, it does not know the user (N ms)", id="unknown"),
        pytest.param(
            "ada ",
            "analytical",
            {},
            "but the directory spells this name 'ada'; log in with that name (N ms)",
            id="space",
        ),
        pytest.param("ada ", "wrong", {}, "ldap: no, it does not know the user (N ms)", id="space, wrong"),
        pytest.param(
            "bob",
            "builder",
            {"ldap_required_group": "admins"},
            "is asked: the password is right, but the user is in no required group (N ms)",
            id="required group",
        ),
        pytest.param(
            "ada",
            "analytical",
            {"ldap_bind_password": "x"},
            "check --ldap-bind-dn and --ldap-bind-password",
            id="bind",
        ),
        pytest.param(
            "ada",
            "analytical",
            {"ldap_user_base": f"ou=nowhere,{BASE}"},
            f"the search below 'ou=nowhere,{BASE}' ended with noSuchObject; check --ldap-user-base",
            id="base",
        ),
        pytest.param("ada", "analytical", {"ldap_ca_file": None}, "certificate verify failed", id="certificate"),
        pytest.param("root", "swordfish", {}, "ldap: not asked, the user belongs elsewhere", id="root"),
    ],
)
def test_it_says_why_a_login_fails(
    run: Run, folder: Path, directory: Slapd, user: str, password: str, options: dict[str, str], line: str
) -> None:
    """The line about the directory contains the message that the documentation's table explains."""
    printed = auth_test(run, folder, user, password, **settings(directory, **options))

    assert any(line in each for each in printed if each.startswith("ldap: ")), printed
    assert printed[-1].startswith("result: no login service logs in")


def test_it_says_that_a_server_does_not_encrypt(run: Run, folder: Path, directory: Slapd) -> None:
    """A server that answers the request for TLS with an error gets no password."""
    with answering(directory, 0, 2) as url:
        printed = auth_test(run, folder, "ada", "analytical", **settings(directory, ldap_url=[url]))

    assert any("startTLS failed - protocolError" in each for each in printed), printed
