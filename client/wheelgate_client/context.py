"""The context that each command gets: the terminal, the stored state, and the server in use."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import cached_property

from wheelgate_client.credentials import Credentials
from wheelgate_client.errors import ClientError
from wheelgate_client.server import urls
from wheelgate_client.server.api import Api
from wheelgate_client.state.atomic_files import expanded_path
from wheelgate_client.state.logins import LoginsFile
from wheelgate_client.state.selection import Selection, SelectionFile
from wheelgate_client.terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.plugins import ClientPlugins


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
        """The server and index in use, as stored; a URL in ``DEVPI_INDEX`` replaces both.

        A name in ``DEVPI_INDEX`` counts only for :attr:`index`: most commands need the server alone.
        """
        stored = self.selection_file.load()
        requested = self._requested_index
        if requested is None or not urls.is_absolute(requested):
            return stored
        self._announce_requested_index()
        index = urls.parse_index(requested, "DEVPI_INDEX={}").url
        login = urls.join(urls.server_of_index(index), "+login")
        username = stored.username if login == stored.login else None
        return stored.changed({"index": index, "login": login, "username": username, "requested_index": None})

    @cached_property
    def index(self) -> str | None:
        """The URL of the index in use, or of the one in ``DEVPI_INDEX``; None if there is neither.

        Raises:
            ClientError: if ``DEVPI_INDEX`` names an index without its server or its user, and neither is in use.
        """
        requested = self._requested_index
        if requested is None or urls.is_absolute(requested):
            return self.selection.index
        self._announce_requested_index()
        if self.selection.server_url is None:
            raise ClientError("DEVPI_INDEX has to be a URL: not connected to a server, see 'devpi use'")
        return urls.index_url(self.selection.server_url, self.username, requested)

    @property
    def _requested_index(self) -> str | None:
        return self.environ.get("DEVPI_INDEX") or None

    def _announce_requested_index(self) -> None:
        self.terminal.note(f"Using DEVPI_INDEX from environment: {self._requested_index}")

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
        return self.credentials.username_at(self.selection.server_url)

    @cached_property
    def credentials(self) -> Credentials:
        """Chooses the login for each request."""
        return Credentials(self.environ, self.logins, lambda: self.selection, self.terminal.note)

    @cached_property
    def api(self) -> Api:
        """Sends requests to the server as the user logged in."""
        return Api(
            self.credentials, self._options.timeout, self.terminal.note, self.debug, self._certificate_authorities()
        )

    def _certificate_authorities(self) -> str | None:
        """Return the file or folder that the variables of OpenSSL name: requests does not look at them."""
        named = (self.environ.get("SSL_CERT_FILE"), self.environ.get("SSL_CERT_DIR"))
        return next((path for path in named if path and expanded_path(path).exists()), None)

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
        if self.index is None:
            raise ClientError(self._no_index())
        return self.index

    def _no_index(self) -> str:
        requested = self.selection.requested_index
        if requested is not None:
            return f"the index {requested} needs a login: type 'devpi login USER', which then selects it"
        return "no index in use: name one, or type 'devpi use USER/INDEX'"

    def named_url(self, text: str) -> str:
        """Return a URL from the command line; without a server in use, ``DEVPI_TOKEN`` is for its server.

        Raises:
            ClientError: if the URL is invalid, or contains a password.
        """
        parsed = urls.parse(text)
        if parsed.basic is not None:
            raise ClientError("the URL carries a password: give that to 'devpi use', and leave it out here")
        if self.selection.server_url is None:
            self.credentials.name_server(parsed.url)
        return text

    def named_index_url(self, text: str) -> str:
        """Return the URL of an index from the command line; see :meth:`named_url`."""
        self.named_url(text)
        return urls.parse_index(text, "--index {}").url

    def resource_url(self, path_or_url: str) -> str:
        """Return the URL for a URL, a path from the server's root, or a path relative to the index in use."""
        if urls.is_absolute(path_or_url):
            return self.named_url(path_or_url)
        if path_or_url.startswith("/"):
            if self.selection.server_url is None:
                raise ClientError("no server currently selected")
            return self.selection.server_url + path_or_url[1:]
        if self.index is None:
            raise ClientError("cannot use relative path without an active index")
        return f"{self.index}/{path_or_url}"

    def close(self) -> None:
        """Close the connection, if there is one."""
        if "api" in vars(self):
            self.api.close()

    def without_variable(self, name: str) -> ClientContext:
        """Return a context with the same options in which the environment variable is not set."""
        environ = {key: value for key, value in self.environ.items() if key != name}
        return ClientContext(self._options, environ, self.terminal)
