"""Servers in process, with the pages."""

from tests.helpers.postgres import postgres, postgres_url
from tests.helpers.sites import fresh, numbers, serve, serve_shared, shared, site, template
from tests.helpers.upstream import upstream

__all__ = [
    "fresh",
    "numbers",
    "postgres",
    "postgres_url",
    "serve",
    "serve_shared",
    "shared",
    "site",
    "template",
    "upstream",
]
