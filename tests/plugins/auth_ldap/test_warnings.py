"""Settings that show passwords to others are possible, and every start says so."""

from __future__ import annotations

from typing import Any

import pytest
from tests.helpers.sites import Serve
from tests.helpers.slapd import PEOPLE

CLEAR = "--no-ldap-starttls: PASSWORDS go to ldap://ldap.example:389 in the CLEAR; leave it out, or use ldaps://"
LIKE_LOCALHOST = CLEAR.replace("ldap.example", "localhost.example")
UNCHECKED = (
    "--no-ldap-check-certificate: ANYBODY between here and the directory can pass for it and read passwords; "
    "name the authorities that sign its certificate with --ldap-ca-file instead"
)
AWAY, HERE, SAFE = "ldap://ldap.example", "ldap://127.0.0.1:3890", "ldaps://ldap.example"


@pytest.mark.parametrize(
    ("options", "warnings"),
    [
        pytest.param({"ldap_url": [AWAY]}, [], id="StartTLS"),
        pytest.param({"ldap_url": [AWAY, SAFE], "ldap_starttls": False}, [CLEAR], id="clear"),
        pytest.param({"ldap_url": [SAFE], "ldap_starttls": False}, [], id="ldaps"),
        pytest.param({"ldap_url": [HERE, "ldap://localhost"], "ldap_starttls": False}, [], id="this machine"),
        pytest.param(
            {"ldap_url": ["ldap://localhost.example"], "ldap_starttls": False}, [LIKE_LOCALHOST], id="not this machine"
        ),
        pytest.param({"ldap_url": [SAFE], "ldap_check_certificate": False}, [UNCHECKED], id="unchecked"),
        pytest.param(
            {"ldap_url": [AWAY], "ldap_starttls": False, "ldap_check_certificate": False},
            [CLEAR, UNCHECKED],
            id="both",
        ),
    ],
)
def test_each_start_warns_once(
    serve: Serve, caplog: pytest.LogCaptureFixture, options: dict[str, Any], warnings: list[str]
) -> None:
    """Each dangerous setting is one line."""
    serve(ldap_user_base=PEOPLE, **options)

    told = [record.getMessage() for record in caplog.records if "ldap" in record.getMessage()]
    assert told == warnings
