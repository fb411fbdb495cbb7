"""What these tests need: servers without sockets, users with tokens, and an index that is not for everybody."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from tests.helpers.postgres import postgres  # noqa: F401
from tests.helpers.sites import fresh, numbers, serve, shared, site, template  # noqa: F401

from wheelgate import Deny, Principal, Resource, hookimpl
from wheelgate.hookspecs import instant
from wheelgate.testing.site import Response, Site

ROOT = ("root", "")
EVERYTHING = ["read", "upload", "yank", "delete"]


class Closed:
    """A policy: whatever is called ``closed…`` is for users only, so that a token that may read makes a difference."""

    @hookimpl
    @instant
    def wheelgate_check_permission(self, principal: Principal, permission: str, resource: Resource) -> Deny | None:
        """Deny strangers."""
        return None if self.open(principal, permission, resource) else Deny("it is closed")

    @hookimpl
    def wheelgate_filter_visible(
        self, principal: Principal, permission: str, resources: Sequence[Resource]
    ) -> list[bool]:
        """Hide from strangers."""
        return [self.open(principal, permission, resource) for resource in resources]

    @staticmethod
    def open(principal: Principal, permission: str, resource: Resource) -> bool:
        """Decide."""
        return permission != "index_read" or not resource.name.startswith("closed") or principal.name is not None


@dataclass(frozen=True)
class Holder:
    """A user of a site, who makes tokens."""

    site: Site
    auth: tuple[str, str]

    @property
    def name(self) -> str:
        """The user's name."""
        return self.auth[0]

    def create(self, *scopes: str, **body: Any) -> Response:
        """Ask for a token."""
        return self.site.request("POST", "/+x/tokens", {"scopes": list(scopes), **body}, auth=self.auth)

    def token(self, *scopes: str, **body: Any) -> tuple[str, str]:
        """Return a new token as ``auth`` takes it."""
        made = self.create(*(scopes or EVERYTHING), **body)
        assert made.status == 200, made.content
        return "__token__", str(made.result["token"])

    def index(self, name: str = "dev", **config: Any) -> str:
        """Create an index of the user's; return its path."""
        path = f"{self.name}/{name}"
        assert self.site.request("PUT", f"/{path}", config, auth=self.auth).status == 200
        return path


def basic(name: str, secret: str) -> dict[str, str]:
    """Return the header of RFC 7617."""
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"}


def bearer(secret: str) -> dict[str, str]:
    """Return the header of RFC 6750."""
    return {"Authorization": f"Bearer {secret}"}


def identifier(secret: str) -> str:
    """Return what names a token."""
    return secret.removeprefix("wgt_").partition(".")[0]


def status(of: Site, headers: dict[str, str]) -> list[Any]:
    """Return what ``+api`` says of credentials."""
    answer = of.request("GET", "/+api", headers=headers)
    assert answer.status == 200
    return list(answer.result["authstatus"])


@pytest.fixture
def alice(shared: Site, fresh: str) -> Holder:  # noqa: F811
    """Return a new user of a server that others use too."""
    return Holder(shared, shared.add_user(fresh))


@pytest.fixture
def alone(site: Site) -> Holder:  # noqa: F811
    """Return a user who has a server to herself."""
    return Holder(site, site.add_user("alice"))
