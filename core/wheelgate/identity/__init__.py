"""Identifies the sender of a request: credentials, authentication, sessions, API tokens, principals and groups."""
