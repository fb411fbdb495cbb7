"""Logins without a password, which a directory would take for anonymous ones: they are refused before it is asked."""

from __future__ import annotations

from typing import Any

import pytest
from tests.helpers.sites import Serve
from tests.plugins.auth_ldap.conftest import log_in

NOWHERE: dict[str, Any] = {"ldap_url": ["ldaps://127.0.0.1:9"], "ldap_user_base": "dc=example"}
"""A directory that does not answer: the login is 503 if it is asked."""


@pytest.mark.parametrize(
    ("password", "status"), [pytest.param("", 401, id="without"), pytest.param("analytical", 503, id="with")]
)
def test_a_directory_is_not_asked_without_a_password(serve: Serve, password: str, status: int) -> None:
    """An empty password is a wrong one, whatever the directory would say."""
    assert log_in(serve(**NOWHERE), "ada", password) == status
