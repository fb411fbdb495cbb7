"""Talking to an index server: URLs, requests, upload forms, API tokens and JSON values."""
