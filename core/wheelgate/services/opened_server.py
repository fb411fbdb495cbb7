"""Opens the stores of a server, and makes the :class:`Server` that its plugins get."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from wheelgate.config import Config
from wheelgate.errors import BadInput, StartupError
from wheelgate.fields import IndexType
from wheelgate.outgoing import Outgoing
from wheelgate.packages import PackageSource
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.plugin_host.vetoes import Vetoes
from wheelgate.server import Server, Stores
from wheelgate.services.indices import Indices
from wheelgate.services.passwords import Passwords
from wheelgate.services.principals import Principals
from wheelgate.store.database import Database
from wheelgate.values import Index


class OpenedServer:
    """A server with open stores, and what it can do with the help of its plugins.

    The stores and the password hasher are made first, by plugins that get no server yet. Every other hook gets a server
    that is complete: where it depends on the index types, they are collected when they are first needed.
    """

    def __init__(self, config: Config, plugins: Plugins, database: Database) -> None:
        """Open the stores; the database may be read-only.

        Raises:
            StartupError: a store is missing, two plugins provide the same one, or a plugin raised an exception.
        """
        outgoing = Outgoing(config)
        given = {"config": config, "database": database, "outgoing": outgoing}
        stores = Stores(
            plugins.single("wheelgate_user_store", "a store of users", needed=True, **given),
            plugins.single("wheelgate_index_store", "a store of indices", needed=True, **given),
        )
        hasher = plugins.single("wheelgate_password_hasher", "a password hasher", needed=False, **given)
        self._plugins = plugins
        self._collecting = False
        self.server = Server(config, database, outgoing, stores, self)
        vetoes = Vetoes(self.server, plugins.implementations("wheelgate_check_password"), BadInput)
        self.passwords = Passwords(hasher, vetoes)
        self.hash_password = self.passwords.hash

    @cached_property
    def index_types(self) -> Sequence[IndexType]:
        """The index types of all plugins.

        Raises:
            StartupError: two types have the same name, a plugin raised an exception, or the hook asks for itself.
        """
        if self._collecting:
            raise StartupError("wheelgate_index_types: the index types are not known before this hook returns")
        self._collecting = True
        try:
            found = self._plugins.collect("wheelgate_index_types", lambda kind: kind.name, server=self.server)
        finally:
            self._collecting = False
        return [kind for _, kind in found]

    @cached_property
    def indices(self) -> Indices:
        """Reads and changes the configuration of indices."""
        return Indices(
            self.server.indices, self.server.users, self.index_types, max_per_user=self.server.config["max-indices"]
        )

    @cached_property
    def principals(self) -> Principals:
        """Removes deleted users and groups from what refers to them."""
        keepers = self._plugins.implementations("wheelgate_forget_principal")
        return Principals(self.server, self.indices, keepers)

    def forget_principal(self, name: str) -> None:
        """Remove a user or a ``:group`` from every access list, and tell the plugins; inside a transaction."""
        self.principals.forget(name)

    def sources(self) -> Sequence[PackageSource]:
        """Return the package sources of all index types; none while the types are collected."""
        if self._collecting:
            return []
        return [kind.packages for kind in self.index_types if kind.packages is not None]

    def source_of(self, index: Index) -> PackageSource | None:
        """Return the package source of an index; None if it has none, or its plugin is not installed."""
        return next((kind.packages for kind in self.index_types if kind.name == index.type), None)

    def complete(self) -> bool:
        """Return whether the sources are known of all indices."""
        return not self._collecting and self.indices.all_have_packages()
