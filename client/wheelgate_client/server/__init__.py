"""Talks to an index server: URLs, requests, upload forms and API tokens."""
