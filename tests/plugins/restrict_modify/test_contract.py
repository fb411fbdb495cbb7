"""The bundled policy fulfils the contract of a policy."""

from __future__ import annotations

import pytest
from tests.helpers.sites import Serve

from wheelgate.testing.policies import PolicyContract
from wheelgate.testing.site import Site


class TestRestrictModify(PolicyContract):
    """The policy without the option, with an empty list, with users and with groups."""

    @pytest.fixture(scope="class", params=[None, "", "alice", ":admins,root"])
    @classmethod
    def site(cls, serve_shared: Serve, request: pytest.FixtureRequest) -> Site:
        """Return a server with the policy."""
        return serve_shared(restrict_modify=request.param)
