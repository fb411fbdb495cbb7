"""What a store of users and a store of indices promise; ``wheelgate.testing`` proves it of any of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from wheelgate.values import Index, User


class UserStore(Protocol):
    """Where users are kept.

    Methods are called inside the transaction that core opened, if they change anything. Reads see what is committed.
    Names are compared as they are; core has checked their form.
    """

    name: str
    instant: bool
    """True if reads take no longer than a page-cache hit, so that they may run on the event loop."""
    capabilities: frozenset[str]
    """Of ``create``, ``modify``, ``delete``, ``passwords``; what is missing is refused with 409 before it is tried."""

    def get(self, name: str) -> User | None:
        """Return the user of that name."""

    def list(self) -> Sequence[User]:
        """Return every user, in the order of their names."""

    def lookalike(self, name: str) -> str | None:
        """Return the name of a user that equals ``name`` after NFKC and case folding, or None."""

    def create(self, user: User, password_hash: str | None) -> None:
        """Add a user. Raise ``Conflict`` if the name, or a look-alike of it, is taken."""

    def modify(self, user: User, changes: Mapping[str, Any]) -> User:
        """Set fields of :class:`User` and return the user as it is then.

        Raises:
            Conflict: the user was deleted, or deleted and created again, since ``user`` was read.
        """

    def delete(self, user: User) -> None:
        """Remove a user. Raise ``Conflict`` as :meth:`modify` does."""

    def password_hash(self, name: str) -> str | None:
        """Return the stored hash; an empty string stands for the empty password, None for no password at all."""

    def set_password_hash(self, user: User, password_hash: str | None, stamp: str) -> User:
        """Replace hash and stamp and return the user as it is then. Raise ``Conflict`` as :meth:`modify` does."""

    def rehash(self, name: str, old: str, new: str) -> None:
        """Replace the hash of an unchanged password if it is still ``old``; the stamp, and so sessions, stay."""


class IndexStore(Protocol):
    """Where the configuration of indices is kept. The rules of :class:`UserStore` hold."""

    name: str
    instant: bool

    def get(self, owner: str, name: str) -> Index | None:
        """Return the index ``owner/name``."""

    def list(self, owner: str | None = None) -> Sequence[Index]:
        """Return every index, or those of ``owner``, in the order of their paths."""

    def lookalike(self, owner: str, name: str) -> str | None:
        """Return the name of an index of ``owner`` that equals ``name`` after NFKC and case folding, or None."""

    def create(self, index: Index) -> None:
        """Add an index. Raise ``Conflict`` if the path, or a look-alike of it, is taken."""

    def modify(self, index: Index, config: Mapping[str, Any]) -> Index:
        """Replace the configuration. Raise ``Conflict`` if the stored one is no longer that of ``index``."""

    def delete(self, index: Index) -> None:
        """Remove an index. Raise ``NotFound`` if it is gone."""
