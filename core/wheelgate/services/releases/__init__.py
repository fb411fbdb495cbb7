"""Releases on their way into an index: uploads, and pushes to this or another server."""
