"""Fixtures: a directory, and servers that log users in by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import run  # noqa: F401
from tests.helpers.sites import Serve, numbers, serve, template  # noqa: F401
from tests.helpers.slapd import GROUPS, PASSWORD, PEOPLE, PROGRAM, SERVICE, Slapd

from wheelgate.testing.site import Site

MakeDirectory = Callable[..., Slapd]
ServeWithDirectory = Callable[..., Site]


@pytest.fixture
def make_directory(tmp_path: Path) -> Iterator[MakeDirectory]:
    """Return a function that starts directories; they stop with the test."""
    if PROGRAM is None:
        pytest.skip("slapd is not installed")
    running: list[Slapd] = []

    def make(**options: Any) -> Slapd:
        directory = Slapd(tmp_path / f"slapd{len(running)}", **options)
        running.append(directory)
        directory.start()
        directory.fill()
        return directory

    yield make
    for directory in running:
        directory.stop()


@pytest.fixture
def directory(make_directory: MakeDirectory) -> Slapd:
    """Return a running directory."""
    return make_directory()


def settings(directory: Slapd, **options: Any) -> dict[str, Any]:
    """Return the settings of a server that searches users over StartTLS; None removes a setting."""
    given = {
        "ldap_url": [directory.url],
        "ldap_ca_file": str(directory.ca_file),
        "ldap_bind_dn": SERVICE,
        "ldap_bind_password": PASSWORD,
        "ldap_user_base": PEOPLE,
        "ldap_group_base": GROUPS,
        **options,
    }
    return {key: value for key, value in given.items() if value is not None}


@pytest.fixture
def serve_with_directory(serve: Serve, directory: Slapd) -> ServeWithDirectory:  # noqa: F811
    """Return a function that starts a server which asks the directory."""
    return lambda **options: serve(**settings(directory, **options))


@pytest.fixture
def site(serve_with_directory: ServeWithDirectory) -> Site:
    """Return a server that asks the directory."""
    return serve_with_directory()


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make cached answers expire at once."""
    monkeypatch.setattr("wheelgate.identity.authentication.LOGIN_CACHE_SECONDS", 0.0)
    monkeypatch.setattr("wheelgate.identity.groups.GROUPS_CACHE_SECONDS", 0.0)
    monkeypatch.setattr("wheelgate.identity.external_users.DIRECTORY_CACHE_SECONDS", 0.0)


def log_in(site: Site, user: str, password: str) -> int:
    """Try to log in and return the status."""
    return site.request("POST", "/+login", {"user": user, "password": password}).status
