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
    "token": "create, list, inspect, revoke and derive API tokens, for CI",
    "index": "create, show, modify, delete and list indices",
    "group": "create, show, modify, delete and list groups of users",
    "upload": "upload release files, or build and upload them",
    "list": "list the projects of an index, or the files of a project",
    "why": "say which index a project comes from, and what is hidden",
    "push": "copy a release to another index",
    "yank": "keep installers from a version unless it is pinned",
    "remove": "remove projects, versions or files",
    "refresh": "make mirrors ask their upstream again",
    "install": "install packages from an index with pip or uv",
    "test": "test a package with tox, and keep the result beside it",
    "getjson": "show what the server answers at a path",
    "patchjson": "send a PATCH request with JSON from a file",
    "plugins": "show the client's plugins",
}

ALIASES = {"logout": "logoff"}
