"""The part of a server that its plugins can use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from wheelgate.config import Config
from wheelgate.files.garbage import SourceRegistry
from wheelgate.files.server_files import Files
from wheelgate.outgoing import Outgoing
from wheelgate.package_reader import PackageReader
from wheelgate.packages import PackageSource
from wheelgate.store.database import Database
from wheelgate.store.keys import derive_key
from wheelgate.store.protocols import IndexStore, UserStore
from wheelgate.store.server_state import ServerState
from wheelgate.values import Index


@dataclass(frozen=True, slots=True)
class Stores:
    """The two stores of a server."""

    users: UserStore
    indices: IndexStore


class PluginServices(SourceRegistry, Protocol):
    """The operations of a server that need its plugins."""

    def source_of(self, index: Index) -> PackageSource | None:
        """Return the package source of an index; None if it has none, or its plugin is not installed."""

    def hash_password(self, username: str, password: str) -> str:
        """See :meth:`Server.hash_password`."""

    def forget_principal(self, name: str) -> None:
        """See :meth:`Server.forget_principal`."""


class Server:
    """The part of a server that its plugins can use: settings, database, files, outgoing requests and the two stores.

    It is complete when a plugin gets it, also in ``devpi-server passwd``, ``auth test`` and ``fsck``.
    """

    config: Config
    database: Database
    outgoing: Outgoing
    """Use its ``session()``, of the library requests, for requests to other services: the session connects only where
    ``--allow-upstream`` allows it. Its ``refusal(error, url)`` turns the errors of a request into a sentence."""
    users: UserStore
    indices: IndexStore
    files: Files
    packages: PackageReader
    """Reads the packages that this server holds, for plugins that index them."""

    def __init__(
        self, config: Config, database: Database, outgoing: Outgoing, stores: Stores, services: PluginServices
    ) -> None:
        self.config = config
        self.database = database
        self.outgoing = outgoing
        self.users = stores.users
        self.indices = stores.indices
        self.files = Files(config, database, services)
        self.packages = PackageReader(stores.indices, services.source_of)
        self._services = services

    def hash_password(self, username: str, password: str) -> str:
        """Check a new password as the server does for every change, and return its hash for the user store.

        It is slow on purpose: call it in a thread, such as that of a route. It calls ``wheelgate_check_password``; that
        hook must not call it.

        Raises:
            BadInput: the password is not allowed, or a plugin refuses it.
            Unsupported: no plugin hashes passwords.
        """
        return self._services.hash_password(username, password)

    def forget_principal(self, name: str) -> None:
        """Remove a user or a ``:group`` that is being deleted from every access list, and tell the plugins about it.

        Call it inside the transaction that deletes the user or group.

        Raises:
            StartupError: it is called in ``wheelgate_index_types``, before the keys of access lists are known.
        """
        self._services.forget_principal(name)

    def derive_key(self, purpose: str) -> bytes:
        """Return a key of 32 bytes for one purpose (HKDF, RFC 5869). Other servers and other purposes have other keys.

        The key comes from the secret file and is not stored in the database. If the secret file is replaced, all keys
        change.
        """
        uuid = ServerState(self.database).uuid
        return derive_key(self.config.read_secret(), f"wheelgate plugin {uuid} {purpose}")
