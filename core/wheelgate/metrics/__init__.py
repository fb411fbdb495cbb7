"""Counts what the workers do, in memory that they share."""
