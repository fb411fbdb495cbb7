"""The policy contract fails for policies that contradict themselves, raise, or give no reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from tests.helpers.sites import Serve

from wheelgate import Allow, Deny, Resource, hookimpl
from wheelgate.testing.policies import SAMPLE_PRINCIPALS, SAMPLE_RESOURCES, PolicyContract
from wheelgate.testing.site import Site


def deny_secret(permission: str, resource: Resource) -> Any:
    """Deny reading indices named secret."""
    return Deny("secret") if permission == "index_read" and resource.name == "secret" else None


def hide_secret(permission: str, resources: Sequence[Resource]) -> Any:
    """Hide the indices that :func:`deny_secret` denies."""
    return [each.name != "secret" for each in resources] if permission == "index_read" else None


def make_plugin(**hooks: Callable[..., Any]) -> Any:
    """Make a plugin of these hooks, given by their names without the prefix."""
    return SimpleNamespace(**{f"wheelgate_{name}": hookimpl(hook) for name, hook in hooks.items()})


class TestConsistentPolicy(PolicyContract):
    """A policy whose two hooks agree passes."""

    @pytest.fixture
    def site(self, serve: Serve) -> Site:
        """Return a server with the policy."""
        return serve(extra={"policy": make_plugin(check_permission=deny_secret, filter_visible=hide_secret)})


FLAWED_POLICIES = [
    pytest.param(make_plugin(check_permission=deny_secret), id="shows what it denies"),
    pytest.param(make_plugin(filter_visible=hide_secret), id="hides what it does not deny"),
    pytest.param(
        make_plugin(check_permission=deny_secret, filter_visible=lambda resources: [False]),
        id="returns too few answers",
    ),
]


@pytest.mark.parametrize("policy", FLAWED_POLICIES)
def test_an_inconsistent_policy_fails(serve: Serve, policy: Any) -> None:
    """The contract finds a listing that shows what a check denies, or hides what it allows."""
    site = serve(extra={"policy": policy})

    with pytest.raises(AssertionError):
        PolicyContract().test_listings_agree_with_checks(site, SAMPLE_PRINCIPALS, SAMPLE_RESOURCES, "index_read")


@pytest.mark.parametrize(
    "check",
    [
        lambda resource: resource.config["volatile"] and None,
        lambda: Deny(""),
        lambda: Deny("no\nyes"),
        lambda state=iter(range(10**6)): Allow("perhaps") if next(state) % 7 else None,  # noqa: B008
    ],
    ids=["raises", "gives no reason", "gives two lines", "changes its answer"],
)
def test_a_flawed_check_fails(serve: Serve, check: Callable[..., Any]) -> None:
    """The contract finds a check that raises, gives no reason in one line, or changes its answer."""
    site = serve(extra={"policy": make_plugin(check_permission=check)})

    with pytest.raises(AssertionError):
        PolicyContract().test_every_answer_has_a_reason(site, SAMPLE_PRINCIPALS, SAMPLE_RESOURCES)
