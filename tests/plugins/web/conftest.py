"""Servers in process, with the pages."""

from tests.helpers.sites import numbers, serve, serve_shared, template

__all__ = ["numbers", "serve", "serve_shared", "template"]
