"""The commands: one module each, with ``register(parser)`` and ``run(options, context) -> exit code``.

``--help`` only needs ``register``: these modules import expensive modules inside of their functions.
"""

COMMAND_GROUPS = {
    "server and login": {
        "use": "select server and index; point pip, uv and other tools at it",
        "login": "log in to the server",
        "whoami": "show the user that is logged in",
        "can": "say whether you, or somebody else, may do something, and why",
        "logoff": "log out of the server",
        "logout": "the same as logoff",
        "passwd": "change a password",
    },
    "packages": {
        "upload": "upload release files, or build and upload them",
        "install": "install packages from an index with pip or uv",
        "list": "list the projects of an index, or the files of a project",
        "why": "show which index a project comes from, and which files are hidden",
        "push": "copy a release to another index",
        "yank": "make installers skip a version unless it is pinned",
        "remove": "remove projects, versions or files",
        "refresh": "make mirrors ask their upstream again",
        "test": "test a package with tox, and store the result on the index",
    },
    "users, indices and tokens": {
        "user": "create, show, modify, delete and list users",
        "index": "create, show, modify, delete and list indices",
        "group": "create, show, modify, delete and list groups of users",
        "token": "create, list, inspect, revoke and derive API tokens, for CI",
    },
    "more": {
        "getjson": "show the JSON that the server sends for a path",
        "patchjson": "send a PATCH request with JSON from a file",
        "plugins": "show the client's plugins",
    },
}
"""The commands with their purposes, as ``devpi --help`` orders them."""

COMMANDS = {name: summary for group in COMMAND_GROUPS.values() for name, summary in group.items()}

ALIASES = {"logout": "logoff"}
