"""The database of the server, the protocols of the user and index stores, and caches that hold until a change."""
