"""Third-party plugins fulfil the kit's contracts, tested as their authors would test them."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import argon2
import pytest
from tests.plugins_external.conftest import FakeService, Load

from wheelgate import Credentials
from wheelgate.testing.authenticators import AuthenticatorCase, AuthenticatorContract
from wheelgate.testing.group_sources import GroupSourceCase, GroupSourceContract
from wheelgate.testing.policies import PolicyContract
from wheelgate.testing.site import Site
from wheelgate.testing.token_handlers import TokenHandlerCase, TokenHandlerContract
from wheelgate_client.contracts import ConfigWriterContract
from wheelgate_client.hookspecs import ConfigWriter


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a server with the user alice, for all tests of the file."""
    with Site(tmp_path_factory.mktemp("site") / "server") as site:
        site.add_user("alice", "correct horse")
        yield site


@pytest.fixture
def directory(load: Load, tmp_path: Path) -> Any:
    """Return the directory of the documentation, with alice in it."""
    file = tmp_path / "people.toml"
    hashed = argon2.PasswordHasher(1, 8, 1).hash("correct horse")
    file.write_text(f'[alice]\npassword_hash = "{hashed}"\ngroups = ["admins"]\n')
    return load("company_directory").Directory(str(file))


class TestCompanyDirectory(AuthenticatorContract):
    """The authenticator of the plugin in the documentation."""

    @pytest.fixture
    def case(self, directory: Any) -> AuthenticatorCase:
        """Return the directory."""
        good = Credentials("password", "alice", "correct horse", "test")
        return AuthenticatorCase(directory, good, start_outage=directory.path.unlink)


class TestCompanyGroups(GroupSourceContract):
    """The group source of the plugin in the documentation."""

    @pytest.fixture
    def case(self, directory: Any) -> GroupSourceCase:
        """Return the directory."""
        return GroupSourceCase(directory, "alice", frozenset({"admins"}), start_outage=directory.path.unlink)


class TestTokens(TokenHandlerContract):
    """Tokens as macaroons."""

    @pytest.fixture
    def case(self, load: Load, site: Site) -> TokenHandlerCase:
        """Return the token handler, a token of alice, and tokens that she derived from it."""
        tiny, alice = load("tiny_tokens"), site.server.users.get("alice")
        tokens = tiny.Tokens(site.server)
        good = tokens.mint(alice)
        dev, until = tiny.narrowed(good, "index=alice/dev"), f"until={int(time.time()) + 60}"
        narrowed = [dev, tiny.narrowed(dev, until), tiny.narrowed(dev, "index=alice/prod")]
        return TokenHandlerCase(tokens, good, "alice", [*narrowed, tiny.narrowed(good, "until=999999999999")])


class TestStubLogin(AuthenticatorContract):
    """Passwords hashed with scrypt."""

    @pytest.fixture
    def case(self, load: Load, site: Site) -> AuthenticatorCase:
        """Return the authenticator, and a user with a password that it hashed."""
        stub = load("stub_login")
        alice = site.server.users.get("alice")
        assert alice is not None
        with site.server.database.transaction():
            alice = site.server.users.set_password_hash(alice, stub.Scrypt().hash("correct horse"), "another stamp")
        return AuthenticatorCase(
            stub.StoredPasswords(site.server), Credentials("password", "alice", "correct horse", "test"), alice
        )


class TestCertificates(AuthenticatorContract):
    """Client certificates that a proxy checks."""

    @pytest.fixture
    def case(self, load: Load) -> AuthenticatorCase:
        """Return the authenticator for certificates."""
        good = Credentials("client-cert", "alice", "", "tiny_mtls", trusted=True)
        return AuthenticatorCase(load("tiny_mtls").Certificate(), good)


class TestIdentityProvider(AuthenticatorContract):
    """Access tokens of an identity provider."""

    @pytest.fixture
    def case(self, load: Load, site: Site, service: FakeService) -> AuthenticatorCase:
        """Return the authenticator for access tokens, and a token of alice."""
        claims = base64.urlsafe_b64encode(b'{"preferred_username": "alice"}').decode().rstrip("=")
        token = f"e30.{claims}.c2ln"
        service.answers = {f"Bearer {token}": (200, {"preferred_username": "alice", "groups": ["admins"]})}
        provider = load("tiny_oidc").Provider(site.server, service.url)
        return AuthenticatorCase(provider, Credentials("bearer", "alice", token, "tiny_oidc"))


class TestJobs(AuthenticatorContract):
    """Tokens of GitLab's jobs."""

    @pytest.fixture
    def case(self, load: Load, site: Site, service: FakeService) -> AuthenticatorCase:
        """Return the authenticator for jobs, and a job's token."""
        service.answers = {"glcbt-1234": (200, {"status": "running", "pipeline": {"project_path": "team/app"}})}
        jobs = load("tiny_gitlab_ci").Jobs(site.server, service.url)
        return AuthenticatorCase(jobs, Credentials("password", "gitlab-ci-token", "glcbt-1234", "basic"))


class TestPolicies(PolicyContract):
    """Every policy of this folder."""

    @pytest.fixture(scope="class", params=["stub_policy", "tiny_lockdown", "tiny_mirror_acl"])
    @classmethod
    def site(
        cls, load: Load, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
    ) -> Iterator[Site]:
        """Return a server with the policy."""
        with Site(tmp_path_factory.mktemp("site") / "server", extra={request.param: load(request.param)}) as site:
            yield site


class TestOneLine(ConfigWriterContract):
    """A config writer for a file with one line."""

    @pytest.fixture
    def writer(self, load: Load) -> ConfigWriter:
        """Return the writer under test."""
        writer: ConfigWriter = load("stub_configwriter").OneLine()
        return writer
