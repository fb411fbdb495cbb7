"""Adds the releases of another index, or of a folder, to an index of this server: ``devpi-server import --index``."""
