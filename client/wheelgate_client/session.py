"""What a command is given: the terminal, the state, and the server in use."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from wheelgate_client.errors import ClientError
from wheelgate_client.server import urls
from wheelgate_client.server.api import Api, Credentials
from wheelgate_client.state.atomic import local
from wheelgate_client.state.files import AuthFile, Current, CurrentFile
from wheelgate_client.terminal import Terminal

TOKEN_USER = "__token__"  # noqa: S105 - a name, no secret
"""The name that stands before an API token."""

if TYPE_CHECKING:
    from wheelgate_client.plugins import Plugins


class Session:
    """One run of ``devpi``."""

    def __init__(self, options: argparse.Namespace, environ: Mapping[str, str], terminal: Terminal) -> None:
        self.terminal = terminal
        self.environ = environ
        self._options = options
        directory = options.clientdir or environ.get("DEVPI_CLIENTDIR") or "~/.devpi/client"
        self.directory = local(directory)
        self.auth_file = AuthFile(self.directory.join("auth.json"), self.directory)
        self.current_file = self._current_file()

    def _current_file(self) -> CurrentFile:
        path = self.directory.join("current.json")
        if self.active_venv:
            in_venv = local(self.active_venv).join("devpi.json")
            path = in_venv if in_venv.exists() else path
        self.debug(f"current: {path}")
        return CurrentFile(path, self.directory)

    @property
    def active_venv(self) -> str | None:
        """The virtual environment that the shell has activated."""
        return self.environ.get("VIRTUAL_ENV") or None

    @property
    def verbose(self) -> bool:
        """Whether ``-v`` was given."""
        return bool(self._options.verbose)

    @property
    def debugging(self) -> bool:
        """Whether ``--debug`` was given."""
        return bool(self._options.debug)

    def debug(self, text: str) -> None:
        """Say something on standard error if ``--debug`` was given."""
        if self.debugging:
            self.terminal.note(f"[debug] {text}")

    def confirm(self, question: str) -> bool:
        """Ask, unless ``-y`` was given."""
        return self.terminal.confirm(question, assume_yes=self._options.yes)

    @cached_property
    def current(self) -> Current:
        """What is in use, with ``DEVPI_INDEX`` in the place of the stored index."""
        stored = self.current_file.load()
        wanted = self.environ.get("DEVPI_INDEX")
        if not wanted:
            return stored
        self.terminal.note(f"Using DEVPI_INDEX from environment: {wanted}")
        if urls.is_absolute(wanted):
            index = urls.parse(wanted).url
            login = urls.join(urls.parent(urls.parent(index).rstrip("/")), "+login")
            username = stored.username if login == stored.login else None
            return stored.changed({"index": index, "login": login, "username": username})
        if stored.root is None:
            raise ClientError("DEVPI_INDEX has to be a URL: not connected to a server, see 'devpi use'")
        return stored.changed({"index": urls.index_url(stored.root, self._user_at(stored.root, stored), wanted)})

    @property
    def root(self) -> str:
        """The URL of the server in use, with a trailing slash.

        Raises:
            ClientError: if there is none.
        """
        if self.current.root is None:
            raise ClientError("not connected to a server, see 'devpi use'")
        return self.current.root

    @property
    def username(self) -> str | None:
        """The user logged in at the server in use."""
        return self._user_at(self.current.root, self.current)

    def _user_at(self, root: str | None, current: Current) -> str | None:
        if root is None:
            return None
        tokens = self.auth_file.tokens(root)
        chosen = current.username if root == current.root else None
        wanted = self.environ.get("DEVPI_USER") or chosen or next(iter(tokens), None)
        return wanted if wanted in tokens else None

    @cached_property
    def api(self) -> Api:
        """The way to the server."""
        return Api(self.credentials, self._options.timeout, self.terminal.note, self.debug)

    @cached_property
    def plugins(self) -> Plugins:
        """The client's plugins; looking them up costs as much as half a request."""
        from wheelgate_client.plugins import Plugins

        blocked = self.environ.get("DEVPI_NO_PLUGIN", "").split(",")
        return Plugins(self.terminal.error, frozenset(map(str.strip, blocked)))

    def keep_in_venv(self) -> bool:
        """Keep what is in use in the active virtual environment from now on; return False if it is there already.

        Raises:
            ClientError: if none is active.
        """
        if self.active_venv is None:
            raise ClientError("Using --local is only valid in an active virtualenv.")
        in_venv = CurrentFile(local(self.active_venv).join("devpi.json"), self.directory)
        if in_venv.path == self.current_file.path:
            return False
        content = self.current_file.read()
        in_venv.change(lambda new: new.update(content))
        self.current_file = in_venv
        return True

    def user_url(self, username: str) -> str:
        """Return the URL of a user of the server in use."""
        return urls.user_url(self.root, username)

    def groups_url(self, name: str = "") -> str:
        """Return the URL of a group of the server in use, or of the list of all."""
        return urls.groups_url(self.root, name)

    def index_url(self, name: str | None) -> str:
        """Return the URL of an index of the server in use, by default of the index in use."""
        if name is not None:
            return urls.index_url(self.root, self.username, name)
        if self.current.index is None:
            raise ClientError("no index in use: name one, or type 'devpi use USER/INDEX'")
        return self.current.index

    def resource_url(self, path_or_url: str) -> str:
        """Return the URL of what is given as URL, as path from the server's root, or relative to the index in use."""
        if urls.is_absolute(path_or_url):
            if urls.parse(path_or_url).basic is not None:
                raise ClientError("the URL carries a password: give that to 'devpi use', and leave it out here")
            return path_or_url
        if path_or_url.startswith("/"):
            if self.current.root is None:
                raise ClientError("no server currently selected")
            return self.current.root + path_or_url[1:]
        if self.current.index is None:
            raise ClientError("cannot use relative path without an active index")
        return f"{self.current.index}/{path_or_url}"

    def close(self) -> None:
        """Let go of the connection, if there is one."""
        if "api" in vars(self):
            self.api.close()

    def without(self, variable: str) -> Session:
        """Return the session as it would be if the environment variable was not set."""
        environ = {name: value for name, value in self.environ.items() if name != variable}
        return Session(self._options, environ, self.terminal)

    def basic_credentials(self, url: str) -> Credentials:
        """Return what is stored for HTTP basic authentication alone."""
        return Credentials(basic=self.auth_file.basic(url))

    def credentials(self, url: str) -> Credentials:
        """Return what to send to the server that ``url`` lies on: what is stored, or the token of the environment.

        That one is for the server in use, and sent nowhere else.
        """
        basic = self.auth_file.basic(url)
        token, used = self.environ.get("DEVPI_TOKEN"), self.current.root
        if token and used is not None and f"{url}/".startswith(used):
            return Credentials(TOKEN_USER, token, basic)
        root = self.auth_file.root_of(url)
        username = self._user_at(root, self.current)
        if root is None or username is None:
            return Credentials(basic=basic)
        return Credentials(username, self.auth_file.tokens(root)[username], basic)
