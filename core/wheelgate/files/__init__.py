"""The files of packages: stored once under their sha256, sent to clients, and removed when no record needs them."""
