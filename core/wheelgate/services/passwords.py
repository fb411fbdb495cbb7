"""New passwords: checked, by plugins too, and turned into what is stored."""

from __future__ import annotations

from wheelgate.errors import Unsupported
from wheelgate.plugin_host.vetoes import Objections
from wheelgate.providers import PasswordHasher
from wheelgate.services.users import read_password


class Passwords:
    """The one way to a stored password."""

    def __init__(self, hasher: PasswordHasher | None, objections: Objections, *, loopback: bool) -> None:
        self._hasher = hasher
        self._objections = objections
        self._loopback = loopback

    def hash(self, username: str, password: str) -> str:
        """Return what is stored of a new password. In a thread.

        Raises:
            BadInput: it cannot be a password, or a plugin objects.
            Unsupported: no plugin keeps passwords.
        """
        password = read_password(password, username, loopback=self._loopback)
        if not password:
            return ""
        if self._hasher is None:
            raise Unsupported("no plugin of this server keeps passwords")
        self._objections.raise_any("the password", username=username, password=password)
        return self._hasher.hash(password)
