"""Runs plugins: finds them, orders their providers, calls them behind a circuit breaker, and sends them events."""
