"""Runs and configures pip, uv and other tools."""
