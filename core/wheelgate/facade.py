"""What a plugin may reach of the server that it is part of."""

from __future__ import annotations

from collections.abc import Callable

from wheelgate.config import Config
from wheelgate.files.files import Files
from wheelgate.outgoing import Outgoing
from wheelgate.store.database import Database
from wheelgate.store.protocols import IndexStore, UserStore


class Server:
    """Settings, database, files, outgoing requests and, once a plugin has brought them, the two stores."""

    users: UserStore
    indices: IndexStore
    forget_principal: Callable[[str], None]
    """Takes the name of a user, or a ``:group``, that is being deleted out of every access list, and tells the plugins
    that keep something about it. Belongs inside a transaction; there once the server answers requests."""

    def __init__(self, config: Config, database: Database) -> None:
        self.config = config
        self.database = database
        self.files = Files(config, database)
        self.outgoing = Outgoing(config)
