"""Fixtures and helpers: in-process servers, users with tokens, and a policy that closes indices to anonymous."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from tests.helpers.postgres import postgres  # noqa: F401
from tests.helpers.sites import fresh, numbers, serve, serve_shared, shared, site, template  # noqa: F401

from wheelgate import Deny, Principal, Resource, hookimpl
from wheelgate.hookspecs import instant
from wheelgate.testing.site import Response, Site

ROOT = ("root", "")
ALL_SCOPES = ["read", "upload", "yank", "delete"]


class UsersOnlyPolicy:
    """A policy: anonymous clients cannot read indices named ``closed…``, so that the right to read matters."""

    @hookimpl
    @instant
    def wheelgate_check_permission(self, principal: Principal, permission: str, resource: Resource) -> Deny | None:
        """Deny anonymous clients."""
        return None if self.allows(principal, permission, resource) else Deny("it is closed")

    @hookimpl
    def wheelgate_filter_visible(
        self, principal: Principal, permission: str, resources: Sequence[Resource]
    ) -> list[bool]:
        """Hide closed indices from anonymous clients."""
        return [self.allows(principal, permission, resource) for resource in resources]

    @staticmethod
    def allows(principal: Principal, permission: str, resource: Resource) -> bool:
        """Whether a principal has a permission."""
        return permission != "index_read" or not resource.name.startswith("closed") or principal.name is not None


@dataclass(frozen=True)
class TokenOwner:
    """A user of a site, who creates tokens."""

    site: Site
    auth: tuple[str, str]

    @property
    def name(self) -> str:
        """The user's name."""
        return self.auth[0]

    def create(self, *scopes: str, **body: Any) -> Response:
        """Request a token."""
        return self.site.request("POST", "/+x/tokens", {"scopes": list(scopes), **body}, auth=self.auth)

    def token(self, *scopes: str, **body: Any) -> tuple[str, str]:
        """Return a new token in the form of ``auth``."""
        made = self.create(*(scopes or ALL_SCOPES), **body)
        assert made.status == 200, made.content
        return "__token__", str(made.result["token"])

    def index(self, name: str = "dev", **config: Any) -> str:
        """Create an index of the user and return its path."""
        path = f"{self.name}/{name}"
        assert self.site.request("PUT", f"/{path}", config, auth=self.auth).status == 200
        return path


def basic(name: str, secret: str) -> dict[str, str]:
    """Return a Basic header (RFC 7617)."""
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"}


def bearer(secret: str) -> dict[str, str]:
    """Return a Bearer header (RFC 6750)."""
    return {"Authorization": f"Bearer {secret}"}


def identifier(secret: str) -> str:
    """Return the ID of a token."""
    return secret.removeprefix("wgt_").partition(".")[0]


def status(on: Site, headers: dict[str, str]) -> list[Any]:
    """Return ``authstatus`` for credentials."""
    answer = on.request("GET", "/+api", headers=headers)
    assert answer.status == 200
    return list(answer.result["authstatus"])


@pytest.fixture
def alice(shared: Site, fresh: str) -> TokenOwner:  # noqa: F811
    """Return a new user of a server that several tests share."""
    return TokenOwner(shared, shared.add_user(fresh))


@pytest.fixture
def alone(site: Site) -> TokenOwner:  # noqa: F811
    """Return a user of a server that no other test uses."""
    return TokenOwner(site, site.add_user("alice"))
