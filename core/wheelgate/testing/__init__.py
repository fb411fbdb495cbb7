"""The kit for authors of plugins: tests that any implementation of a protocol has to pass. It needs pytest."""

import pytest

pytest.register_assert_rewrite("wheelgate.testing.stores")
