"""Backups of a whole server: its database, its files and its secret in one folder, with a manifest of their hashes."""
