"""The kit for authors of plugins: tests that any implementation of a protocol has to pass. It needs pytest."""

import pytest

pytest.register_assert_rewrite(
    "wheelgate.testing.authenticators",
    "wheelgate.testing.groups",
    "wheelgate.testing.package_changes",
    "wheelgate.testing.package_kit",
    "wheelgate.testing.package_pushes",
    "wheelgate.testing.package_uploads",
    "wheelgate.testing.policies",
    "wheelgate.testing.stores",
    "wheelgate.testing.tokens",
)
