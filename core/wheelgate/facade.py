"""What a plugin may reach of the server that it is part of."""

from __future__ import annotations

from wheelgate.config import Config
from wheelgate.files.files import Files
from wheelgate.outgoing import Outgoing
from wheelgate.store.database import Database
from wheelgate.store.protocols import IndexStore, UserStore


class Server:
    """Settings, database, files, outgoing requests and, once a plugin has brought them, the two stores."""

    users: UserStore
    indices: IndexStore

    def __init__(self, config: Config, database: Database) -> None:
        self.config = config
        self.database = database
        self.files = Files(config, database)
        self.outgoing = Outgoing(config)
