"""The test kit for plugin authors: contract tests for each protocol, and servers to test against. It needs pytest."""

import pytest

pytest.register_assert_rewrite(
    "wheelgate.testing.authenticators",
    "wheelgate.testing.group_sources",
    "wheelgate.testing.index_stores",
    "wheelgate.testing.package_changes",
    "wheelgate.testing.package_fixtures",
    "wheelgate.testing.package_pushes",
    "wheelgate.testing.package_uploads",
    "wheelgate.testing.policies",
    "wheelgate.testing.store_fixtures",
    "wheelgate.testing.token_handlers",
    "wheelgate.testing.user_stores",
)
