"""The protocols of a user store and an index store; ``wheelgate.testing`` has tests for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from wheelgate.values import Index, User


class UserStore(Protocol):
    """A store of users.

    The core calls methods that change anything within a transaction. Other methods see committed data. Names are
    compared exactly; the core has checked their form.
    """

    name: str
    instant: bool
    """True if reads take no longer than a page-cache hit; they then run on the event loop."""
    capabilities: frozenset[str]
    """Some of ``create``, ``modify``, ``delete``, ``passwords``. The server refuses all others with 409."""

    def get(self, name: str) -> User | None:
        """Return the user of that name."""

    def list(self) -> Sequence[User]:
        """Return all users, sorted by name."""

    def lookalike(self, name: str) -> str | None:
        """Return the name of a user that equals ``name`` after NFKC and case folding, or None."""

    def create(self, user: User, password_hash: str | None) -> None:
        """Add a user. Raise ``Conflict`` if there is a user with this name or a look-alike."""

    def modify(self, user: User, changes: Mapping[str, Any]) -> User:
        """Set fields of :class:`User`; return the changed user.

        Raises:
            Conflict: the user was deleted, or deleted and created again, since ``user`` was read.
        """

    def delete(self, user: User) -> None:
        """Remove a user. Raise ``Conflict`` as :meth:`modify` does."""

    def password_hash(self, name: str) -> str | None:
        """Return the stored hash: an empty string for the empty password, None for no password at all."""

    def set_password_hash(self, user: User, password_hash: str | None, stamp: str) -> User:
        """Replace hash and stamp; return the changed user. Raise ``Conflict`` as :meth:`modify` does."""

    def rehash(self, name: str, old: str, new: str) -> None:
        """Replace the hash of an unchanged password if it is still ``old``. The stamp and all sessions stay."""


class IndexStore(Protocol):
    """A store of indices and their configuration. The rules of :class:`UserStore` apply."""

    name: str
    instant: bool

    def get(self, owner: str, name: str) -> Index | None:
        """Return the index ``owner/name``."""

    def list(self, owner: str | None = None) -> Sequence[Index]:
        """Return all indices, or those of ``owner``, sorted by path."""

    def any_has(self, key: str) -> bool:
        """Return whether the configuration of any index has a key; the server asks after every change."""

    def lookalike(self, owner: str, name: str) -> str | None:
        """Return the name of an index of ``owner`` that equals ``name`` after NFKC and case folding, or None."""

    def create(self, index: Index) -> None:
        """Add an index. Raise ``Conflict`` if there is an index with this path or a look-alike."""

    def modify(self, index: Index, config: Mapping[str, Any]) -> Index:
        """Replace the configuration. Raise ``Conflict`` if it was changed since ``index`` was read."""

    def delete(self, index: Index) -> None:
        """Remove an index. Raise ``NotFound`` if there is none."""
