"""The commands: one module each, with ``register(parser)`` and ``run(options, context) -> exit code``.

``--help`` only needs ``register``: these modules import expensive modules inside of their functions.
"""

COMMANDS = {
    "use": "select the server and the index; point pip, uv and other tools at it",
    "user": "create, show, modify, delete and list users",
    "passwd": "change a password",
    "login": "log in to the server",
    "logoff": "log out of the server",
    "logout": "the same as logoff",
    "token": "create, list, inspect, revoke and derive API tokens, for CI",
    "index": "create, show, modify, delete and list indices",
    "group": "create, show, modify, delete and list groups of users",
    "upload": "upload release files, or build and upload them",
    "list": "list the projects of an index, or the files of a project",
    "why": "show which index a project comes from, and which files are hidden",
    "push": "copy a release to another index",
    "yank": "make installers skip a version unless it is pinned",
    "remove": "remove projects, versions or files",
    "refresh": "make mirrors ask their upstream again",
    "install": "install packages from an index with pip or uv",
    "test": "test a package with tox, and store the result on the index",
    "getjson": "show the JSON that the server sends for a path",
    "patchjson": "send a PATCH request with JSON from a file",
    "plugins": "show the client's plugins",
}

ALIASES = {"logout": "logoff"}
