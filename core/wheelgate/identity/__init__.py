"""Finds out who sends a request: credentials, authentication, sessions, API tokens, principals and groups."""
