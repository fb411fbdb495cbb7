"""Bounded thread pools for code that may block the event loop."""
