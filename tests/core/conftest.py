"""What the tests of the core need: servers without sockets."""

from __future__ import annotations

from tests.helpers.commands import run  # noqa: F401
from tests.helpers.postgres import postgres  # noqa: F401
from tests.helpers.sites import fresh, numbers, serve, serve_shared, shared, site, template  # noqa: F401
from tests.helpers.state_files import server  # noqa: F401
