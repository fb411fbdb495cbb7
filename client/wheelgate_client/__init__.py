"""The ``devpi`` command: it talks HTTP to an index server and imports nothing from one."""

# The only place of the version: setup.py reads it here. Looking it up in the installed metadata would triple the cost
# of ``devpi --version``.
VERSION = "0.1.0"
