"""The commands: one module each, with ``register(parser)`` and ``run(options, session) -> exit code``.

``register`` is all that ``--help`` needs, so these modules import at run time only what costs nothing.
"""

COMMANDS = {
    "use": "choose the server and the index; point pip, uv and others at it",
    "user": "create, show, modify, delete and list users",
    "passwd": "change a password",
    "login": "log in at the server",
    "logoff": "end the login",
    "logout": "the same as logoff",
    "index": "create, show, modify, delete and list indices",
    "getjson": "show what the server answers at a path",
    "patchjson": "send a PATCH request with JSON from a file",
    "plugins": "show the client's plugins",
}

ALIASES = {"logout": "logoff"}
