"""The bundled policy keeps every promise of a check of permissions."""

from __future__ import annotations

import pytest
from tests.helpers.sites import Serve

from wheelgate.testing.policies import PolicyContract
from wheelgate.testing.site import Site


class TestRestrictModify(PolicyContract):
    """Listed principals, alone and in a group."""

    @pytest.fixture(params=[None, "", "alice", ":admins,root"])
    def site(self, serve: Serve, request: pytest.FixtureRequest) -> Site:
        """Return a server in which the policy takes part."""
        return serve(restrict_modify=request.param)
