"""Applies a state file: users and indices here, further sections from plugins."""
