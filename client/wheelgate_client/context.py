"""The context that each command gets: the terminal, the stored state, and the server in use."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import cached_property

from wheelgate_client.errors import ClientError
from wheelgate_client.server import urls
from wheelgate_client.server.api import Api, Login
from wheelgate_client.state.atomic_files import expanded_path
from wheelgate_client.state.logins import LoginsFile
from wheelgate_client.state.selection import Selection, SelectionFile
from wheelgate_client.terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.plugins import ClientPlugins

API_TOKEN_USERNAME = "__token__"  # noqa: S105 - a name, no secret
"""The user name that a client sends along with an API token."""


class ClientContext:
    """The terminal, the state and the server for one run of ``devpi``."""

    def __init__(self, options: argparse.Namespace, environ: Mapping[str, str], terminal: Terminal) -> None:
        self.terminal = terminal
        self.environ = environ
        self._options = options
        directory = options.clientdir or environ.get("DEVPI_CLIENTDIR") or "~/.devpi/client"
        self.client_dir = expanded_path(directory)
        self.logins = LoginsFile(self.client_dir.join("auth.json"), self.client_dir)
        self.selection_file = self._find_selection_file()

    def _find_selection_file(self) -> SelectionFile:
        path = self.client_dir.join("current.json")
        if self.active_venv:
            in_venv = expanded_path(self.active_venv).join("devpi.json")
            path = in_venv if in_venv.exists() else path
        self.debug(f"current: {path}")
        return SelectionFile(path, self.client_dir)

    @property
    def active_venv(self) -> str | None:
        """The virtual environment that is active in the shell."""
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
        """Print a line on standard error if ``--debug`` was given."""
        if self.debugging:
            self.terminal.note(f"[debug] {text}")

    def confirm(self, question: str) -> bool:
        """Ask a yes-or-no question; return True without asking if ``-y`` was given."""
        return self.terminal.confirm(question, assume_yes=self._options.yes)

    @cached_property
    def selection(self) -> Selection:
        """The server and index in use; ``DEVPI_INDEX`` replaces the stored index."""
        stored = self.selection_file.load()
        requested = self.environ.get("DEVPI_INDEX")
        if not requested:
            return stored
        self.terminal.note(f"Using DEVPI_INDEX from environment: {requested}")
        if urls.is_absolute(requested):
            index = urls.parse(requested).url
            login = urls.join(urls.parent(urls.parent(index).rstrip("/")), "+login")
            username = stored.username if login == stored.login else None
            return stored.changed({"index": index, "login": login, "username": username})
        if stored.server_url is None:
            raise ClientError("DEVPI_INDEX has to be a URL: not connected to a server, see 'devpi use'")
        username = self._username_at(stored.server_url, stored)
        return stored.changed({"index": urls.index_url(stored.server_url, username, requested)})

    @property
    def server_url(self) -> str:
        """The URL of the server in use, with a trailing slash.

        Raises:
            ClientError: if there is none.
        """
        if self.selection.server_url is None:
            raise ClientError("not connected to a server, see 'devpi use'")
        return self.selection.server_url

    @property
    def username(self) -> str | None:
        """The user logged in at the server in use."""
        return self._username_at(self.selection.server_url, self.selection)

    def _username_at(self, server_url: str | None, selection: Selection) -> str | None:
        if server_url is None:
            return None
        tokens = self.logins.tokens(server_url)
        selected = selection.username if server_url == selection.server_url else None
        username = self.environ.get("DEVPI_USER") or selected or next(iter(tokens), None)
        return username if username in tokens else None

    @cached_property
    def api(self) -> Api:
        """Sends requests to the server as the user logged in."""
        return Api(self.login_for, self._options.timeout, self.terminal.note, self.debug)

    @cached_property
    def plugins(self) -> ClientPlugins:
        """The client's plugins; loading them takes half as long as a request."""
        from wheelgate_client.plugins import ClientPlugins

        blocked = self.environ.get("DEVPI_NO_PLUGIN", "").split(",")
        return ClientPlugins(self.terminal.error, frozenset(map(str.strip, blocked)))

    def move_selection_to_venv(self) -> bool:
        """Store the selection in the active virtual environment from now on; return False if it is there already.

        Raises:
            ClientError: if none is active.
        """
        if self.active_venv is None:
            raise ClientError("Using --local is only valid in an active virtualenv.")
        in_venv = SelectionFile(expanded_path(self.active_venv).join("devpi.json"), self.client_dir)
        if in_venv.path == self.selection_file.path:
            return False
        content = self.selection_file.read()
        in_venv.change(lambda new: new.update(content))
        self.selection_file = in_venv
        return True

    def user_url(self, username: str) -> str:
        """Return the URL of a user on the server in use."""
        return urls.user_url(self.server_url, username)

    def group_url(self, name: str) -> str:
        """Return the URL of a group on the server in use."""
        return urls.group_url(self.server_url, name)

    def groups_url(self) -> str:
        """Return the URL of the list of groups on the server in use."""
        return urls.groups_url(self.server_url)

    def index_url(self, name: str | None) -> str:
        """Return the URL of an index on the server in use, by default of the index in use."""
        if name is not None:
            return urls.index_url(self.server_url, self.username, name)
        if self.selection.index is None:
            raise ClientError("no index in use: name one, or type 'devpi use USER/INDEX'")
        return self.selection.index

    def resource_url(self, path_or_url: str) -> str:
        """Return the URL for a URL, a path from the server's root, or a path relative to the index in use."""
        if urls.is_absolute(path_or_url):
            if urls.parse(path_or_url).basic is not None:
                raise ClientError("the URL carries a password: give that to 'devpi use', and leave it out here")
            return path_or_url
        if path_or_url.startswith("/"):
            if self.selection.server_url is None:
                raise ClientError("no server currently selected")
            return self.selection.server_url + path_or_url[1:]
        if self.selection.index is None:
            raise ClientError("cannot use relative path without an active index")
        return f"{self.selection.index}/{path_or_url}"

    def close(self) -> None:
        """Close the connection, if there is one."""
        if "api" in vars(self):
            self.api.close()

    def without_variable(self, name: str) -> ClientContext:
        """Return a context with the same options in which the environment variable is not set."""
        environ = {key: value for key, value in self.environ.items() if key != name}
        return ClientContext(self._options, environ, self.terminal)

    def secret_variable(self, name: str) -> str | None:
        """Return the secret in an environment variable; None if the variable is not set.

        Raises:
            ClientError: if it is set and empty, for example because CI does not know the secret.
        """
        secret = self.environ.get(name)
        if secret is not None and not secret.strip():
            raise ClientError(f"the environment variable {name} is empty: put the secret there, or unset it")
        return secret

    def basic_login_for(self, url: str) -> Login:
        """Return only the stored login for HTTP basic authentication."""
        return Login(basic=self.logins.basic(url))

    def login_for(self, url: str) -> Login:
        """Return the login to send to the server of ``url``: the stored one, or the token of the environment.

        The token of the environment is for the server in use, and is sent nowhere else.
        """
        basic = self.logins.basic(url)
        token, in_use = self.secret_variable("DEVPI_TOKEN"), self.selection.server_url
        if token is not None and in_use is not None and f"{url}/".startswith(in_use):
            return Login(API_TOKEN_USERNAME, token, basic)
        server_url = self.logins.server_url_of(url)
        username = self._username_at(server_url, self.selection)
        if server_url is None or username is None:
            return Login(basic=basic)
        return Login(username, self.logins.tokens(server_url)[username], basic)
