"""Servers in process, with the pages."""

from tests.helpers.sites import fresh, numbers, serve, serve_shared, template

__all__ = ["fresh", "numbers", "serve", "serve_shared", "template"]
