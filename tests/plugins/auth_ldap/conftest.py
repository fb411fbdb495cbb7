"""Fixtures: a directory, and servers that log users in by it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import run  # noqa: F401
from tests.helpers.sites import Serve, fresh, numbers, serve, serve_shared, template  # noqa: F401
from tests.helpers.slapd import GROUPS, PASSWORD, PEOPLE, PROGRAM, SERVICE, Slapd
from tests.helpers.upload_forms import submit

from wheelgate.testing.site import Site

MakeDirectory = Callable[..., Slapd]
ServeWithDirectory = Callable[..., Site]


@pytest.fixture(scope="module", autouse=True)
def no_authorities() -> Iterator[None]:
    """Let the system have no authorities: to read them takes ten times as long as to start a server.

    Directories of these tests have authorities of their own.
    """
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", os.devnull)
        yield


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


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """Return a directory for all tests of a file."""
    if PROGRAM is None:
        pytest.skip("slapd is not installed")
    directory = Slapd(tmp_path_factory.mktemp("company") / "slapd")
    directory.start()
    directory.fill()
    yield directory
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


@dataclass(frozen=True)
class LoggedIn:
    """A person with every credential that this server gives or takes."""

    site: Site
    name: str
    password: str
    session: tuple[str, str]
    api_token: tuple[str, str]

    @classmethod
    def new(cls, site: Site, name: str, password: str) -> LoggedIn:
        """Log in, and create an API token."""
        session = site.login(name, password)
        made = site.request("POST", "/+x/tokens", {"scopes": ["upload"]}, auth=session)
        assert made.status == 200, made.content
        assert site.request("PUT", f"/{name}/dev", {}, auth=session).status == 200
        return cls(site, name, password, session, ("__token__", str(made.result["token"])))

    def statuses(self) -> dict[str, int]:
        """Use each credential for a request that needs it, and return the statuses."""
        credentials = {"session": self.session, "token": self.api_token, "password": (self.name, self.password)}
        return {
            "login": log_in(self.site, self.name, self.password),
            **{
                name: submit(
                    self.site, f"{self.name}/dev", auth, name="demo", version="1.0", **{":action": "submit"}
                ).status
                for name, auth in credentials.items()
            },
        }


def log_in(site: Site, user: str, password: str) -> int:
    """Try to log in and return the status."""
    return site.request("POST", "/+login", {"user": user, "password": password}).status
