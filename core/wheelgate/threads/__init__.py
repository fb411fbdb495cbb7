"""Bounded thread pools: the one hop from the event loop to code that may block."""
