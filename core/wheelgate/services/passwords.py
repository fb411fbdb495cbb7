"""New passwords: checked by the server and its plugins, and hashed for the store."""

from __future__ import annotations

from typing import Any

from wheelgate.errors import BadInput, Unsupported
from wheelgate.password_text import normalized_password
from wheelgate.plugin_host.vetoes import Vetoes
from wheelgate.providers import PasswordHasher


class Passwords:
    """The only way to a stored password."""

    def __init__(self, hasher: PasswordHasher | None, vetoes: Vetoes) -> None:
        """Take the hasher and the plugins' vetoes."""
        self._hasher = hasher
        self._vetoes = vetoes

    def check(self, value: Any) -> str:
        """Return a new password in Unicode's normal form NFC, in which it is compared and stored.

        Raises:
            BadInput: it is not text, is too long, or is empty.
        """
        if not isinstance(value, str):
            raise BadInput("'password' must be text")
        password = normalized_password(value)
        if not password:
            raise BadInput("'password' must not be empty; choose one")
        return password

    def hash(self, username: str, password: str) -> str:
        """Return the hash of a new password, as the store keeps it. Slow: call it in a thread.

        Raises:
            BadInput: :meth:`check` or a plugin refuses the password.
            Unsupported: no plugin hashes passwords.
        """
        return self.hash_without_vetoes(self.refuse_unacceptable(username, password))

    def refuse_unacceptable(self, username: str, password: str) -> str:
        """Do what :meth:`hash` does before it hashes; return the password as :meth:`check` does."""
        checked = self.check(password)
        if self._hasher is not None:
            self._vetoes.raise_any("the password", username=username, password=checked)
        return checked

    def hash_without_vetoes(self, password: str) -> str:
        """Do what :meth:`hash` does, without asking the plugins that may refuse a password."""
        password = self.check(password)
        if self._hasher is None:
            raise Unsupported("no plugin of this server keeps passwords")
        return self._hasher.hash(password)
