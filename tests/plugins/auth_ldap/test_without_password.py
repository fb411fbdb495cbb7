"""Logins without a password, which a directory would treat as anonymous: the server refuses them without asking."""

from __future__ import annotations

from typing import Any

import pytest
from tests.helpers.sites import Serve
from tests.plugins.auth_ldap.conftest import log_in

UNREACHABLE_DIRECTORY: dict[str, Any] = {"ldap_url": ["ldaps://127.0.0.1:9"], "ldap_user_base": "dc=example"}
"""If this directory is asked, the login gets 503."""


@pytest.mark.parametrize(
    ("password", "status"), [pytest.param("", 401, id="without"), pytest.param("analytical", 503, id="with")]
)
def test_a_directory_is_not_asked_without_a_password(serve: Serve, password: str, status: int) -> None:
    """An empty password is refused without asking the directory."""
    assert log_in(serve(**UNREACHABLE_DIRECTORY), "ada", password) == status
