"""Names and secrets that have misled plugins before; a contract tries each of them."""

from __future__ import annotations

import pytest

from wheelgate.values import MAX_NAME_CHARS

HOSTILE_SECRETS = [  # the core itself refuses lone surrogates and secrets of a megabyte, so plugins never get them
    pytest.param("", id="empty"),
    pytest.param(" ", id="blank"),
    pytest.param("*", id="LDAP wildcard"),
    pytest.param(")(objectClass=*", id="LDAP filter injection"),
    pytest.param("' OR '1'='1", id="SQL injection"),
    pytest.param("%s%n{0}${x}", id="format directives"),
    pytest.param("\0", id="NUL"),
    pytest.param("x\r\nX-Remote-User: root", id="header injection"),
    pytest.param("\u202e\U0001f40d", id="beyond ASCII"),
    pytest.param("x" * 8_000, id="as long as a header can be"),
]
"""Passwords and ends of tokens that no plugin accepts, and none may raise on."""

HOSTILE_NAMES = [
    pytest.param("no.such-user", id="unknown"),
    pytest.param("*", id="LDAP wildcard"),
    pytest.param("a*", id="LDAP prefix"),
    pytest.param(")(uid=*))(|(uid=*", id="LDAP filter injection"),
    pytest.param("x,dc=evil", id="LDAP DN injection"),
    pytest.param("' OR '1'='1", id="SQL injection"),
    pytest.param("../../etc/passwd", id="path traversal"),
    pytest.param("%s{0}", id="format directives"),
    pytest.param("\u202e\U0001f40d", id="beyond ASCII"),
    pytest.param("x" * MAX_NAME_CHARS, id="longest"),
]
"""Names of users that no directory has."""
