"""The database of the server, the protocols of the user and index stores, and caches that are valid until a change."""
