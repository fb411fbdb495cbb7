"""Every start warns about settings that expose passwords."""

from __future__ import annotations

from typing import Any

import pytest
from tests.helpers.sites import Serve
from tests.helpers.slapd import PEOPLE

CLEAR = "--no-ldap-starttls: PASSWORDS are sent to ldap://ldap.example:389 in the CLEAR; remove it, or use ldaps://"
LIKE_LOCALHOST = CLEAR.replace("ldap.example", "localhost.example")
UNCHECKED = (
    "--no-ldap-check-certificate: ANYONE on the way to the directory can pose as it and read passwords; "
    "give the authorities that sign its certificate with --ldap-ca-file instead"
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
    """Each dangerous setting is logged in one line."""
    serve(ldap_user_base=PEOPLE, **options)

    logged = [record.getMessage() for record in caplog.records if "ldap" in record.getMessage()]
    assert logged == warnings
