"""The ``devpi`` command: it speaks HTTP to an index server and imports nothing of one."""

VERSION = "0.1.0"  # looking it up in the installed metadata would triple the cost of ``devpi --version``
