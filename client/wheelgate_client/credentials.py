"""Which login a request carries: the stored one, or the API token in the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wheelgate_client.errors import ClientError
from wheelgate_client.server import urls
from wheelgate_client.server.api import Login
from wheelgate_client.state.logins import LoginsFile
from wheelgate_client.state.selection import Selection

API_TOKEN_USERNAME = "__token__"  # noqa: S105 - a name, no secret
"""The user name that a client sends along with an API token."""


class Credentials:
    """Chooses the login for each URL, and says what to do if the server does not accept it."""

    def __init__(
        self,
        environ: Mapping[str, str],
        logins: LoginsFile,
        selection: Callable[[], Selection],
        note: Callable[[str], None],
    ) -> None:
        """Take the environment, the stored logins, and what returns the selection and prints a note."""
        self._environ = environ
        self._logins = logins
        self._selection = selection
        self._note = note
        self._named_origin: str | None = None
        self._origins_without_token: set[str] = set()
        self._certificates: dict[str, str | None] = {}

    def secret_variable(self, name: str) -> str | None:
        """Return the secret in an environment variable; None if the variable is not set.

        Raises:
            ClientError: if it is set and empty, for example because CI does not know the secret.
        """
        secret = self._environ.get(name)
        if secret is not None and not secret.strip():
            raise ClientError(f"the environment variable {name} is empty: put the secret there, or unset it")
        return secret

    def username_at(self, server_url: str | None) -> str | None:
        """Return the user logged in at a server; None if there is none."""
        if server_url is None:
            return None
        tokens = self._logins.tokens(server_url)
        selection = self._selection()
        selected = selection.username if server_url == selection.server_url else None
        username = self._environ.get("DEVPI_USER") or selected or next(iter(tokens), None)
        return username if username in tokens else None

    def name_server(self, url: str) -> None:
        """Make ``DEVPI_TOKEN`` be for the server of a URL on the command line too, for this run."""
        self._named_origin = urls.origin(url)

    def use_certificate(self, url: str, path: str | None) -> None:
        """Show this client certificate, or none, to the server of a URL, for this run."""
        self._certificates[urls.origin(url)] = path

    def certificate_for(self, url: str) -> str | None:
        """Return the PEM file with the client's certificate and key for the server of a URL; it is for no other."""
        origin = urls.origin(url)
        return self._certificates[origin] if origin in self._certificates else self._logins.certificate(url)

    def basic_login(self, url: str) -> Login:
        """Return only the stored login for HTTP basic authentication."""
        return Login(basic=self._logins.basic(url))

    def login_for(self, url: str) -> Login:
        """Return the login to send to the server of ``url``: the stored one, or the token of the environment.

        The token of the environment is for the server in use, or the one that the command line names, and is sent
        nowhere else.
        """
        basic = self._logins.basic(url)
        token, in_use = self.secret_variable("DEVPI_TOKEN"), self._selection().server_url
        if token is not None:
            if urls.origin(url) == self._named_origin or (in_use is not None and f"{url}/".startswith(in_use)):
                return Login(API_TOKEN_USERNAME, token, basic)
            self._say_that_token_is_not_sent(url, in_use)
        server_url = self._logins.server_url_of(url)
        username = self.username_at(server_url)
        if server_url is None or username is None:
            return Login(basic=basic)
        return Login(username, self._logins.tokens(server_url)[username], basic)

    def login_hint(self, url: str, login: Login) -> str:
        """Return what to do if the server answers 401 to a request with this login."""
        if login.username == API_TOKEN_USERNAME:
            return _TOKEN_ADVICE
        selection = self._selection()
        in_use = selection.server_url
        if in_use is not None and f"{url}/".startswith(in_use):
            return f"type 'devpi login {login.username or selection.username or 'USER'}'"
        return f"type 'devpi login {login.username or 'USER'} --url {url.partition('/+')[0]}'"

    def rejection(self, username: str) -> str:
        """Return the sentence for a login that the server does not accept any more."""
        if username == API_TOKEN_USERNAME:
            return f"the server does not accept the token in DEVPI_TOKEN: {_TOKEN_ADVICE}"
        return f"the login of '{username}' is no longer valid: type 'devpi login {username}'"

    def _say_that_token_is_not_sent(self, url: str, in_use: str | None) -> None:
        origin = urls.origin(url)
        if origin not in self._origins_without_token:
            self._origins_without_token.add(origin)
            only = f"it is for the server in use, {in_use}" if in_use else "no server is in use"
            self._note(f"DEVPI_TOKEN is not sent to {origin}: {only}; type 'devpi use URL' to change that")


_TOKEN_ADVICE = "unset DEVPI_TOKEN, and type 'devpi token create' for another"  # noqa: S105 - no secret
