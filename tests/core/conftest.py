"""What the tests of the core need: servers without sockets."""

from __future__ import annotations

from tests.commands import run  # noqa: F401
from tests.postgres import postgres  # noqa: F401
from tests.sites import fresh, numbers, serve, shared, site, template  # noqa: F401
