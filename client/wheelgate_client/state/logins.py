"""The logins of the user, which ``auth.json`` keeps by server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wheelgate_client.server import urls
from wheelgate_client.state.state_file import StateFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.server.json_values import JsonObject


class LoginsFile(StateFile):
    """``auth.json``: for each server the users logged in, the latest first, and other ways to be known."""

    def tokens(self, server_url: str) -> dict[str, str]:
        """Return the tokens of the users logged in at the server, the latest login first."""
        return dict(self._section(self.read(), "auth", list).get(server_url, ()))

    def basic(self, url: str) -> tuple[str, str] | None:
        """Return user and password for HTTP basic authentication at the server of ``url``."""
        pair = self._section(self.read(), "basic_auth", str).get(urls.origin(url))
        return (pair[0], pair[1]) if pair else None

    def server_url_of(self, url: str) -> str | None:
        """Return the URL of the server with logins that ``url`` belongs to, or None."""
        server_urls = self._section(self.read(), "auth", list)
        return max((found for found in server_urls if f"{url}/".startswith(found)), key=len, default=None)

    def log_in(self, server_url: str, username: str, token: str) -> None:
        """Store the user's token and make the user the first one."""
        self._change_logins(server_url, lambda logins: {username: token, **_without_user(logins, username)})

    def renew(self, server_url: str, username: str, token: str) -> None:
        """Replace the user's token if one is stored."""
        self._change_logins(server_url, lambda logins: logins | ({username: token} if username in logins else {}))

    def log_off(self, server_url: str, username: str) -> None:
        """Remove the user's token."""
        self._change_logins(server_url, lambda logins: _without_user(logins, username))

    def set_basic(self, url: str, username: str, password: str) -> None:
        """Store user and password for HTTP basic authentication at the server of ``url``."""

        def change(content: JsonObject) -> None:
            self._section(content, "basic_auth", str)
            content.setdefault("basic_auth", {})[urls.origin(url)] = [username, password]

        self.change(change)

    def certificate(self, url: str) -> str | None:
        """Return the path of the client certificate for the server of ``url``."""
        return self._certificates(self.read()).get(urls.origin(url))

    def set_certificate(self, url: str, path: str | None) -> None:
        """Store the path of the client certificate for the server of ``url``; None removes it."""

        def change(content: JsonObject) -> None:
            kept = {key: value for key, value in self._certificates(content).items() if key != urls.origin(url)}
            content["client_cert"] = kept if path is None else {**kept, urls.origin(url): path}

        self.change(change)

    def _certificates(self, content: JsonObject) -> dict[str, str]:
        paths = content.get("client_cert", {})
        if not isinstance(paths, dict) or not all(isinstance(path, str) for path in paths.values()):
            raise self.damaged("'client_cert' is not a JSON object of paths")
        return paths

    def _change_logins(self, server_url: str, change_logins: Callable[[dict[str, str]], dict[str, str]]) -> None:
        def change(content: JsonObject) -> None:
            before = dict(self._section(content, "auth", list).get(server_url, ()))
            content.setdefault("auth", {})[server_url] = [list(login) for login in change_logins(before).items()]

        self.change(change)

    def _section(self, content: JsonObject, name: str, kind: type) -> dict[str, list[Any]]:
        section = content.get(name, {})
        if not isinstance(section, dict):
            raise self.damaged(f"'{name}' is not a JSON object")
        for value in section.values():
            pairs = value if kind is list else [value]
            if not isinstance(value, list) or not all(map(_is_pair_of_strings, pairs)):
                raise self.damaged(f"'{name}' has an entry that is not a pair of texts")
        return section


def _is_pair_of_strings(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(item, str) for item in value)


def _without_user(logins: Mapping[str, str], username: str) -> dict[str, str]:
    return {name: token for name, token in logins.items() if name != username}
