"""What the client remembers between two commands, in the files that the incumbent's client keeps too.

``current.json`` says which server and index are in use, ``auth.json`` who is logged in where. Keys that this client
does not know stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import py

from wheelgate_client.errors import StateError, reason
from wheelgate_client.server import urls
from wheelgate_client.state.atomic import PRIVATE_FILE, locked, replace

Content = dict[str, Any]


class Current:
    """The server and index in use; None where nothing was chosen. The attributes are the keys of the file."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.index: Final[str | None] = content.get("index")
        self.simpleindex: Final[str | None] = content.get("simpleindex")
        self.pypisubmit: Final[str | None] = content.get("pypisubmit")
        """Where uploads go; None for a mirror."""
        self.login: Final[str | None] = content.get("login")
        self.features: Final[list[str]] = content.get("features") or []
        self.username: Final[str | None] = content.get("username")
        self.venvdir: Final[str | None] = content.get("venvdir")
        self.always_setcfg: Final[bool] = bool(content.get("always_setcfg"))
        self.settrusted: Final[bool] = bool(content.get("settrusted"))

    def changed(self, changes: Mapping[str, Any]) -> Current:
        """Return what is in use after these changes."""
        return Current({**vars(self), **changes})

    @property
    def root(self) -> str | None:
        """The server's URL with a trailing slash, or None if no server is in use."""
        return urls.parent(self.login) if self.login else None


class StateFile:
    """A JSON object in a file of its own, for its owner only."""

    def __init__(self, path: py.path.local, lock_directory: py.path.local) -> None:
        self.path = path
        self._lock_directory = lock_directory

    def read(self) -> Content:
        """Return the object, empty if there is no such file.

        Raises:
            StateError: if the file cannot be read or holds anything else.
        """
        try:
            content = json.loads(self.path.read_binary())
        except py.error.ENOENT:
            return {}
        except OSError as error:
            raise StateError(f"cannot read {self.path}: {reason(error)}") from None
        except (ValueError, RecursionError) as error:
            raise self.damaged(str(error)) from None
        if not isinstance(content, dict):
            raise self.damaged("it holds no JSON object")
        return content

    def change(self, change: Callable[[Content], None]) -> None:
        """Read, ``change`` and write as one step among all clients of this user.

        Raises:
            StateError: if that cannot be done; the file is then what it was.
        """
        with locked(self._lock_directory):
            content = self.read()
            change(content)
            data = json.dumps(content, indent=2, sort_keys=True).encode()
            try:
                replace(self.path, data, PRIVATE_FILE)
            except OSError as error:
                raise StateError(f"cannot write {self.path}: {reason(error)}; it is as it was before") from None

    def remove(self) -> bool:
        """Delete the file; return False if there was none."""
        with locked(self._lock_directory):
            try:
                self.path.remove()
            except py.error.ENOENT:
                return False
            except OSError as error:
                raise StateError(f"cannot remove {self.path}: {reason(error)}") from None
        return True

    def damaged(self, reason: str) -> StateError:
        """Return the error that says that the file's content makes no sense."""
        return StateError(
            f"{self.path} is damaged ({reason}): repair it, or remove it and start anew with 'devpi use URL'"
        )


class CurrentFile(StateFile):
    """``current.json``, or ``devpi.json`` in a virtual environment."""

    def load(self) -> Current:
        """Return what is in use."""
        content = self.read()
        for name in vars(Current({})).keys() & content.keys():
            value = content[name]
            if value is not None and not _KINDS.get(name, _is_text)(value):
                raise self.damaged(f"'{name}' has no usable value")
        return Current(content)

    def save(self, changes: Mapping[str, object]) -> None:
        """Change these fields of :class:`Current` and leave the others to whoever changes them meanwhile."""

        def change(content: Content) -> None:
            for name, value in changes.items():
                if value is not None or name in content:
                    content[name] = value

        self.change(change)


class AuthFile(StateFile):
    """``auth.json``: by server, the users logged in, the latest first; and what HTTP basic authentication needs."""

    def tokens(self, root: str) -> dict[str, str]:
        """Return the tokens of the users logged in at the server ``root``, the latest login first."""
        return dict(self._section(self.read(), "auth", list).get(root, ()))

    def basic(self, url: str) -> tuple[str, str] | None:
        """Return user and password for HTTP basic authentication at the server of ``url``."""
        pair = self._section(self.read(), "basic_auth", str).get(urls.origin(url))
        return (pair[0], pair[1]) if pair else None

    def root_of(self, url: str) -> str | None:
        """Return the URL of the server, among those with logins, that ``url`` lies on."""
        roots = self._section(self.read(), "auth", list)
        return max((root for root in roots if f"{url}/".startswith(root)), key=len, default=None)

    def log_in(self, root: str, username: str, token: str) -> None:
        """Put the user first."""
        self._change_logins(root, lambda logins: {username: token, **_without(logins, username)})

    def renew(self, root: str, username: str, token: str) -> None:
        """Replace the user's token if one is stored."""
        self._change_logins(root, lambda logins: logins | ({username: token} if username in logins else {}))

    def log_off(self, root: str, username: str) -> None:
        """Forget the user's token."""
        self._change_logins(root, lambda logins: _without(logins, username))

    def set_basic(self, url: str, username: str, password: str) -> None:
        """Store user and password for HTTP basic authentication at the server of ``url``."""

        def change(content: Content) -> None:
            self._section(content, "basic_auth", str)
            content.setdefault("basic_auth", {})[urls.origin(url)] = [username, password]

        self.change(change)

    def _change_logins(self, root: str, change_logins: Callable[[dict[str, str]], dict[str, str]]) -> None:
        def change(content: Content) -> None:
            before = dict(self._section(content, "auth", list).get(root, ()))
            content.setdefault("auth", {})[root] = [list(login) for login in change_logins(before).items()]

        self.change(change)

    def _section(self, content: Content, name: str, kind: type) -> dict[str, list[Any]]:
        section = content.get(name, {})
        if not isinstance(section, dict):
            raise self.damaged(f"'{name}' holds no JSON object")
        for value in section.values():
            pairs = value if kind is list else [value]
            if not isinstance(value, list) or not all(map(_is_pair, pairs)):
                raise self.damaged(f"'{name}' has an entry that is no pair of texts")
        return section


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


_KINDS = {"features": _are_texts, "always_setcfg": _is_flag, "settrusted": _is_flag}


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and _are_texts(value)


def _without(logins: Mapping[str, str], username: str) -> dict[str, str]:
    return {name: token for name, token in logins.items() if name != username}
